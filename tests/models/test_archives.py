"""models.archives"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from agent.errors import ModelError
from models.archives import Member, NpmPackage, Sdist, fetch_member, fetch_members

from .conftest import Shelf, sdist, sha256_of

CLIP = bytes(range(256)) * 999
FILES = {"tests/data/clip.mp4": CLIP, "tests/data/other.mp4": b"other", "README": b"read me"}
ARCHIVE = sdist("thing-1.0", FILES)
THING = Sdist("thing", "1.0", sha256_of(ARCHIVE))


@pytest.fixture
def stocked(shelf: Shelf) -> Shelf:
    shelf.put("thing", "thing-1.0.tar.gz", ARCHIVE)
    return shelf


def clip(target: Path, sha256: str = sha256_of(CLIP)) -> Member:
    return Member("tests/data/clip.mp4", sha256, target)


def test_a_file_of_a_source_distribution_comes_out_and_nothing_else(stocked: Shelf, tmp_path: Path) -> None:
    fetch_members(THING, [clip(tmp_path / "clips/a.mp4")], registry=stocked.registry())

    assert (tmp_path / "clips/a.mp4").read_bytes() == CLIP
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.mp4"]


def test_the_registry_is_the_one_that_pip_is_configured_for(
    stocked: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{stocked.url}/simple")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    path = fetch_member("thing", "1.0", THING.sha256, "README", sha256_of(b"read me"), tmp_path / "README")

    assert path.read_bytes() == b"read me"


def test_two_files_need_one_download_and_files_that_are_there_none(stocked: Shelf, tmp_path: Path) -> None:
    members = [
        clip(tmp_path / "a.mp4"),
        Member("tests/data/other.mp4", sha256_of(b"other"), tmp_path / "b.mp4"),
    ]
    fetch_members(THING, members, registry=stocked.registry())
    fetch_members(THING, members, registry=stocked.registry())

    assert len(stocked.asked) == 1


def test_a_damaged_file_is_fetched_again(stocked: Shelf, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"damaged")

    fetch_members(THING, [clip(tmp_path / "a.mp4")], registry=stocked.registry())

    assert (tmp_path / "a.mp4").read_bytes() == CLIP


def test_a_broken_transfer_of_the_archive_goes_on(stocked: Shelf, tmp_path: Path) -> None:
    stocked.cut = [100]

    fetch_members(THING, [clip(tmp_path / "a.mp4")], registry=stocked.registry())

    assert stocked.asked[1][1] == "bytes=100-"


@pytest.mark.parametrize(
    ("member", "sha256", "message"),
    [
        ("tests/data/clip.mp4", "0" * 64, "its SHA-256 is"),
        ("tests/data/none.mp4", "0" * 64, "there is no thing-1.0/tests/data/none.mp4"),
    ],
)
def test_a_wrong_member_leaves_nothing_behind(
    stocked: Shelf, tmp_path: Path, member: str, sha256: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        fetch_members(THING, [Member(member, sha256, tmp_path / "a")], registry=stocked.registry())
    assert list(tmp_path.iterdir()) == []


def test_another_archive_than_the_pinned_one_is_not_opened(stocked: Shelf, tmp_path: Path) -> None:
    pinned = Sdist("thing", "1.0", "1" * 64)
    stocked.announced["thing-1.0.tar.gz"] = "1" * 64  # an index that lies

    with pytest.raises(ModelError, match="its SHA-256 is"):
        fetch_members(pinned, [clip(tmp_path / "a.mp4")], registry=stocked.registry())
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_an_archive_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo("evil-1.0/clip")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(info)
    shelf.put("evil", "evil-1.0.tar.gz", out.getvalue())
    member = Member("clip", sha256_of(Path("/etc/hostname").read_bytes()), tmp_path / "a")

    with pytest.raises(ModelError, match="no plain file"):
        fetch_members(Sdist("evil", "1.0", sha256_of(out.getvalue())), [member], registry=shelf.registry())


def test_an_archive_that_is_none_is_told(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("bad", "bad-1.0.tar.gz", b"no archive")

    with pytest.raises(ModelError, match="cannot be unpacked"):
        fetch_members(
            Sdist("bad", "1.0", sha256_of(b"no archive")), [clip(tmp_path / "a")], registry=shelf.registry()
        )


def npm_package(files: dict[str, bytes]) -> bytes:
    return sdist("package", files)


def test_a_file_of_a_package_of_npms_comes_out_of_the_place_where_its_registries_have_it(
    shelf: Shelf, tmp_path: Path
) -> None:
    archive = npm_package({"models/net.bin": b"numbers"})
    shelf.files["/npm/@some/thing/-/thing-1.2.3.tgz"] = archive
    package = NpmPackage("@some/thing", "1.2.3", sha256_of(archive))
    member = Member("models/net.bin", sha256_of(b"numbers"), tmp_path / "net.bin")

    fetch_members(package, [member], registry=shelf.registry())

    assert (tmp_path / "net.bin").read_bytes() == b"numbers"
    assert [p.name for p in tmp_path.iterdir()] == ["net.bin"]


def test_another_package_than_the_pinned_one_is_not_opened(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/npm/thing/-/thing-1.0.tgz"] = npm_package({"net.bin": b"numbers"})
    package = NpmPackage("thing", "1.0", "1" * 64)

    with pytest.raises(ModelError, match="its SHA-256 is"):
        fetch_members(package, [Member("net.bin", "2" * 64, tmp_path / "a")], registry=shelf.registry())
    assert list(tmp_path.iterdir()) == []
