"""verifier.layout.zip_file"""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.layout.zip_file import directory_bytes, loose_ranges

FILES = {"manifest.json": b"{}" * 40, "footage-1.mp4": bytes(range(256)) * 50, "empty": b""}
MORE = b"a film that nobody signed"


class Pipe(io.BytesIO):
    """Whoever writes into it can not go back: sizes stand after the files."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation


def loose(data: bytes) -> tuple[tuple[int, int], ...]:
    file = io.BytesIO(data)
    with zipfile.ZipFile(file) as archive:
        return loose_ranges(file, archive)


def zipped(how: int = zipfile.ZIP_DEFLATED, into: io.BytesIO | None = None, wide: bool = False) -> bytes:
    out = into or io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        archive.writestr(zipfile.ZipInfo("folder/"), b"")
        for name, data in FILES.items():
            with archive.open(name, "w", force_zip64=wide) as member:
                member.write(data)
    return out.getvalue()


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("wide", [False, True])
def test_nothing_is_loose_in_what_a_tool_writes(how: int, wide: bool) -> None:
    assert loose(zipped(how, wide=wide)) == ()
    assert loose(zipped(how, Pipe(), wide)) == ()


@pytest.mark.skipif(shutil.which("zip") is None, reason="no zip")
@pytest.mark.parametrize("options", [["-r"], ["-r0"], ["-rfd"], ["-rfz"]])
def test_nothing_is_loose_in_what_info_zip_writes(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "package").mkdir()
    for name, data in FILES.items():
        (tmp_path / "package" / name).write_bytes(data)
    subprocess.run(["zip", "-q", *options, "a.zip", "package"], cwd=tmp_path, check=True)

    assert loose((tmp_path / "a.zip").read_bytes()) == ()


def behind(data: bytes) -> tuple[bytes, tuple[int, int]]:
    return data + MORE, (len(data), len(data) + len(MORE))


def before(data: bytes) -> tuple[bytes, tuple[int, int]]:
    return MORE + data, (0, len(MORE))


def before_the_names(data: bytes) -> tuple[bytes, tuple[int, int]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        at = archive.start_dir
    moved = bytearray(data[:at] + MORE + data[at:])
    moved[-6:-2] = (at + len(MORE)).to_bytes(4, "little")
    return bytes(moved), (at, at + len(MORE))


def as_a_comment(data: bytes) -> tuple[bytes, tuple[int, int]]:
    return data[:-2] + len(MORE).to_bytes(2, "little") + MORE, (len(data), len(data) + len(MORE))


def within_a_stored_file(data: bytes) -> tuple[bytes, tuple[int, int]]:
    """The list says that it takes more room than it has bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member, at = archive.infolist()[-1], archive.start_dir
    assert member.file_size == 0
    moved = bytearray(data[:at] + MORE + data[at:])
    record = moved.rfind(b"PK\x01\x02")
    moved[record + 20 : record + 24] = len(MORE).to_bytes(4, "little")
    moved[-6:-2] = (at + len(MORE)).to_bytes(4, "little")
    return bytes(moved), (at, at + len(MORE))


@pytest.mark.parametrize("put", [before, before_the_names, behind, as_a_comment, within_a_stored_file])
def test_what_stands_beside_the_files_is_told_by_its_range(
    put: Callable[[bytes], tuple[bytes, tuple[int, int]]],
) -> None:
    changed, place = put(zipped(zipfile.ZIP_STORED))

    assert loose(changed) == (place,)


def test_a_file_that_lies_within_another_is_told() -> None:
    data = bytearray(zipped(zipfile.ZIP_STORED))
    record = data.rfind(b"PK\x01\x02")
    data[record + 42 : record + 46] = (0).to_bytes(4, "little")

    assert loose(bytes(data)) != ()


def test_an_end_that_hides_another_one_is_found_as_zipfile_finds_it() -> None:
    """The mark of an end stands within the end: whoever looks for the last mark alone reads another list."""
    data = bytearray(zipped())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        names = archive.namelist()
    data[-18:-14] = b"PK\x05\x06"  # numbers of disks, which nobody reads
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        assert archive.namelist() == names

    assert loose(bytes(data)) == ()
    assert directory_bytes(io.BytesIO(bytes(data))) > 0


def test_a_list_that_puts_a_file_before_the_beginning_is_told() -> None:
    data = bytearray(zipped())
    data[-6:-2] = (int.from_bytes(data[-6:-2], "little") + 50).to_bytes(4, "little")
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        assert archive.infolist()[0].header_offset < 0

    assert loose(bytes(data)) != ()
    assert all(0 <= first <= end for first, end in loose(bytes(data)))


@given(st.data())
def test_a_damaged_zip_file_is_refused_or_its_ranges_are_told(data: st.DataObject) -> None:
    found = bytearray(zipped(zipfile.ZIP_STORED))
    for _ in range(data.draw(st.integers(1, 4))):
        found[data.draw(st.integers(0, len(found) - 1))] = data.draw(st.integers(0, 255))
    try:
        archive = zipfile.ZipFile(io.BytesIO(bytes(found)))
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return
    ranges = loose_ranges(io.BytesIO(bytes(found)), archive)

    assert all(0 <= first <= end for first, end in ranges)
    assert directory_bytes(io.BytesIO(bytes(found))) >= 0
