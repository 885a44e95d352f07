"""station.uplink.handed"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from station.store.database import StoreError
from station.uplink.handed import HandedBook, HandedNumbers, LineHour

STREAM = ("hn-01", "s-1")
HOUR = LineHour("hn-01", "north", "the-line", 3_600_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "handed.db"


@pytest.fixture
def book(path: Path) -> Iterator[HandedBook]:
    with closing(HandedBook(path)) as opened:
        yield opened


def noted(path: Path) -> list[tuple[int, int]]:
    """What another life finds."""
    with closing(HandedBook(path)) as opened:
        return list(opened.handed(STREAM))


def test_what_was_noted_is_there_in_the_next_life_as_few_ranges(book: HandedBook, path: Path) -> None:
    for ranges in ([(9, 12)], [(1, 3), (20, 20)], [(4, 8)]):
        book.note(HandedNumbers({STREAM: ranges}))

    assert noted(path) == list(book.handed(STREAM)) == [(1, 12), (20, 20)]
    assert list(book.handed(("hn-02", "s-1"))) == []


def test_an_hour_is_due_until_it_was_handed_over_and_again_when_another_interval_comes(
    book: HandedBook,
) -> None:
    later = LineHour("hn-01", "north", "the-line", 7_200_000)
    book.note(HandedNumbers(touched=[HOUR, later, HOUR]))

    assert book.due_hours(7_200_001, 10) == [later, HOUR]
    assert book.due_hours(7_200_000, 10) == [HOUR]
    book.note(HandedNumbers(told_hours=[HOUR]))
    assert book.due_hours(7_200_001, 10) == [later]
    book.note(HandedNumbers(touched=[HOUR]))
    assert book.due_hours(7_200_001, 1) == [later]


def test_what_cannot_be_written_is_not_remembered_either(book: HandedBook, path: Path) -> None:
    book.note(HandedNumbers({STREAM: [(1, 5)]}))
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("drop table due_hour")

    with pytest.raises(StoreError):
        book.note(HandedNumbers({STREAM: [(6, 9)]}, touched=[HOUR]))

    assert list(book.handed(STREAM)) == [(1, 5)] == noted(path)


@pytest.mark.parametrize("spoil", ["bytes", "version"])
def test_a_file_that_is_damaged_or_anothers_is_set_aside_and_all_is_due_again(
    book: HandedBook, path: Path, spoil: str
) -> None:
    book.note(HandedNumbers({STREAM: [(1, 5)]}))
    book.close()
    if spoil == "bytes":
        path.write_bytes(b"no database at all" * 1_000)
    else:
        with closing(sqlite3.connect(path)) as other:
            other.execute("pragma user_version = 77")

    assert noted(path) == []
    assert path.with_name("handed.db.damaged").exists()


def test_what_was_handed_to_another_life_of_the_outbox_is_due_again(book: HandedBook, path: Path) -> None:
    book.begin("u-1")
    book.note(HandedNumbers({STREAM: [(1, 5)]}))

    book.begin("u-2")

    assert list(book.handed(STREAM)) == [] == noted(path)
    with closing(HandedBook(path)) as opened:
        assert opened.outbox == "u-2"
