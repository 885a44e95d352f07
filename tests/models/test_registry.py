"""models.registry"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ModelError
from models.registry import NPM, PYPI, Registry, configured, npm_address, sdist_address

from .conftest import Shelf, sdist, sha256_of

CONTENT = sdist("Some_Thing-1.0", {})
HASH = sha256_of(CONTENT)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """pip and npm without any configuration of this machine."""
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "CERT", "PROXY"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return monkeypatch


def test_without_configuration_it_is_pypi(bare: pytest.MonkeyPatch) -> None:
    assert configured() == Registry((PYPI,))


def test_pips_files_and_variables_are_honoured(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example/simple\nfind-links = /a\n  /b\ncert = /x.pem\n"
    )
    bare.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    bare.setenv("PIP_EXTRA_INDEX_URL", "https://one.example/ https://two.example/")
    bare.setenv("PIP_CERT", "/y.pem")

    registry = configured()

    assert registry.indexes == (
        "https://mirror.example/simple", "https://one.example/", "https://two.example/",
    )  # fmt: skip
    assert registry.find_links == ("/a", "/b")
    assert registry.cert == "/y.pem"


@pytest.mark.parametrize("html", [False, True])
def test_an_index_of_either_kind_is_read(shelf: Shelf, html: bool) -> None:
    shelf.html = html
    shelf.put("some-thing", "some_thing-0.9.tar.gz", b"old")
    shelf.put("some-thing", "some_thing-1.0-py3-none-any.whl", b"wheel")
    shelf.put("some-thing", "some_thing-1.0.tar.gz", CONTENT)
    registry = shelf.registry()

    address = sdist_address(registry, "Some_Thing", "1.0", HASH, registry.web())

    assert address == f"{shelf.url}/files/some_thing-1.0.tar.gz"


def test_the_next_index_is_asked_when_the_first_has_no_such_project(shelf: Shelf) -> None:
    shelf.put("some-thing", "some_thing-1.0.tar.gz", CONTENT)
    registry = Registry((f"{shelf.url}/empty", f"{shelf.url}/simple"), wait_s=0.001)

    assert sdist_address(registry, "some-thing", "1.0", HASH, registry.web()).startswith(shelf.url)


def test_an_offered_file_of_another_hash_is_refused_before_it_is_fetched(shelf: Shelf) -> None:
    shelf.put("some-thing", "some_thing-1.0.tar.gz", CONTENT)
    shelf.announced["some_thing-1.0.tar.gz"] = "f" * 64
    registry = shelf.registry()

    with pytest.raises(ModelError, match="offers a file of SHA-256 ffff"):
        sdist_address(registry, "some-thing", "1.0", HASH, registry.web())
    assert shelf.asked == []


def test_what_no_index_has_is_told(shelf: Shelf) -> None:
    shelf.put("some-thing", "some_thing-2.0.tar.gz", CONTENT)
    registry = Registry((shelf.url.replace("//", "//user:secret@") + "/simple",), wait_s=0.001)

    with pytest.raises(ModelError, match=r"some-thing 1\.0: no source distribution") as caught:
        sdist_address(registry, "some-thing", "1.0", HASH, registry.web())
    assert "secret" not in str(caught.value)


def test_a_folder_of_pips_find_links_serves_without_any_index(tmp_path: Path) -> None:
    (tmp_path / "some-thing-1.0.tar.gz").write_bytes(CONTENT)
    registry = Registry(("http://127.0.0.1:9/simple",), (tmp_path.as_uri(),), wait_s=0.001)

    address = sdist_address(registry, "some-thing", "1.0", HASH, registry.web())

    assert address == str(tmp_path / "some-thing-1.0.tar.gz")


def test_a_page_that_is_no_index_is_told(shelf: Shelf, tmp_path: Path) -> None:
    registry = shelf.registry()
    web = registry.web()
    shelf.files["index"] = b""
    shelf.projects["broken"] = []
    shelf.projects["some-thing"] = ["gone"]
    shelf.files["gone"] = b""
    shelf.announced["gone"] = "not a hash"

    with pytest.raises(ModelError, match="no source distribution"):
        sdist_address(registry, "broken", "1.0", HASH, web)
    with pytest.raises(ModelError, match="no source distribution"):
        sdist_address(registry, "some-thing", "1.0", HASH, web)


def test_npms_registry_is_that_of_its_variable_then_of_the_users_file(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert configured().npm == NPM

    (tmp_path / ".npmrc").write_text("fund=false\nregistry = https://mirror.example/npm/\n", encoding="utf-8")
    assert configured().npm == "https://mirror.example/npm/"

    bare.setenv("npm_config_registry", "https://other.example")
    assert configured().npm == "https://other.example"


def test_a_package_of_npms_has_one_place_and_a_find_links_folder_may_have_it_too(tmp_path: Path) -> None:
    registry = Registry((), (str(tmp_path),), npm="https://mirror.example/npm/")

    assert (
        npm_address(registry, "@some/thing", "1.0") == "https://mirror.example/npm/@some/thing/-/thing-1.0.tgz"
    )
    (tmp_path / "thing-1.0.tgz").write_bytes(b"there")
    assert npm_address(registry, "@some/thing", "1.0") == str(tmp_path / "thing-1.0.tgz")
