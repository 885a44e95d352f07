"""agent.outbox.queries"""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from agent.core.types import Instant
from agent.outbox import database, queries
from agent.outbox.store import OutboxStore
from agent.wire.message import Message, Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import end, message, start, update

MESSAGE = message("e", 3, opens=True)
SHA256 = hashlib.sha256(MESSAGE.body).digest()


@pytest.fixture
def store(clock: SteppedClock) -> Iterator[OutboxStore]:
    with closing(database.in_memory(clock.now(), 0, None)) as db:
        yield OutboxStore(db, clock.now())


def put(store: OutboxStore, clock: SteppedClock, *messages: Message) -> None:
    store.put([messages], clock.now(), 1 << 30, None)


@pytest.mark.parametrize(
    "other",
    [
        replace(MESSAGE, topic="camera/south/event"),
        replace(MESSAGE, content_type="image/jpeg"),
        replace(MESSAGE, priority=Priority.UPDATE),
        replace(MESSAGE, at=Instant(999.5, MESSAGE.at.wall_s)),
        replace(MESSAGE, at=Instant(MESSAGE.at.mono_s, 0.0)),
        replace(MESSAGE, event_id="f"),
        replace(MESSAGE, event_id=None),
        replace(MESSAGE, revision=4),
        replace(MESSAGE, opens=False),
        replace(MESSAGE, closes=True),
    ],
)
def test_the_checksum_tells_any_column_that_is_not_what_was_put(other: Message) -> None:
    assert queries.checksum(7, MESSAGE, SHA256) == queries.checksum(7, MESSAGE, SHA256)
    assert queries.checksum(7, other, SHA256) != queries.checksum(7, MESSAGE, SHA256)


def test_the_checksum_covers_the_number_and_the_hash() -> None:
    assert queries.checksum(8, MESSAGE, SHA256) != queries.checksum(7, MESSAGE, SHA256)
    assert queries.checksum(7, MESSAGE, b"\0" * 32) != queries.checksum(7, MESSAGE, SHA256)
    assert queries.checksum(7, MESSAGE, None) == queries.checksum(7, MESSAGE, b"")


@pytest.mark.parametrize("change", ["revision = 9", "topic = 'x'", "body = x'00'", "sha256 = x'00'", "crc = 1"])
def test_a_message_that_is_not_what_was_put_is_damage(
    store: OutboxStore, clock: SteppedClock, change: str
) -> None:
    put(store, clock, MESSAGE)
    store.db.execute(f"update message set {change}")

    with pytest.raises(sqlite3.DatabaseError) as raised:
        queries.read(store.db, 1, store.boot, store.stream)
    assert database.is_damage(raised.value)


def test_a_message_is_read_as_it_was_put_and_of_another_boot_without_its_steady_time(
    store: OutboxStore, clock: SteppedClock
) -> None:
    put(store, clock, MESSAGE)
    stored = queries.read(store.db, 1, store.boot, store.stream)
    elsewhere = queries.read(store.db, 1, store.boot + 1, store.stream)

    assert (stored.seq, stored.message, stored.put_at) == (1, MESSAGE, clock.now())
    assert (stored.sha256, stored.stream) == (SHA256.hex(), store.stream)
    assert elsewhere.put_at == Instant(-math.inf, clock.now().wall_s)
    assert elsewhere.message == replace(MESSAGE, at=Instant(-math.inf, MESSAGE.at.wall_s))


def test_the_order_is_by_class_then_live_then_by_number(store: OutboxStore, clock: SteppedClock) -> None:
    for priority in (Priority.IMAGE, Priority.EVENT, Priority.IMAGE, Priority.EVENT, Priority.EVENT):
        put(store, clock, message(None, priority=priority))
    both = [Priority.IMAGE, Priority.EVENT]

    assert queries.in_order(store.db, 4, 9, (), both) == [4, 5, 2, 1, 3]
    assert queries.in_order(store.db, 4, 2, (), both) == [4, 5]
    assert queries.in_order(store.db, 4, 9, {4, 1}, both) == [5, 2, 3]
    assert queries.in_order(store.db, 1, 9, (), [Priority.IMAGE]) == [1, 3]
    assert queries.in_order(store.db, 1, 0, (), both) == []


def test_what_is_set_apart_waits_no_more_until_it_is_set_free(store: OutboxStore, clock: SteppedClock) -> None:
    put(store, clock, MESSAGE, message(None))
    assert queries.set_apart(store.db, 1, "too large")
    assert not queries.set_apart(store.db, 1, "too large")
    assert not queries.waits(store.db, 1)
    assert store.db.execute("select reason from quarantine").fetchone() == ("too large",)
    assert queries.oldest_seq(store.db) == 1
    assert queries.set_free(store.db, 1)
    assert not queries.set_free(store.db, 1)

    assert queries.waits(store.db, 1)
    assert queries.read(store.db, 1, store.boot, store.stream).message == MESSAGE


