"""tests.acceptance.faults.stage: what it reads of a box and of a station"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.faults.stage import read_beside, waiting_in
from tests.acceptance.faults.yardstick import rows_per_s

COUNT = "select count(*) from message"


def test_before_there_is_a_store_it_holds_nothing(tmp_path: Path) -> None:
    assert read_beside(tmp_path / "none.db", COUNT, COUNT) == [[], []]
    sqlite3.connect(tmp_path / "young.db").close()
    assert waiting_in(tmp_path / "young.db") == set()


def test_a_store_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        read_beside(tmp_path / "store.db", COUNT)
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("create table message (seq integer primary key)")
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        read_beside(tmp_path / "other.db", "select stream from message")


def test_the_yardstick_leaves_nothing_behind(tmp_path: Path) -> None:
    assert rows_per_s(tmp_path, for_s=0.05) > 0
    assert not list(tmp_path.iterdir())
