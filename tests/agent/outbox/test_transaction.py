"""agent.outbox.transaction"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.outbox import database
from agent.outbox.recovery.pages import PAGE
from agent.outbox.seals import SEAL_EVERY, Reinserted
from agent.outbox.store import OutboxStore
from agent.outbox.transaction import EVICTION, WriteBatch, cost_bytes, sums
from agent.wire import codec
from agent.wire.message import Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import end, message, start, update


@pytest.fixture
def store(clock: SteppedClock) -> Iterator[OutboxStore]:
    with closing(database.in_memory(clock.now(), 0, None)) as db:
        yield OutboxStore(db, clock.now())


@pytest.fixture
def batch(store: OutboxStore, clock: SteppedClock) -> WriteBatch:
    return store.batch(clock.now())


def seqs(db: sqlite3.Connection, table: str = "message") -> list[int]:
    return [seq for (seq,) in db.execute(f"select seq from {table} order by seq")]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20_000))
def test_a_message_costs_what_it_takes_of_the_file(body_bytes: int) -> None:
    """Over a hundred of them, with their line in the index: a seventh more at most, little less if large."""
    clock, number = SteppedClock(), 100
    with closing(database.in_memory(clock.now(), 0, None)) as db:
        db.execute("drop table unsealed")
        db.execute("create table unsealed (seq, sha256)")
        before = db.execute("pragma page_count").fetchone()[0]
        batch = OutboxStore(db, clock.now()).batch(clock.now())
        for n in range(number):
            batch.reinsert(message(f"e{n}", body=bytes(body_bytes)))
        db.execute("drop table unsealed")
        free = db.execute("pragma freelist_count").fetchone()[0]
        grown = (db.execute("pragma page_count").fetchone()[0] - before - free) * PAGE

    assert grown <= 1.15 * number * cost_bytes(body_bytes)
    assert body_bytes < 5000 or grown >= 0.8 * number * cost_bytes(body_bytes)


def test_a_batch_counts_what_the_file_then_says(batch: WriteBatch) -> None:
    for n in range(3):
        batch.add(start(f"e{n}"))
        batch.add(update(f"e{n}", 2))
    batch.add(update("e0", 3))
    batch.add(end("e1", 3))
    batch.finish(1 << 30)
    _, _, counters = sums(batch.db)

    assert batch.counters == counters
    assert counters.replaced == 2
    assert batch.ended == {"e1"}


@pytest.mark.parametrize(
    ("later", "takes_over"),
    [
        (update("e", 3), True),
        (end("e", 3), True),
        (update("e", 2), False),
        (update("other", 3), False),
        (message("e", 3), False),
        (message("e", 3, priority=Priority.IMAGE), False),
    ],
)
def test_invariant_4_only_a_newer_update_or_the_end_takes_over_a_row(
    batch: WriteBatch, later: object, takes_over: bool
) -> None:
    batch.add(update("e", 2))
    assert batch.add(later) == (1 if takes_over else 2)  # type: ignore[arg-type]


def test_an_update_is_sealed_only_when_it_can_no_longer_change(batch: WriteBatch) -> None:
    batch.add(update("e", 2))
    for _ in range(SEAL_EVERY - 1):
        batch.add(message(None))
    assert batch.unripe == 1
    batch.finish(1 << 30)
    assert batch.counters.seal is None
    batch.add(end("e", 3))
    batch.finish(1 << 30)

    assert batch.unripe == 0
    assert batch.counters.seal is not None
    assert batch.counters.unsealed == 1, "the seal itself"


def test_invariant_7_the_oldest_of_a_class_goes_first_and_of_a_class_what_is_in_quarantine(
    store: OutboxStore, clock: SteppedClock
) -> None:
    batch = store.batch(clock.now())
    for priority in (Priority.EVENT, Priority.COUNT, Priority.IMAGE):
        for n in range(3):
            batch.add(message(f"{priority}-{n}", priority=priority, body=bytes(10_000)))
    store.written(batch)
    store.set_apart(8, "why")
    gone: list[int] = []
    while seqs(store.db) + seqs(store.db, "quarantine"):
        before = {*seqs(store.db), *seqs(store.db, "quarantine")}
        batch = store.batch(clock.now())
        batch.finish(store.counters.cost_bytes - 1)
        store.written(batch)
        gone += before - {*seqs(store.db), *seqs(store.db, "quarantine")}

    assert gone == [8, 7, 9, 4, 5, 6, 1, 2, 3]
    assert (store.counters.pending, store.counters.quarantined, store.counters.cost_bytes) == (0, 0, 0)
    assert store.counters.dropped == {Priority.EVENT: 3, Priority.COUNT: 3, Priority.IMAGE: 3}
    assert seqs(store.db, "given_up") == sorted(gone), "the next seal tells them"


def test_an_update_that_was_evicted_is_not_taken_over(store: OutboxStore, clock: SteppedClock) -> None:
    store.put([[update("e", 2)]], clock.now(), 1 << 30, None)
    store.put([[message("other", body=bytes(2000))]], clock.now(), cost_bytes(2000), None)
    assert seqs(store.db) == [2]

    assert store.put([[update("e", 3)]], clock.now(), 1 << 30, None) == [[3]]


def test_every_class_makes_room_once_and_events_are_the_last() -> None:
    assert sorted(EVICTION) == sorted(Priority)
    assert EVICTION[-1] is Priority.EVENT


def test_a_seal_names_the_one_before_and_is_itself_a_message(batch: WriteBatch) -> None:
    batch.add(message("e"))
    batch.seal()
    first = batch.counters.seal
    batch.seal(Reinserted("old-stream", 7, [1, 2, 5]))
    topic, body = batch.db.execute("select topic, body from message where seq = 3").fetchone()

    assert topic == codec.CHAIN
    assert first is not None
    assert first[2].hex().encode() in body
    assert b'"carried":{"stream":"old-stream","newest":7,"seqs":[[1,2],[5,5]],"forked":false}' in body
    assert batch.counters.seal is not None
    assert batch.counters.seal[:2] == (batch.stream, 2)