def test_what_is_given_up_is_counted_and_told_by_the_next_seal(store: OutboxStore, clock: SteppedClock) -> None:
    put(store, clock, MESSAGE, MESSAGE)
    for seq in (1, 2):
        queries.set_apart(store.db, seq, "too large")
        assert queries.give_up(store.db, seq)
    assert not queries.give_up(store.db, 1)
    queries.count_losses(store.db, Priority.EVENT, 5)
    queries.count_losses(store.db, Priority.IMAGE, 3)

    losses = store.db.execute("select priority, messages, bytes > 0 from loss order by priority").fetchall()
    assert losses == [(0, 7, 1), (4, 3, 0)]
    assert store.db.execute("select seq from given_up").fetchall() == [(1,), (2,)]


def test_a_receipt_removes_what_it_names_wherever_that_lies(store: OutboxStore, clock: SteppedClock) -> None:
    put(store, clock, *(message(None) for _ in range(6)))
    queries.set_apart(store.db, 3, "why")
    gone = queries.forget(store.db, [2, 3, 5, 6, 7, 8, 9])

    assert (gone.sent, gone.quarantined) == (3, 1)
    assert gone.cost_bytes == store.counters.cost_bytes // 6 * 4
    assert queries.oldest_seq(store.db) == 1
    assert store.db.execute("select seq from message order by seq").fetchall() == [(1,), (4,)]


def test_the_age_is_by_the_steady_clock_and_over_a_reboot_by_the_wall(
    store: OutboxStore, clock: SteppedClock
) -> None:
    assert queries.oldest_s(store.db, store.boot, clock.now()) is None
    put(store, clock, MESSAGE)
    now = Instant(clock.now().mono_s + 7, clock.now().wall_s + 90)

    assert queries.oldest_s(store.db, store.boot, now) == 7
    assert queries.oldest_s(store.db, store.boot + 1, now) == 90
    assert queries.oldest_s(store.db, store.boot + 1, Instant(0.0, 0.0)) == 0, "a wall clock may step back"


def test_open_events_of_elsewhere_stand_behind_or_before_what_is_known(
    store: OutboxStore, clock: SteppedClock
) -> None:
    put(store, clock, start("a"), update("b", 2), end("c", 2))
    older, newer = start("a", b"older"), update("a", 9)
    queries.reopen(store.db, [older, start("d")])
    assert [(event.event_id, event.revision) for event in queries.open_events(store.db)] == [
        ("a", 1),
        ("b", 2),
        ("d", 1),
    ]
    assert queries.open_events(store.db)[0] == replace(start("a"), opens=True)
    queries.replace_open(store.db, [newer])

    assert queries.open_events(store.db)[0].revision == 9


def test_what_was_sent_counts_for_its_day(store: OutboxStore) -> None:
    queries.note_spent(store.db, "2026-03-02", {Priority.IMAGE: 500, Priority.EVENT: 20})
    queries.note_spent(store.db, "2026-03-02", {Priority.IMAGE: 700})
    assert queries.spent(store.db, "2026-03-02") == {Priority.IMAGE: 700, Priority.EVENT: 20}
    queries.note_spent(store.db, "2026-03-03", {Priority.IMAGE: 1})

    assert queries.spent(store.db, "2026-03-03") == {Priority.IMAGE: 1}
    assert queries.spent(store.db, "2026-03-02") == {Priority.EVENT: 20}


def test_a_proof_tells_our_message_from_another_under_its_number(
    store: OutboxStore, clock: SteppedClock
) -> None:
    put(store, clock, *(message(None) for _ in range(4)))
    queries.set_apart(store.db, 3, "why")
    digest = SHA256.hex()

    assert queries.proven(store.db, [(1, digest[:16]), (2, "f" * 16), (3, digest), (9, digest)]) == (
        [1, 3],
        [2],
    )


def test_a_right_and_a_wrong_proof_of_one_message_prove_nothing(
    store: OutboxStore, clock: SteppedClock
) -> None:
    put(store, clock, *(message(None) for _ in range(3)))
    right, wrong = SHA256.hex()[:16], "f" * 16

    for both in ([(1, right), (1, wrong)], [(1, wrong), (1, right)]):
        assert queries.proven(store.db, [*both, (2, right), (2, right), (3, wrong)]) == ([2], [3])
