"""station.outward.feed"""

from __future__ import annotations

from sqlalchemy import Engine

from station.outward.feed import after, head, read
from station.store.events import trim_feed
from station.store.store import Store
from tests.support.kept_events import event_now
from tests.support.stores import Place

Engines = tuple[Engine, Engine]


def test_messages_come_in_the_order_in_which_they_were_kept_each_with_the_one_before(
    store: Store, engines: Engines
) -> None:
    store.commit([event_now(1), event_now(2)])
    store.commit([event_now(1, 2, phase="end", end_reason="left")])

    batch = after(engines[0], 0)

    assert [out.id for out in batch.events] == ["north-01.e-1.1", "north-01.e-2.1", "north-01.e-1.2"]
    assert [out.before and out.before.revision for out in batch.events] == [None, None, 1]
    assert batch.last == head(engines[0]) == batch.events[-1].feed_id
    assert after(engines[0], batch.events[0].feed_id, limit=1).events == batch.events[1:2]
    assert after(engines[0], batch.last) == type(batch)((), batch.last, 0)


def test_what_came_late_or_waited_in_the_box_is_late(store: Store, engines: Engines) -> None:
    store.commit([event_now(1), event_now(2, ago_s=90), event_now(3, replayed=True)])

    outs = after(engines[0], 0).events

    assert [out.late for out in outs] == [False, True, False]
    assert [out.is_old_news for out in outs] == [False, True, True]


def test_an_empty_store_has_nothing(engines: Engines) -> None:
    assert head(engines[0]) == 0
    assert after(engines[0], 0).events == ()


def test_what_went_out_of_the_feed_meanwhile_is_counted(store: Store, engines: Engines) -> None:
    store.commit([event_now(number) for number in range(1, 11)])
    with engines[1].begin() as connection:
        trim_feed(connection, keep=4)

    batch = after(engines[0], 2)

    assert batch.lost == 4
    assert [out.payload.id for out in batch.events] == ["e-7", "e-8", "e-9", "e-10"]
    assert after(engines[0], 7).lost == 0


def test_what_can_no_more_be_read_is_left_out_and_the_feed_goes_on(
    store: Store, engines: Engines, place: Place
) -> None:
    store.commit([event_now(1), event_now(2), event_now(3)])
    place.do("delete from event_revision where event_id = 'e-1'")
    place.do("update event_revision set body = '{}' where event_id = 'e-2'")

    batch = after(engines[0], 0)

    assert [out.payload.id for out in batch.events] == ["e-3"]
    assert batch.last == head(engines[0])
    assert read(None) is None
    assert read("no json") is None
