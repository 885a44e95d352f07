"""verifier.source"""

from __future__ import annotations

import os
import resource
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.errors import UsageError
from verifier.source import BLOCK_BYTES, Unreadable, opened, read

SEVEN = b"1234567"


def zipped(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_a_folder_and_a_zip_file_give_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_bytes(SEVEN)
    for package in (
        folder,
        zipped(tmp_path / "a.zip", {"a": SEVEN}),
        zipped(tmp_path / "b.zip", {"top/a": SEVEN}),
    ):
        with opened(package) as source:
            assert (source.listing.sizes, source.listing.others) == ({"a": 7}, {})
            assert read(source, "a", 100) == SEVEN
            assert read(source, "a", 3) == b"1234"  # one more: it is too long


def test_what_is_no_file_is_told_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    with opened(tmp_path) as source:
        assert source.listing.others == {"folder": "a folder", "link": "a link", "pipe": "a pipe"}
        assert source.listing.sizes == {}
        with pytest.raises(Unreadable):
            read(source, "link", 10)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("../out", "a file in another folder"),
        ("/etc/passwd", "a file in another folder"),
        ("a\\b", "a file in another folder"),
    ],
)
def test_a_name_that_leads_elsewhere_is_told(tmp_path: Path, name: str, what: str) -> None:
    with opened(zipped(tmp_path / "a.zip", {name: b"", "b": b""})) as source:
        assert list(source.listing.others.values()) == [what]
        assert list(source.listing.sizes) == ["b"]


def test_links_passwords_and_odd_compressions_in_a_zip_file_are_told(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
        file.writestr("lzma", b"x" * 100, zipfile.ZIP_LZMA)
        file.writestr("secret", b"x" * 100)
        file.filelist[-1].flag_bits |= 1
    with opened(tmp_path / "a.zip") as source:
        assert source.listing.others == {
            "link": "a link",
            "lzma": "a file compressed in a way that is not read",
            "secret": "a file with a password",
        }


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_neither(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a", b"1")
        file.writestr("a", b"2")
    with opened(tmp_path / "a.zip") as source:
        assert (source.listing.sizes, source.listing.others) == ({}, {"a": "two files of one name"})


def test_a_damaged_member_is_told_by_its_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a": os.urandom(1000)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with opened(path) as source, pytest.raises(Unreadable, match="a: cannot be read"):
        read(source, "a", 5000)


@pytest.mark.parametrize("data", [b"", b"nothing", b"PK\x05\x06", b"PK\x03\x04" + b"\x00" * 100])
def test_what_is_no_zip_file_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(Unreadable, match="neither a folder nor a ZIP file"), opened(tmp_path / "a.zip"):
        pass


def test_what_is_not_there_is_a_slip_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"), opened(tmp_path / "away"):
        pass


def test_a_device_is_no_package() -> None:
    with pytest.raises(Unreadable, match="neither a folder nor a ZIP file"), opened(Path("/dev/zero")):
        pass


@pytest.mark.parametrize("wide", [False, True])
def test_a_list_of_names_that_would_fill_the_memory_is_refused(tmp_path: Path, wide: bool) -> None:
    path = zipped(tmp_path / "a.zip", {"a": b""})
    data = bytearray(path.read_bytes())
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = b"\xff\xff\xff\xff" if wide else b"\x00\x00\x00\x70"
    path.write_bytes(data + b"\0" * 0)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
    os.truncate(path, len(data))
    if wide:  # no record of the long form: then all of the file could be names
        path.write_bytes(bytes(40 << 20) + bytes(data))
    with pytest.raises(Unreadable, match="too many names"), opened(path):
        pass


@pytest.mark.long
def test_a_bomb_takes_no_more_memory_than_a_block(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file,
        file.open("bomb", "w") as member,
    ):
        for _ in range(300):
            member.write(bytes(1 << 20))
    code = (
        "import sys; from pathlib import Path; from verifier.source import opened, read\n"
        "with opened(Path(sys.argv[1])) as source: print(len(read(source, 'bomb', 1000)))"
    )
    limit = 400 << 20
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.zip")], capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip

    assert (tmp_path / "a.zip").stat().st_size < BLOCK_BYTES
    assert done.stdout == "1001\n"


def test_a_file_that_begins_behind_all_files_of_the_world_is_told(tmp_path: Path) -> None:
    """The list of the long form has 64 bits for a place; no file has a place beyond 63."""
    path = zipped(tmp_path / "a.zip", {"a": SEVEN}, zipfile.ZIP_STORED)
    data = path.read_bytes()
    record = data.rfind(b"PK\x01\x02")
    end = data.rfind(b"PK\x05\x06")
    wide = struct.pack("<HHQ", 1, 8, (1 << 64) - 1)
    listed = bytearray(data[record:end])
    listed[42:46] = b"\xff" * 4
    listed[30:32] = len(wide).to_bytes(2, "little")
    last = bytearray(data[end:])
    last[12:16] = (len(listed) + len(wide)).to_bytes(4, "little")
    path.write_bytes(data[:record] + listed + wide + last)
    with opened(path) as source:
        assert source.listing.loose != ()
        with pytest.raises(Unreadable, match="a: cannot be read"):
            read(source, "a", 10)
