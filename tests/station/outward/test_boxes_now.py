"""station.outward.boxes_now"""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from station.outward.boxes_now import boxes_now, others_open
from station.outward.feed import after
from station.store.database import StoreError
from station.store.store import Store
from tests.support.kept_events import event_now, present_box
from tests.support.stores import Place

Engines = tuple[Engine, Engine]


def test_a_box_stands_as_it_told_last(store: Store, engines: Engines) -> None:
    present_box(store)
    store.commit([event_now(1), event_now(2, phase="end")])

    (box,) = boxes_now(engines[0])

    assert (box.commune, box.device, box.state) == ("hai-ninh", "north-01", "online")
    assert box.info is not None and box.info.cameras[0].name == "Hướng bắc"
    assert box.health is not None and box.health.cpu_temp_c == 51.5
    assert (box.cameras, box.open_rules) == ({"north": "streaming"}, {("north", "stop-line")})


def test_a_box_that_said_nothing_of_itself_is_there_too(store: Store, engines: Engines, place: Place) -> None:
    store.commit([event_now(1)])
    place.do("update box set health = '{'")

    (box,) = boxes_now(engines[0])

    assert (box.state, box.info, box.health, box.cameras) == (None, None, None, {})


def test_others_of_the_same_rule_are_open_or_not(store: Store, engines: Engines) -> None:
    store.commit([event_now(1), event_now(2), event_now(3, rule={"id": "other", "kind": "line"})])
    first, second, other = after(engines[0], 0).events

    assert [others_open(engines[0], out) for out in (first, second, other)] == [True, True, False]
    store.commit([event_now(1, 2, phase="end")])
    assert [others_open(engines[0], out) for out in (first, second)] == [True, False]


def test_a_store_that_is_gone_is_told_in_words(store: Store, engines: Engines, place: Place) -> None:
    store.commit([event_now(1)])
    (out,) = after(engines[0], 0).events
    place.do("alter table event rename to gone")

    with pytest.raises(StoreError):
        boxes_now(engines[0])
    with pytest.raises(StoreError):
        others_open(engines[0], out)
