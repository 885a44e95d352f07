"""models.web"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from agent.errors import ModelError
from models.web import Web

from .conftest import Shelf, sha256_of

CONTENT = bytes(range(256)) * 4096
HASH = sha256_of(CONTENT)


@pytest.fixture
def web() -> Web:
    return Web(wait_s=0.001)


@pytest.fixture
def url(shelf: Shelf) -> str:
    shelf.files["it.bin"] = CONTENT
    return f"{shelf.url}/files/it.bin"


def test_a_file_comes_whole_with_progress(web: Web, url: str, tmp_path: Path) -> None:
    progress: list[tuple[str, int, int | None]] = []

    got = web.download(url, tmp_path / "new/it.bin", HASH, lambda *seen: progress.append(seen))

    assert got == HASH
    assert (tmp_path / "new/it.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["it.bin"]
    assert progress[-1] == ("it.bin", len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_not_fetched_again(web: Web, url: str, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "it.bin").write_bytes(CONTENT)

    web.download(url, tmp_path / "it.bin", HASH)

    assert shelf.asked == []


def test_a_broken_transfer_goes_on_where_it_broke(web: Web, url: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.cut = [1000, 5000]

    web.download(url, tmp_path / "it.bin", HASH)

    assert (tmp_path / "it.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in shelf.asked] == [None, "bytes=1000-", "bytes=6000-"]


def test_a_later_run_goes_on_where_the_last_one_gave_up(
    web: Web, url: str, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.cut = [100] * 5
    with pytest.raises(ModelError, match="broke off after 500 of") as caught:
        web.download(url, tmp_path / "it.bin", HASH)
    assert "run the same command again" in caught.value.hint
    assert not (tmp_path / "it.bin").exists()

    web.download(url, tmp_path / "it.bin", HASH)

    assert shelf.asked[-1][1] == "bytes=500-"
    assert (tmp_path / "it.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(web: Web, url: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.ranges = False
    shelf.cut = [1000]

    web.download(url, tmp_path / "it.bin", HASH)

    assert (tmp_path / "it.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more", b"of another file"])
def test_what_an_earlier_run_left_never_spoils_the_file(
    web: Web, url: str, tmp_path: Path, part: bytes
) -> None:
    (tmp_path / "it.bin.part").write_bytes(part)

    web.download(url, tmp_path / "it.bin", HASH)

    assert (tmp_path / "it.bin").read_bytes() == CONTENT
    assert not (tmp_path / "it.bin.part").exists()


def test_another_file_than_asked_for_is_not_kept(web: Web, url: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="its SHA-256 is"):
        web.download(url, tmp_path / "it.bin", "0" * 64)

    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again(web: Web, url: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.errors = [503, 429, 500]

    assert web.download(url, tmp_path / "it.bin", HASH) == HASH


@pytest.mark.parametrize(("status", "message"), [(403, "answers 403"), (404, "no such file")])
def test_a_refusal_is_told_at_once(
    web: Web, url: str, shelf: Shelf, tmp_path: Path, status: int, message: str
) -> None:
    shelf.errors = [status, 200]

    with pytest.raises(ModelError, match=message):
        web.download(url, tmp_path / "it.bin", HASH)
    assert shelf.errors == [200]


def test_a_server_that_is_not_there_is_told(web: Web, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be fetched"):
        web.download("http://127.0.0.1:9/x", tmp_path / "x", HASH)


def test_credentials_go_into_a_header_and_into_no_message(
    web: Web, url: str, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.password = base64.b64encode(b"me:p@ss").decode()
    with_password = url.replace("http://", "http://me:p%40ss@")

    assert web.download(with_password, tmp_path / "it.bin", HASH) == HASH
    with pytest.raises(ModelError) as caught:
        web.download(with_password.replace("p%40ss", "wrong"), tmp_path / "other", HASH)
    assert "wrong" not in str(caught.value)


def test_only_the_web_is_fetched(web: Web, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="only http"):
        web.download("file:///etc/hostname", tmp_path / "x", None)
