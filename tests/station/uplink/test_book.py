"""station.uplink.book"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from station.uplink.book import fault, open_book

TABLES = "create table t (n integer);"


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(open_book(path, TABLES, 3, "damaged")) as book:
        book.execute("insert into t values (7)")
        assert book.execute("pragma synchronous").fetchone() == (2,)

    with closing(open_book(path, TABLES, 3, "damaged")) as book:
        assert book.execute("select n from t").fetchall() == [(7,)]


@pytest.mark.parametrize("spoil", ["bytes", "version", "another program"])
def test_a_file_that_is_damaged_or_not_ours_is_set_aside(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "some.db"
    if spoil == "bytes":
        path.write_bytes(b"no database at all" * 1_000)
    else:
        with closing(sqlite3.connect(path)) as other:
            other.execute("create table other (n integer)")
            other.execute(f"pragma user_version = {3 if spoil == 'bytes' else 9}")

    with closing(open_book(path, TABLES, 3, "damaged")) as book:
        assert book.execute("select count(*) from t").fetchone() == (0,)
    assert path.with_name("some.db.damaged").exists()


def test_what_is_said_of_a_file_names_it_and_the_disk(tmp_path: Path) -> None:
    error = fault(tmp_path / "some.db", sqlite3.OperationalError("disk I/O error"))
    assert "some.db" in error.what and "disk" in error.hint
