"""tests.acceptance.faults.progress: waits while something comes, and gives up where nothing does"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.faults.progress import least_left, until_none_is_missing
from tests.acceptance.faults.suite import Broken

QUIET_S = 0.5
ROWS = 8


def missing_in(file: Path) -> Callable[[], int]:
    """How many of the rows a real store lacks."""

    def missing() -> int:
        with closing(sqlite3.connect(file)) as database:
            return ROWS - int(database.execute("select count(*) from message").fetchone()[0])

    return missing


def filled(file: Path, rows: int, every_s: float) -> threading.Thread:
    """A store that gets its rows one after the other."""

    def fill() -> None:
        with closing(sqlite3.connect(file)) as database:
            for _ in range(rows):
                stop.wait(every_s)
                database.execute("insert into message default values")
                database.commit()

    with closing(sqlite3.connect(file)) as database:
        database.execute("create table message (seq integer primary key)")
    stop = threading.Event()
    thread = threading.Thread(target=fill)
    thread.start()
    return thread


def test_what_comes_slowly_is_waited_for_longer_than_the_patience(tmp_path: Path) -> None:
    began = time.monotonic()
    filling = filled(tmp_path / "store.db", ROWS, every_s=0.2)

    until_none_is_missing(missing_in(tmp_path / "store.db"), "the rows", QUIET_S)

    assert time.monotonic() - began > 2 * QUIET_S
    filling.join()


def test_what_stops_coming_is_given_up_and_told(tmp_path: Path) -> None:
    filled(tmp_path / "store.db", ROWS - 3, every_s=0.01).join()
    missing = missing_in(tmp_path / "store.db")

    with pytest.raises(Broken, match="the rows: 3 are missing"):
        until_none_is_missing(missing, "the rows", QUIET_S)
    assert least_left(missing, QUIET_S) == 3


def test_a_number_that_only_trembles_is_no_progress() -> None:
    turns = [0]

    def missing() -> int:
        turns[0] += 1
        return 3 + turns[0] % 2

    assert least_left(missing, QUIET_S) in (3, 4)


def test_without_patience_one_reading_is_all() -> None:
    readings: list[int] = []
    least_left(lambda: readings.append(1) or 5, quiet_s=0)  # type: ignore[func-returns-value]
    assert len(readings) == 1
