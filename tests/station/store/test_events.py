"""station.store.events"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from itertools import permutations

import pytest
from sqlalchemy import event as hooks

from station.ingest.inbound import InboundMessage
from station.store.events import LONGEST_WORD, Events, trim_feed
from station.store.id_cache import IdCache
from tests.station.ingest.test_receipts import BOX
from tests.station.store.test_clocks import WALL_MS, clock_map, stamped
from tests.station.store.test_store import altered, revisions
from tests.support.stores import Place

ROAD_USER = {
    "track_id": "t-1",
    "label": "motorcycle",
    "score": 0.8,
    "top_score": 0.9134,
    "riders": 3,
    "box": {"left": 0.1, "top": 0.1, "right": 0.2, "bottom": 0.2},
    "start_time": "2026-03-02T11:04:07.412Z",
}


@pytest.fixture
def tables(place: Place) -> Place:
    with closing(place.open()):
        pass
    return place


def written(place: Place, messages: Sequence[InboundMessage]) -> None:
    """In one batch."""
    ids = IdCache()
    with place.engine.begin() as connection:
        box_id = ids.box_id(connection, BOX, 1)
        stream_id = ids.stream_id(connection, box_id, "s-1", 1)
        events = Events(now_ms=5)
        for message in messages:
            assert message.event is not None
            events.add(message, message.event, box_id, stream_id, message.digest)
        events.write(connection)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_the_highest_revision_of_a_batch_counts_in_whatever_order_they_stand(
    tables: Place, order: tuple[int, ...]
) -> None:
    messages = revisions(*order)

    written(tables, messages)

    picture = next(m.event.image for m in messages if m.event is not None and m.event.revision == 1)
    assert picture is not None
    rows = tables.rows("select revision, thumbnail_revision, thumbnail_sha256 from event")
    assert rows == [(3, 1, picture.sha256)]  # null keeps the last picture
    assert tables.rows("select count(*) from event_revision") == [(3,)]


def test_when_an_event_was_received_first_stays(tables: Place) -> None:
    written(tables, revisions(1))
    tables.do("update event set first_received_ms = 1, received_ms = 1")

    written(tables, revisions(2))

    assert tables.rows("select revision, first_received_ms, received_ms from event") == [(2, 1, 5)]


def test_an_event_of_a_boot_whose_map_is_here_already_is_put_right_at_once(tables: Place) -> None:
    with closing(tables.open()) as store:
        store.commit([clock_map(1, 65_000)])

    written(tables, [stamped(2, 5_000), stamped(3, 5_000, "ntp")])

    rows = tables.rows("select event_id, time_ms + clock_offset_ms from event order by event_id")
    assert rows == [("e-2", WALL_MS - 60_000), ("e-3", None)]


def test_a_batch_without_events_asks_the_database_nothing(tables: Place) -> None:
    statements: list[str] = []
    with tables.engine.begin() as connection:
        hooks.listen(connection, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        Events(now_ms=5).write(connection)

    assert statements == []


def test_what_is_looked_for_stands_in_columns_beside_the_body(tables: Place) -> None:
    message = altered(revisions(1)[0], object=ROAD_USER | {"entered_zones": ["gate", "crossing"]})

    written(tables, [message])
    assert tables.rows("select riders, top_score_permille, zones from event") == [(3, 913, ",gate,crossing,")]

    written(tables, [altered(message, revision=2, seq=9, object=ROAD_USER | {"riders": 2, "top_score": 1.0})])
    assert tables.rows("select riders, top_score_permille, zones from event") == [(2, 1000, None)]


def test_an_event_without_a_road_user_has_none_of_these(tables: Place) -> None:
    written(tables, [altered(revisions(1)[0], object=None)])

    assert tables.rows("select label, riders, top_score_permille, zones from event") == [
        (None, None, None, None)
    ]


def test_a_word_that_is_too_long_for_an_index_is_cut_there_and_whole_in_the_body(tables: Place) -> None:
    long = "".join(chr(0x4E00 + 7919 * number % 20_000) for number in range(1500))  # nothing in it repeats
    message = altered(
        revisions(1)[0],
        object=ROAD_USER | {"label": long, "riders": 2**53 - 1},
        direction=long,
        rule={"id": long, "kind": "line"},
    )

    written(tables, [message])

    (row,) = tables.rows("select label, rule_id, direction, riders from event")
    assert row == (long[:LONGEST_WORD],) * 3 + (2**53 - 1,)
    (body,) = tables.rows("select body from event_revision")
    assert json.loads(body[0])["object"]["label"] == long


def test_the_feed_has_each_revision_once_in_the_order_in_which_it_was_kept(tables: Place) -> None:
    written(tables, revisions(2))
    written(tables, revisions(1, 3))

    assert tables.rows("select revision from event_feed order by id") == [(2,), (1,), (3,)]


def test_the_feed_is_trimmed_to_its_newest_rows_and_no_number_is_given_again(tables: Place) -> None:
    written(tables, revisions(1, 2, 3))
    with tables.engine.begin() as connection:
        trim_feed(connection, keep=3)
    assert tables.rows("select count(*) from event_feed") == [(3,)]

    with tables.engine.begin() as connection:
        trim_feed(connection, keep=1)
    ((kept, newest),) = tables.rows("select count(*), max(id) from event_feed")
    assert kept == 1
    tables.do("delete from event_feed")
    written(tables, [altered(revisions(1)[0], revision=4, seq=9)])

    assert tables.rows("select id from event_feed") == [(newest + 1,)]
