"""station.store.wal.frames"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from station.store.wal.frames import LogFill, log_fill, log_of


def opened(path: Path) -> sqlite3.Connection:
    """A database that folds nothing in by itself."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma wal_autocheckpoint = 0")
    return connection


def log_of_sqlite(connection: sqlite3.Connection, mode: str = "passive") -> int:
    """How many frames SQLite itself counts."""
    return int(connection.execute(f"pragma wal_checkpoint({mode})").fetchone()[1])


@pytest.mark.parametrize("page_bytes", [512, 4096, 65536])
def test_it_counts_what_sqlite_counts(tmp_path: Path, page_bytes: int) -> None:
    path = tmp_path / "it.db"
    with closing(sqlite3.connect(path)) as first:
        first.execute(f"pragma page_size = {page_bytes}")
        first.execute("create table it (filler blob)")
        first.commit()
    with closing(opened(path)) as connection:
        for _ in range(7):
            connection.execute("insert into it values (zeroblob(5000))")
            found = log_fill(log_of(path)).frames

            assert found == log_of_sqlite(connection) > 0


def test_a_log_that_is_written_anew_has_another_salt_and_counts_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "it.db"
    with closing(opened(path)) as connection:
        connection.execute("create table it (filler blob)")
        connection.execute("insert into it values (zeroblob(200000))")
        before = log_fill(log_of(path))
        assert log_of_sqlite(connection, "restart") == before.frames > 40

        assert log_fill(log_of(path)) == before, "nobody wrote into it yet"
        connection.execute("insert into it values (1)")
        after = log_fill(log_of(path))

    assert after.salt != before.salt
    assert 0 < after.frames < 10
    assert log_of(path).name == "it.db-wal"


def test_a_log_that_is_not_there_or_empty_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "it.db"
    assert log_fill(log_of(path)) == LogFill()
    with closing(opened(path)) as connection:
        connection.execute("create table it (filler blob)")
        log_of_sqlite(connection, "truncate")

        assert log_of(path).stat().st_size == 0
        assert log_fill(log_of(path)) == LogFill()


def test_a_head_without_frames_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "it.db"
    with closing(opened(path)) as connection:
        connection.execute("create table it (filler blob)")
        data = log_of(path).read_bytes()
    cut = tmp_path / "cut.db-wal"
    for length in (0, 31, 32, 32 + 23):
        cut.write_bytes(data[:length])

        assert log_fill(cut).frames == 0
