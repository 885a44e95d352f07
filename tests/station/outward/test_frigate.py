"""station.outward.frigate"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from station.outward.convention import Beside
from station.outward.feed import OutEvent, after
from station.outward.frigate import FrigateConvention, shape
from station.outward.settings import FrigateSettings
from station.store.store import Store
from tests.support.kept_events import a_thumbnail, event_now
from tests.support.stores import Place


@pytest.fixture
def place(sqlite_place: Place) -> Place:
    """What is said is the same wherever it is kept."""
    return sqlite_place


FRIGATE_FIELDS = {
    "id", "camera", "label", "sub_label", "frame_time", "start_time", "end_time", "snapshot", "thumbnail",
    "has_snapshot", "has_clip", "score", "top_score", "false_positive", "box", "area", "ratio", "region",
    "current_zones", "entered_zones", "active", "stationary", "motionless_count", "position_changes",
    "velocity_angle", "current_estimated_speed", "average_estimated_speed", "attributes", "current_attributes",
    "recognized_license_plate",
}  # fmt: skip
"""Of `before` and `after`, by Frigate's documentation."""
NOBODY_BESIDE = Beside(others_open=False)


def said(out: OutEvent) -> list[tuple[str, dict[str, Any]]]:
    frigate = FrigateConvention(FrigateSettings(prefix="duty/frigate"))
    return [(each.topic, json.loads(each.payload)) for each in frigate.event(out, NOBODY_BESIDE)]


def test_an_event_is_new_then_updated_then_ended_each_with_what_was_before(
    store: Store, engines: tuple[Engine, Engine]
) -> None:
    store.commit([event_now(1)])
    store.commit([event_now(1, 2, phase="update", object={"top_score": 0.95})])
    store.commit([event_now(1, 3, phase="end")])
    messages = [each for out in after(engines[0], 0).events for each in said(out)]

    assert {topic for topic, _ in messages} == {"duty/frigate/events"}
    bodies = [body for _, body in messages]
    assert [set(body) for body in bodies] == [{"type", "before", "after"}] * 3
    assert [body["type"] for body in bodies] == ["new", "update", "end"]
    assert bodies[1]["before"] == bodies[0]["after"]
    assert bodies[2]["before"] == bodies[1]["after"]
    assert [body["after"]["end_time"] is None for body in bodies] == [True, True, False]
    assert bodies[1]["after"]["top_score"] == 0.95


def test_its_fields_are_frigates_and_mean_the_same(store: Store, engines: tuple[Engine, Engine]) -> None:
    _, image = a_thumbnail()
    seen = {"zones": ["junction"], "entered_zones": ["gate", "junction"], "stationary": True}
    store.commit([event_now(1, object=seen, image=image, frame={"width_px": 640, "height_px": 480})])
    (out,) = after(engines[0], 0).events
    ((_, body),) = said(out)
    found = body["after"]

    assert set(found) <= FRIGATE_FIELDS
    assert found | {"start_time": 0, "frame_time": 0} == {
        "id": "e-1", "camera": "north-01_north", "label": "motorcycle", "sub_label": None, "score": 0.8,
        "top_score": 0.9, "start_time": 0, "frame_time": 0, "end_time": None, "stationary": True,
        "active": False, "current_zones": ["junction"], "entered_zones": ["gate", "junction"],
        "has_snapshot": True, "thumbnail": None, "box": [256, 240, 320, 336], "area": 64 * 96, "ratio": 0.67,
    }  # fmt: skip
    assert found["start_time"] == out.payload.start_time.timestamp()


def test_one_that_is_over_when_it_is_first_heard_of_is_new_and_ended(
    store: Store, engines: tuple[Engine, Engine]
) -> None:
    store.commit([event_now(1, phase="end")])
    (out,) = after(engines[0], 0).events
    bodies = [body for _, body in said(out)]

    assert [body["type"] for body in bodies] == ["new", "end"]
    assert bodies[0]["after"] == bodies[1]["before"]
    assert bodies[0]["after"]["end_time"] is None
    assert bodies[1]["after"]["end_time"] is not None


def test_what_is_about_no_road_user_has_no_word_there(store: Store, engines: tuple[Engine, Engine]) -> None:
    store.commit([event_now(1, kind="camera_lost", object=None), event_now(2, frame=None)])
    lost, bare = after(engines[0], 0).events

    assert said(lost) == []
    assert shape(lost.payload) is None
    assert not {"box", "area", "ratio", "region"} & set(shape(bare.payload) or {"box"})


def test_whether_it_is_there_is_said_as_frigate_says_it() -> None:
    frigate = FrigateConvention(FrigateSettings())
    (hello,) = frigate.greeting()

    assert (hello.topic, hello.payload, hello.retained) == ("frigate/available", b"online", True)
    assert (frigate.will.topic, frigate.will.payload) == ("frigate/available", b"offline")
