"""station.store.events"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import permutations

import pytest
from sqlalchemy import event as hooks

from station.ingest.inbound import InboundMessage
from station.store.events import Events
from station.store.id_cache import IdCache
from tests.station.ingest.test_receipts import BOX
from tests.station.store.test_clocks import WALL_MS, clock_map, stamped
from tests.station.store.test_store import revisions
from tests.support.stores import Place


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
