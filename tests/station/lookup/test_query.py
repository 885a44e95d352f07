"""station.lookup.query"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import event as hooks

from agent.core.types import Phase
from station.ingest.inbound import InboundMessage, read
from station.lookup.query import FoundEvent, found, number_of_unknown, strangers
from station.lookup.wanted import EventFilter
from station.store.database import StoreError
from tests.station.ingest.test_receipts import BASE, messages
from tests.station.store.test_clocks import WALL_MS, clock_map, stamped
from tests.station.store.test_store import altered
from tests.support.stores import Place

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def clock(minutes: float) -> str:
    return (SIX + timedelta(minutes=minutes)).isoformat()


def lasting(number: int, start: float, end: float | None = None, **fields: Any) -> InboundMessage:
    """An event by the minutes after six at which it starts and ends; without an end it goes on."""
    (event,) = messages(number, number)
    phase = Phase.START if end is None else Phase.END
    times = {"start_time": clock(start), "time": clock(start if end is None else end)}
    trusted = {"state": "ntp", "error_ms": 1, "boot_id": "b-1", "mono_ms": number}
    document = json.loads(event.raw) | {"phase": str(phase), "clock": trusted} | times | fields
    topic = f"{BASE}camera/{document['camera']}/event"
    return read(topic, json.dumps(document).encode(), {})


def ids(place: Place, since: float = 0, until: float = 120, page: int = 500, **wanted: Any) -> list[str]:
    window = {"since": SIX + timedelta(minutes=since), "until": SIX + timedelta(minutes=until)}
    return [each.event_id for each in found(place.engine, EventFilter(**window, **wanted), page)]


@pytest.fixture
def filled(place: Place) -> Iterator[Place]:
    """Events 1 to 7; of its box nothing more is heard after 20:00."""
    with closing(place.open(now=(SIX + timedelta(minutes=120)).timestamp)) as store:
        store.commit(
            [
                lasting(1, -200, -150),  # long over
                lasting(2, -200, 10),  # began long before, and lasted
                lasting(3, -10, 5),
                lasting(4, 0, 1, camera="south"),
                lasting(5, 30, 31),
                lasting(6, 60),
                lasting(7, 120, 121),
            ]
        )
    yield place
    place.close()


def test_what_went_on_between_two_moments_is_found_by_when_it_began(filled: Place) -> None:
    assert ids(filled) == ["e-2", "e-3", "e-4", "e-5", "e-6"]
    assert ids(filled, 31.5, 60) == []
    assert ids(filled, 9, 9.5) == ["e-2"]


@pytest.mark.parametrize("page", [1, 2, 3, 500])
def test_the_size_of_a_page_changes_nothing(filled: Place, page: int) -> None:
    assert ids(filled, page=page) == ["e-2", "e-3", "e-4", "e-5", "e-6"]


def test_many_events_of_one_millisecond_come_once_each(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([lasting(number, 5, 5) for number in range(1, 30)])

    assert sorted(ids(place, page=4)) == sorted(f"e-{number}" for number in range(1, 30))


def test_events_are_found_by_the_colours_that_their_boxes_told(place: Place) -> None:
    def painted(number: int, **colours: str) -> InboundMessage:
        seen = json.loads(lasting(number, number).raw)["object"]
        return lasting(
            number,
            number,
            number + 1,
            object=seen | {name: {"word": word, "confidence": 0.8} for name, word in colours.items()},
        )

    with closing(place.open()) as store:
        store.commit(
            [
                painted(1, vehicle_colour="red", clothes_colour="blue"),
                painted(2, vehicle_colour="blue"),
                painted(3, vehicle_colour="unknown", clothes_colour="red"),
                lasting(4, 4, 5),
                lasting(5, 5, 6, object=None, kind="camera_lost"),
            ]
        )

    assert ids(place, vehicle_colours=("red",)) == ["e-1"]
    assert ids(place, vehicle_colours=("red", "blue")) == ["e-1", "e-2"]
    assert ids(place, clothes_colours=("red",)) == ["e-3"]
    assert ids(place, vehicle_colours=("unknown",)) == ["e-3", "e-4"], "a lost camera is no vehicle"
    assert ids(place, vehicle_colours=("red", "unknown")) == ["e-1", "e-3", "e-4"]
    window = {"since": SIX, "until": SIX + timedelta(hours=2)}
    for wanted, number in (
        ({"vehicle_colours": ("red",)}, 2),
        ({"vehicle_colours": ("red",), "clothes_colours": ("red",)}, 2),
        ({"vehicle_colours": ("blue",), "clothes_colours": ("red", "unknown")}, 2),
        ({"vehicle_colours": ("red", "unknown")}, 0),
        ({}, 0),
    ):
        assert number_of_unknown(place.engine, EventFilter(**window, **wanted)) == number, wanted
    assert strangers(place.engine, EventFilter(**window, vehicle_colours=("unknown",))) == []


def test_what_has_no_end_went_on_as_long_as_its_box_was_heard(filled: Place) -> None:
    assert ids(filled, 100, 110) == ["e-6"]
    assert ids(filled, 1_000, 2_000) == []


def test_a_look_up_is_narrowed_by_everything_that_is_named(filled: Place) -> None:
    assert ids(filled, cameras=("south",)) == ["e-4"]
    assert ids(filled, cameras=("north-01/south", "elsewhere/north")) == ["e-4"]
    assert ids(filled, boxes=("elsewhere",)) == []
    every = {"boxes": ("north-01",), "kinds": ("line_crossed",), "labels": ("motorcycle", "car")}
    every |= {"directions": ("in",), "rules": ("stop-line",), "severities": ("alert",)}
    assert len(ids(filled, **every)) == 5
    for word in every:
        assert ids(filled, **every | {word: ("nothing",)}) == []


def one(place: Place) -> FoundEvent:
    (event,) = found(place.engine, EventFilter(SIX - timedelta(days=1), SIX + timedelta(days=1)))
    return event


def test_an_event_that_runs_on_is_one_row_of_its_newest_message_with_its_best_picture(place: Place) -> None:
    (event, picture) = messages(1, 1, picture=True)
    began = altered(event, start_time=clock(0), time=clock(0))
    assert began.event is not None
    seen = began.event.object
    assert seen is not None
    ended = {"revision": 3, "phase": "end", "end_reason": "left", "image": None, "time": clock(2)}
    road_user = seen.model_dump(mode="json") | {"entered_zones": ["road", "junction"]}
    with closing(place.open()) as store:
        store.commit([began, picture])
        store.commit([altered(began, seq=3, object=road_user, suppressed=4, **ended)])

    row = one(place)

    assert (row.start, row.end, row.duration_s) == (SIX, SIX + timedelta(minutes=2), 120.0)
    assert (row.box, row.camera, row.kind, row.direction) == ("north-01", "north", "line_crossed", "in")
    assert (row.label, row.riders, row.zones) == ("motorcycle", 2, ("road", "junction"))
    assert (row.rule, row.rule_kind, row.end_reason, row.suppressed) == ("stop-line", "line", "left", 4)
    assert row.picture == picture.image_sha256


def test_a_picture_that_has_not_come_has_no_path(place: Place) -> None:
    event, _ = messages(1, 1, picture=True)
    with closing(place.open()) as store:
        store.commit([altered(event, start_time=clock(0), time=clock(0))])

    assert one(place).picture is None


def test_an_event_is_found_where_the_station_has_put_its_time_right(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([stamped(1, 5_000), clock_map(2, 65_000)])

    row = one(place)

    assert round(row.start.timestamp() * 1000) == WALL_MS - 61_000
    assert row.clock == "corrected"


def test_no_more_is_read_than_a_page(filled: Place) -> None:
    pages: list[str] = []
    hooks.listen(filled.engine, "before_cursor_execute", lambda *seen: pages.append(seen[2]))

    rows = found(filled.engine, EventFilter(SIX - timedelta(days=9), SIX + timedelta(days=9)), page=2)
    first = list(islice(rows, 2))

    assert len(first) == 2
    assert sum("FROM event" in statement for statement in pages) <= 2


def test_an_index_gives_the_pages_and_nothing_is_sorted(filled: Place) -> None:
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        if "FROM event " in statement.replace("\n", " ") and not statement.startswith("explain"):
            how = "explain query plan" if connection.dialect.name == "sqlite" else "explain"
            plans.append(str(connection.exec_driver_sql(f"{how} {statement}", values).all()))

    hooks.listen(filled.engine, "before_cursor_execute", explain)
    if filled.engine.dialect.name == "postgresql":  # a table of seven rows is read whole otherwise
        hooks.listen(filled.engine, "begin", lambda it: it.exec_driver_sql("set local enable_seqscan = off"))
        hooks.listen(filled.engine, "begin", lambda it: it.exec_driver_sql("set local enable_sort = off"))
    ids(filled)

    long_ago, lately = plans
    assert "ix_event_lasting" in long_ago
    assert "ix_event_began_ms" in lately
    assert not any("TEMP B-TREE" in plan or "Sort" in plan for plan in plans)


def test_what_no_event_has_is_named_with_what_there_is(filled: Place) -> None:
    wanted = EventFilter(SIX, SIX, cameras=("north-02/north",), labels=("motorbike", "motorcycle"))

    assert strangers(filled.engine, wanted) == [
        ("box", "north-02", ["north-01"]),
        ("label", "motorbike", ["motorcycle"]),
    ]


def test_a_store_of_another_version_is_told(filled: Place) -> None:
    filled.do("update alembic_version set version_num = '0001'")

    with pytest.raises(StoreError, match="has version 0001, not"):
        ids(filled)
