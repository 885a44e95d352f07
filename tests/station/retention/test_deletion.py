"""station.retention.deletion"""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from sqlalchemy import text

from station.retention.deletion import DeletionRecord, sweep_feed, take_out
from station.retention.due import SOURCES, DueSource
from station.retention.settings import KeptClass
from tests.support.aged_store import DAY_S, MINH, AgedStore
from tests.support.kept_events import event_now

EVENTS = next(each for each in SOURCES if each.kept is KeptClass.EVENTS)


def record(aged: AgedStore, source: DueSource = EVENTS, days: int = 30) -> DeletionRecord:
    now_ms = round(aged.now_s * 1000)
    return DeletionRecord(source.kept, days, now_ms - days * 86_400_000, now_ms)


def test_what_is_no_more_due_when_its_turn_comes_stays(aged: AgedStore) -> None:
    """Between the look and the deletion somebody held it, or a message made it young."""
    for number in (1, 2, 3):
        aged.event(number, 40, phase="start", end_reason=None)
    keys = [aged.key(number) for number in (1, 2, 3)]
    aged.holds.hold(keys[0], MINH, "1/2026", "just now")
    aged.event(2, 1, revision=2)

    with aged.engine.begin() as connection:
        taken = take_out(connection, EVENTS, keys, record(aged))

    assert (taken.items, aged.events()) == (1, {"e-1", "e-2"})


def test_a_transaction_that_fails_leaves_rows_and_record_as_they_were(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"p")
    with pytest.raises(ZeroDivisionError), aged.engine.begin() as connection:
        take_out(connection, EVENTS, [aged.key(1)], record(aged))
        raise ZeroDivisionError

    assert aged.events() == {"e-1"}
    for table in ("deletion", "blob_removal"):
        assert aged.place.rows(f"select * from {table}") == []
    assert aged.proven() == ([], 0)


def test_it_says_how_much_went(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"p" * 500)
    ((body,),) = aged.place.rows("select length(body) from event_revision")
    ((size,),) = aged.place.rows("select size_bytes from blob")
    with aged.engine.begin() as connection:
        taken = take_out(connection, EVENTS, [aged.key(1)], record(aged))

    assert (taken.items, taken.messages, taken.size_bytes) == (1, 2, body + size)


def test_the_feed_is_swept_in_parts_and_keeps_what_is_here(aged: AgedStore) -> None:
    for number in (1, 2, 3):
        aged.event(number, 40)
    with aged.engine.begin() as connection:
        take_out(connection, EVENTS, [aged.key(2)], record(aged))
        at: int | None = 0
        while at is not None:
            at = sweep_feed(connection, at)

    assert [row[0] for row in aged.place.rows("select event_id from event_feed order by id")] == ["e-1", "e-3"]


@pytest.mark.long
def test_the_intake_goes_on_while_much_is_deleted(aged: AgedStore) -> None:
    """Each batch that comes meanwhile is kept, and none is refused for want of a turn."""
    for number in range(1, 6):
        first = number * 300
        aged.keep(40, *(event_now(first + n, ago_s=40 * DAY_S, severity="info") for n in range(300)))
    done = threading.Event()

    def delete() -> None:
        try:
            aged.run(pause=lambda seconds: done.wait(seconds) and False, events=30)
        finally:
            done.set()

    other = threading.Thread(target=delete)
    kept = 0
    with closing(aged.place.open()) as store:
        other.start()
        while not done.is_set() or not kept:
            kept += 1
            store.commit([event_now(100_000 + kept, severity="info")])
        other.join(60)

    assert len(aged.events()) == kept
    assert aged.proven() == ([], 1_500)


def test_marks_are_set_by_the_key_and_pictures_found_by_their_index(aged_file: AgedStore) -> None:
    """Otherwise each step would read all messages, and the intake wait for it."""
    aged_file.event(1, 40)
    queries = (
        "update message set deletion_id = 1 where (stream_id, seq) in (values (1, 2), (1, 3))",
        "select stream_id from message where kind in ('image', 'snapshot') and suffix in ('a', 'b')",
        "select sha256 from other_message where sha256 in ('a', 'b')",
        "select sha256 from conflict where sha256 in ('a', 'b')",
        "delete from event_revision where (box_id, event_id) in (values (1, 'a'))",
        "select blob.sha256 from blob join picture on picture.blob_received_ms = blob.received_ms "
        "and picture.sha256 = blob.sha256 where blob.sha256 in ('a', 'b')",
    )
    with aged_file.engine.connect() as connection:
        for query in queries:
            plan = [row[3] for row in connection.execute(text(f"explain query plan {query}"))]
            assert any(line.startswith("SEARCH") for line in plan), (query, plan)
            tables = ("message", "other_message", "conflict", "event_revision", "picture", "blob")
            assert not any(line.startswith(f"SCAN {name}") for line in plan for name in tables), (query, plan)
