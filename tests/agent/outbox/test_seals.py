"""agent.outbox.seals"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.outbox import database
from agent.outbox.seals import SEAL_EVERY, Reinserted, compose, number_after
from agent.wire import codec
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import ChainPayload
from tests.conftest import SteppedClock

STREAM = "019a0000-0000-7000-8000-000000000000"
HASH = b"\x01" * 32


@pytest.fixture
def db(clock: SteppedClock) -> Iterator[sqlite3.Connection]:
    with closing(database.in_memory(clock.now(), 0, None)) as db:
        yield db


def unsealed(db: sqlite3.Connection, number: int) -> None:
    db.executemany("insert into unsealed values (?, ?)", [(seq, HASH) for seq in range(1, number + 1)])


def read(body: bytes, clock: SteppedClock) -> ChainPayload:
    """As a station does."""
    at = clock.now()
    stored = Stored(1, Message(codec.CHAIN, body, codec.JSON, Priority.COUNT, at), "", at, STREAM)
    return codec.parse(ChainPayload, codec.finish(stored, STREAM, at))


def test_numbers_begin_anew_with_each_stream() -> None:
    assert number_after(STREAM, None) == 1
    assert number_after(STREAM, (STREAM, 7, HASH)) == 8
    assert number_after(STREAM, ("another", 7, HASH)) == 1


def test_a_seal_lists_the_oldest_that_are_ripe_and_takes_them_off(
    db: sqlite3.Connection, clock: SteppedClock
) -> None:
    unsealed(db, SEAL_EVERY + 10)
    body, listed = compose(db, STREAM, ("another", 3, HASH), {2, 5}, clock.now(), None)
    seal = read(body, clock)

    assert listed == SEAL_EVERY
    assert [seq for seq, _ in seal.entries] == [1, 3, 4, *range(6, SEAL_EVERY + 3)]
    assert {sha256 for _, sha256 in seal.entries} == {HASH.hex()}
    assert (seal.of, seal.number, seal.carried) == (STREAM, 1, None)
    assert seal.previous is not None
    assert (seal.previous.stream, seal.previous.number, seal.previous.sha256) == ("another", 3, HASH.hex())
    left = [seq for (seq,) in db.execute("select seq from unsealed order by seq")]
    assert left == [2, 5, *range(SEAL_EVERY + 3, SEAL_EVERY + 11)]


def test_a_seal_of_nothing_lists_nothing(db: sqlite3.Connection, clock: SteppedClock) -> None:
    body, listed = compose(db, STREAM, None, (), clock.now(), None)

    assert listed == 0
    assert (read(body, clock).entries, read(body, clock).dropped, read(body, clock).previous) == ((), (), None)


def test_what_was_given_up_is_told_once_as_ranges_and_the_rest_by_the_next(
    db: sqlite3.Connection, clock: SteppedClock
) -> None:
    gone = [seq for seq in range(1, 201) if seq % 5]  # forty ranges of four
    db.executemany("insert into given_up values (?)", [(seq,) for seq in gone])
    first, second, third = (
        read(compose(db, STREAM, None, (), clock.now(), None)[0], clock).dropped for _ in range(3)
    )

    assert first == tuple((at, at + 3) for at in range(1, 150, 5))
    assert second == tuple((at, at + 3) for at in range(151, 200, 5))
    assert third == ()


def test_a_seal_tells_what_came_from_an_earlier_stream(db: sqlite3.Connection, clock: SteppedClock) -> None:
    body, _ = compose(db, STREAM, None, (), clock.now(), Reinserted("earlier", 9, [1, 2, 3, 7], forked=True))
    carried = read(body, clock).carried

    assert carried is not None
    assert (carried.stream, carried.newest, carried.seqs, carried.forked) == (
        "earlier",
        9,
        ((1, 3), (7, 7)),
        True,
    )


def test_the_longest_seal_keeps_within_the_contract(db: sqlite3.Connection, clock: SteppedClock) -> None:
    """4 KiB of JSON, with numbers of a million and all that is told besides."""
    base = 10**6
    db.executemany("insert into unsealed values (?, ?)", [(base + seq, HASH) for seq in range(SEAL_EVERY)])
    db.executemany("insert into given_up values (?)", [(base + 10 + 2 * seq,) for seq in range(40)])
    body, listed = compose(db, STREAM, (STREAM, base, HASH), (), clock.now(), None)

    assert listed == SEAL_EVERY
    assert len(body) <= 4096
