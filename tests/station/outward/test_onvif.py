"""station.outward.onvif"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from agent.core.types import EventKind
from station.outward.convention import Beside, OutMessage
from station.outward.feed import after
from station.outward.onvif import OnvifConvention
from station.outward.settings import OnvifSettings
from station.store.store import Store
from tests.support.kept_events import event_now
from tests.support.stores import Place


@pytest.fixture
def place(sqlite_place: Place) -> Place:
    """What is said is the same wherever it is kept."""
    return sqlite_place


Engines = tuple[Engine, Engine]


def said(store: Store, engines: Engines, *messages: Any, others_open: bool = False) -> list[OutMessage]:
    for message in messages:
        store.commit([message])
    onvif = OnvifConvention(OnvifSettings(prefix="duty"))
    outs = after(engines[0], 0).events
    return [each for out in outs for each in onvif.event(out, Beside(others_open))]


def body(message: OutMessage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.payload)
    return found


def test_a_line_crossing_has_the_form_of_onvifs_own_example(store: Store, engines: Engines) -> None:
    """…/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/MyImportantFence1 with {UtcTime, Source, Data}."""
    rule = {"id": "MyImportantFence1", "kind": "line"}
    (crossed,) = said(store, engines, event_now(1, rule=rule), event_now(1, 2, rule=rule, phase="end"))

    prefix, middle, source = crossed.topic.partition("/onvif-ej/RuleEngine/LineDetector/Crossed/&")
    assert (prefix, source.split("/")) == ("duty", ["north-01.north", "north-01", "MyImportantFence1"])
    assert middle and not crossed.retained
    assert set(body(crossed)) == {"UtcTime", "Source", "Data"}
    assert body(crossed)["UtcTime"].endswith("Z")
    assert list(body(crossed)["Source"].values()) == source.split("/")
    assert body(crossed)["Data"] == {"ObjectId": "t-1"}


def test_who_is_inside_a_field_is_a_property_that_is_kept(store: Store, engines: Engines) -> None:
    zone = {"kind": "zone_entered", "rule": {"id": "junction", "kind": "zone"}}
    messages = (
        event_now(1, **zone),
        event_now(1, 2, phase="update", **zone),
        event_now(1, 3, phase="end", **zone),
    )
    begun, ended = said(store, engines, *messages)

    assert "/RuleEngine/FieldDetector/ObjectsInside/&" in begun.topic
    assert begun.topic == ended.topic
    assert [body(each)["Data"]["IsInside"] for each in (begun, ended)] == [True, False]
    assert begun.retained and ended.retained


def test_while_others_are_inside_the_kept_property_stays_true(store: Store, engines: Engines) -> None:
    zone = {"kind": "zone_entered", "rule": {"id": "junction", "kind": "zone"}}
    messages = event_now(1, **zone), event_now(1, 2, phase="end", **zone)
    begun, ended = said(store, engines, *messages, others_open=True)

    assert (begun.retained, ended.retained) == (True, False)


def test_loitering_is_a_property_that_an_empty_payload_takes_back(store: Store, engines: Engines) -> None:
    fields = {"kind": "loitering", "rule": {"id": "gate", "kind": "loitering"}}
    begun, ended = said(store, engines, event_now(1, **fields), event_now(1, 2, phase="end", **fields))

    assert "/RuleEngine/LoiteringDetector/ObjectIsLoitering/&" in begun.topic
    assert set(body(begun)["Data"]) == {"ObjectId", "Since", "TimeStamp"}
    assert (ended.topic, ended.payload, ended.retained) == (begun.topic, b"", True)


def test_a_track_is_final_at_its_end(store: Store, engines: Engines) -> None:
    fields = {"kind": "object", "rule": {"id": "seen", "kind": "object"}}
    messages = [
        event_now(1, n, phase=phase, **fields) for n, phase in ((1, "start"), (2, "update"), (3, "end"))
    ]
    found = said(store, engines, *messages)

    assert {each.topic.split("/&")[0] for each in found} == {"duty/onvif-ej/RuleEngine/ObjectTrack/Aggregation"}
    assert [body(each)["Data"]["Final"] for each in found] == [False, False, True]
    assert len({body(each)["Data"]["AggregationStart"] for each in found[:1]}) == 1


@pytest.mark.parametrize(
    ("detail", "topic"),
    [
        ("moved", "VideoSource/GlobalSceneChange"), ("covered", "VideoSource/GlobalSceneChange"),
        ("dark", "VideoSource/ImageTooDark"), ("bright", "VideoSource/ImageTooBright"),
        ("blurred", "VideoSource/ImageTooBlurry"), ("frozen", "VideoSource/ngatu/ImageFrozen"), ("new", None),
    ],
)  # fmt: skip
def test_a_camera_that_cannot_see_is_onvifs_tampering_by_its_word(
    store: Store, engines: Engines, detail: str, topic: str | None
) -> None:
    found = said(store, engines, event_now(1, kind="camera_blind", detail=detail, object=None))

    assert [each.topic for each in found] == ([f"duty/onvif-ej/{topic}/&north-01.north"] if topic else [])
    assert [body(each)["Data"] for each in found] == ([{"State": True}] if topic else [])


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_goes_by_its_topic_or_not_at_all(store: Store, engines: Engines, kind: EventKind) -> None:
    """Those are left out whose topic asks for what a box does not tell, such as a moment of the last reboot."""
    left_out = {
        EventKind.OUTBOX_FORKED, EventKind.IDENTITY_TAKEN, EventKind.RECORDING_STOPPED,
        EventKind.CLOCK_UNTRUSTED, EventKind.AGENT_RESTARTED, EventKind.CAMERA_BLIND,
        EventKind.MODEL_TRIED,
    }  # fmt: skip
    found = said(store, engines, event_now(1, kind=str(kind)))

    assert [each.topic.split("/&")[0] for each in found] == (
        [] if kind in left_out else [f"duty/onvif-ej/{kind.onvif}"]
    )


def test_a_kind_of_tomorrow_and_a_hostile_name_do_no_harm(store: Store, engines: Engines) -> None:
    hostile = {"id": "a/+/#\x00", "kind": "line"}
    (crossed,) = said(store, engines, event_now(1, kind="not-known-yet"), event_now(2, rule=hostile))

    assert crossed.topic.count("/") == 7
    assert not set(crossed.topic) & set("+#\0")
