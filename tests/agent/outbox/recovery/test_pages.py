"""agent.outbox.recovery.pages"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.outbox.database import log_of
from agent.outbox.recovery.pages import LEAST_LOCAL, MOST_LOCAL, PAGE, Pages, local_bytes, read_log

FRAME = PAGE + 24


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A table whose last five commits are in the log alone, as a crash leaves it."""
    path, image = tmp_path / "made.db", tmp_path / "killed.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"pragma page_size = {PAGE}")
        db.execute("pragma journal_mode = wal")
        db.execute("create table t (a integer, b text)")
        db.execute("pragma wal_checkpoint(truncate)")
        for n in range(5):
            db.execute("insert into t values (?, ?)", (n, "x" * 600))
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{image}{end}")
    return image


def rows(path: Path) -> list[tuple[object, ...]]:
    pages = Pages(path, log_of(path))
    found = [row.values for number in range(2, pages.count + 1) for row in pages.rows(number)]
    pages.close()
    return sorted(found, key=repr)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def test_the_rows_of_a_page_are_those_that_sqlite_reads(tmp_path: Path) -> None:
    path = tmp_path / "any.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"pragma page_size = {PAGE}")
        db.execute("create table t (a, b real, c text, d blob, e integer)")
        rows = [(n, n / 3, "x" * n, os.urandom(n * 37 % 9000), -(1 << (n % 63))) for n in range(300)] + [
            (None, 1.0, "", b"", 0)
        ]
        db.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
        db.commit()
    pages = Pages(path, log_of(path))
    found = {
        row.rowid: row.values
        for n in range(2, pages.count + 1)
        for row in pages.rows(n)
        if len(row.values) == 5
    }
    pages.close()
    assert [found[n + 1] for n in range(len(rows))] == rows


def test_what_is_in_the_log_alone_counts_until_it_is_forgotten(killed: Path) -> None:
    assert [values[0] for values in rows(killed)] == [0, 1, 2, 3, 4]
    pages = Pages(killed, log_of(killed))
    assert pages.has_log
    pages.forget_log()
    assert not pages.has_log
    assert [row.values for row in pages.rows(2)] == []
    pages.close()


def test_a_log_without_damage_is_whole_and_one_that_is_not_there_holds_nothing(
    killed: Path, tmp_path: Path
) -> None:
    assert not read_log(log_of(killed)).broken
    assert read_log(log_of(killed)).frames
    assert read_log(tmp_path / "none") == read_log(Path(os.devnull))
    assert not read_log(tmp_path / "none").frames


def test_a_damaged_last_commit_is_what_a_power_cut_leaves(killed: Path) -> None:
    log = log_of(killed)
    flip(log, log.stat().st_size - 100)

    assert not read_log(log).broken
    assert [values[0] for values in rows(killed)] == [0, 1, 2, 3]


def test_a_damaged_frame_in_the_middle_is_noticed_and_costs_no_other(killed: Path) -> None:
    """SQLite would leave out all that follows."""
    log = log_of(killed)
    flip(log, 32 + FRAME + 24 + PAGE - 10)

    assert read_log(log).broken
    assert {3, 4} <= {values[0] for values in rows(killed)}


def test_a_damaged_head_of_the_log_hides_no_frame(killed: Path) -> None:
    log = log_of(killed)
    whole = read_log(log).frames
    flip(log, 9)

    assert read_log(log).broken
    assert set(read_log(log).frames) == set(whole)


def test_a_row_keeps_so_much_in_its_leaf_as_sqlite_says() -> None:
    assert local_bytes(MOST_LOCAL) == MOST_LOCAL
    assert local_bytes(MOST_LOCAL + 1) == LEAST_LOCAL
    assert local_bytes(LEAST_LOCAL + PAGE) == LEAST_LOCAL + 4
    for length in range(MOST_LOCAL, 5 * PAGE):
        assert LEAST_LOCAL <= local_bytes(length) <= MOST_LOCAL
        assert (length - local_bytes(length)) % (PAGE - 4) == 0 or local_bytes(length) == LEAST_LOCAL


def test_pages_that_are_not_there_are_empty(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "none", tmp_path / "none-wal")
    assert (pages.count, pages.read(1), list(pages.rows(1)), pages.unreadable) == (0, b"", [], 0)
    pages.close()


def test_a_pipe_in_the_place_of_a_log_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")

    assert not read_log(tmp_path / "log").frames
