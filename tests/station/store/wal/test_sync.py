"""station.store.wal.sync"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from station.store.wal import sync
from station.store.wal.sync import sync_open

WRITES = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
try:
    connection.execute("insert into it values (1)")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("written")
"""


def filled(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    connection.execute("create table it (number)")
    connection.commit()
    return connection


def test_a_file_that_is_open_comes_to_the_disk_a_piece_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "PIECE_BYTES", 4096)
    synced, pieces = list[int](), list[bool]()
    to_disk = os.fdatasync

    def noted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        to_disk(descriptor)

    monkeypatch.setattr(os, "fdatasync", noted)
    file = tmp_path / "a.db"
    with closing(filled(file)):
        assert sync_open(file, lambda: bool(pieces.append(False)))

    assert synced == [file.stat().st_ino]
    assert len(pieces) == file.stat().st_size // 4096 > 1


def test_it_ends_before_the_next_piece_where_nobody_waits_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.db"
    with closing(filled(file)):
        monkeypatch.delattr(os, "fdatasync")
        assert not sync_open(file, lambda: True)


def test_the_locks_of_this_process_stay(tmp_path: Path) -> None:
    """They would be gone for good had the file been opened and closed: another program wrote in between."""
    file = tmp_path / "a.db"
    with closing(filled(file)) as connection:
        connection.execute("begin exclusive")
        assert sync_open(file)
        words = [sys.executable, "-c", WRITES, str(file)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout

        assert said.strip() == "database is locked"


def test_what_nobody_here_has_open_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    filled(file).close()

    assert not sync_open(file)
    assert not sync_open(tmp_path / "elsewhere.db")


def test_what_the_disk_does_not_take_is_told() -> None:
    """A pipe stands for the disk: it takes neither a range nor a sync."""
    reader, writer = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            sync_open(Path(f"/proc/self/fd/{writer}"))
    finally:
        os.close(reader)
        os.close(writer)
