"""station.store.pictures.holes"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.store.pictures import holes
from station.store.pictures.holes import blank, punch

SIZE = 5 * 2**20


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(b"x" * SIZE)
    opened = os.open(path, os.O_RDWR)
    yield opened
    os.close(opened)


def test_a_hole_reads_as_zeros_and_gives_its_room_back(descriptor: int) -> None:
    before = os.fstat(descriptor).st_blocks
    given_back = punch(descriptor, 5000, 4 * 2**20)

    assert os.pread(descriptor, SIZE, 0) == b"x" * 5000 + bytes(4 * 2**20) + b"x" * (SIZE - 5000 - 4 * 2**20)
    os.fsync(descriptor)
    assert (os.fstat(descriptor).st_blocks < before) == given_back


def test_where_the_file_system_makes_no_holes_zeros_are_written(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holes, "PUNCH_HOLE", 0x4000)  # no file system knows this one

    assert not punch(descriptor, 10, 3 * 2**20)
    assert os.pread(descriptor, SIZE, 0) == b"x" * 10 + bytes(3 * 2**20) + b"x" * (SIZE - 10 - 3 * 2**20)


def test_a_file_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Bad file descriptor"):
            punch(descriptor, 0, 10)
        with pytest.raises(OSError, match="Bad file descriptor"):
            blank(descriptor, 0, 10)
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"x" * 100
