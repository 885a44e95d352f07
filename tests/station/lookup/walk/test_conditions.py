"""station.lookup.walk.conditions"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from station.lookup.places import read_places
from station.lookup.walk.conditions import conditions
from station.lookup.walk.scan import FIRST_MS, Budget, Scan, ScanOrder, Stretch, go_by_index
from station.lookup.walk.ways import known_cameras
from station.lookup.wanted import EventSearch
from station.store.columns import ms
from station.store.schema import event
from tests.support.stores import Place
from tests.support.told_events import event_at, road_user

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
HOUR = EventSearch(SIX, SIX + timedelta(hours=1))
BEFORE = SIX - timedelta(minutes=30)


@pytest.fixture
def filled(place: Place) -> Place:
    """1: a motorcycle with two in red; 2: a covered camera, which ends after six; 3: what ended before."""
    user = road_user(1, SIX, label="motorcycle", riders=2, entered_zones=["gate"])
    user["clothes_colour"] = {"word": "red", "confidence": 0.7}
    covered: dict[str, Any] = {"kind": "camera_lost", "detail": "a 100%_leaf", "object": None}
    with closing(place.open(now=(SIX + timedelta(minutes=2)).timestamp)) as store:
        store.commit(
            [
                event_at(1, SIX, kind="line_crossed", direction="in", object=user, severity="alert"),
                event_at(2, BEFORE, lasts_s=2_400, camera="south", **covered),
                event_at(3, BEFORE, lasts_s=60, rule={"id": "bus-lane", "kind": "zone"}),
            ]
        )
    return place


def fulfil(place: Place, wanted: EventSearch, low_ms: int = FIRST_MS) -> str:
    """The numbers of those that fulfil it."""
    with place.engine.connect() as connection, connection.begin():
        go_by_index(connection)
        places = read_places(connection)
        where = conditions(wanted, known_cameras(wanted, places), places)
        scan = Scan(connection, ScanOrder(newest_first=False), where, Budget(5.0))
        met = scan.met(Stretch((), low_ms), None, 10)
        return " ".join(each.place[2].removeprefix("e-") for each in met if not each.is_end)


def test_whoever_asks_for_a_time_alone_gets_what_lasts_into_it(filled: Place) -> None:
    assert fulfil(filled, HOUR) == "2 1"


def test_of_what_began_in_the_time_nobody_asks_when_it_ended(filled: Place) -> None:
    where = conditions(HOUR, known_cameras(HOUR, {}), {})

    assert where(event.c, ms(HOUR.since)) == []
    with pytest.raises(
        AttributeError
    ):  # earlier it asks for moments that the table has under no name of its own
        where(event.c, FIRST_MS)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"kinds": ("line_crossed",)}, "1"),
        ({"labels": ("motorcycle", "bus")}, "1"),
        ({"riders": 2}, "1"),
        ({"riders": 1}, ""),
        ({"riders": 1, "riders_at_least": True}, "1"),
        ({"directions": ("out",)}, ""),
        ({"clothes_colours": ("red",)}, "1"),
        ({"zones": ("gate",)}, "1"),
        ({"zones": ("gat",)}, ""),
        ({"severities": ("alert",)}, "1"),
        ({"words": ("leaf",)}, "2"),
        ({"words": ("100%_",)}, "2"),
        ({"words": ("1_0",)}, ""),
        ({"words": ("leaf", "gate")}, ""),
        ({"words": ("e-1",)}, "1"),
        ({"cameras": ("north-01/south",)}, "2"),
        ({"cameras": ("north-01/west",)}, ""),
        ({"reviews": ("new",)}, "2 1"),
        ({"reviews": ("false",)}, ""),
    ],
)
def test_each_wish_is_fulfilled_by_those_that_it_names(
    filled: Place, fields: dict[str, Any], found: str
) -> None:
    assert fulfil(filled, replace(HOUR, **fields)) == found


def test_what_is_asked_for_stands_in_the_question_once(filled: Place) -> None:
    wanted = replace(HOUR, labels=("bus",), rules=("bus-lane",))
    where = conditions(wanted, known_cameras(wanted, {}), {})

    question = str(select(event.c.event_id).where(*where(event.c, ms(HOUR.since))))

    assert question.count("event.label IN") == question.count("event.rule_id IN") == 1
