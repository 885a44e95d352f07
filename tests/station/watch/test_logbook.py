"""station.watch.logbook"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NgatuError
from station.watch.logbook import Logbook
from tests.station.ingest.test_receipts import BOX, hello, messages


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Logbook]:
    logbook = Logbook(path)
    yield logbook
    logbook.close()


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()


def test_a_commit_is_on_disk_when_it_returns(book: Logbook, path: Path) -> None:
    """Invariant 1."""
    book.commit(messages(1, 1, picture=True))

    assert rows(path, "select id, revision, kind from event") == [("e-1", 1, "line_crossed")]
    assert rows(path, "select event_id, kind, length(jpeg) > 100 from picture") == [("e-1", "thumbnail", 1)]
    assert rows(path, "pragma integrity_check") == [("ok",)]


def test_the_file_is_synced_with_each_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 1: killing a process proves nothing about a power cut, so the switch itself is checked."""
    connect, opened = sqlite3.connect, list[sqlite3.Connection]()

    def noted(*words: Any, **more: Any) -> sqlite3.Connection:
        opened.append(connect(*words, **more))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    with closing(Logbook(path)):
        (own,) = opened
        assert own.execute("pragma synchronous").fetchone() == (2,)
        assert own.execute("pragma journal_mode").fetchone() == ("wal",)


def test_a_commit_that_fails_keeps_nothing(book: Logbook, path: Path) -> None:
    """Invariant 1."""
    event, other = messages(1, 1)[0], messages(2, 2)[0]

    with pytest.raises(sqlite3.IntegrityError):
        book.commit([event, replace(other, suffix=None)])  # type: ignore[arg-type]

    assert rows(path, "select count(*) from event") == [(0,)]
    assert rows(path, "select count(*) from received") == [(0,)]


def test_what_comes_twice_is_there_once(book: Logbook, path: Path) -> None:
    """Invariant 2: with the same numbers, and with new ones after the box lost its outbox."""
    first = messages(1, 1, picture=True)
    again = [replace(arrival, stream="s-2") for arrival in first]

    assert book.commit(first) == first
    assert book.commit(first) == []
    assert book.commit(again) == []

    assert rows(path, "select count(*) from event") == [(1,)]
    assert rows(path, "select count(*) from picture") == [(1,)]
    assert book.committed(*BOX, "s-2") == [(1, 2)]


def test_the_ranges_of_a_stream_are_told_with_their_holes(book: Logbook) -> None:
    for seq in (1, 2, 3, 7, 9, 10):
        book.commit(messages(seq, seq))

    assert book.committed(*BOX, "s-1") == [(1, 3), (7, 7), (9, 10)]
    assert book.committed(*BOX, "s-2") == []
    assert book.committed("hai-an", "north-01", "s-1") == []


def test_it_opens_again_with_what_it_had(path: Path) -> None:
    for _ in range(2):
        book = Logbook(path)
        book.commit(messages(1, 1))
        assert book.committed(*BOX, "s-1") == [(1, 1)]
        book.close()


def test_what_cannot_be_read_is_kept_as_it_came(book: Logbook, path: Path) -> None:
    (event,) = messages(1, 1)
    book.commit([replace(event, event=None, payload=None, raw=b"\x00?", problem="not JSON"), hello(1, 1)])

    assert rows(path, "select raw, problem from received") == [(b"\x00?", "not JSON")]


def test_a_file_of_another_kind_is_refused_in_words(path: Path) -> None:
    path.write_bytes(b"this is no database, and it is long enough to be read as one" * 20)

    with pytest.raises(NgatuError, match=r"book\.sqlite"):
        Logbook(path)
