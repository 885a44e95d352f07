"""station.outward.home_assistant"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from agent.wire.payloads import MOST_PLACES
from station.ingest.inbound import read
from station.outward.boxes_now import boxes_now
from station.outward.convention import MOST_KEPT_BYTES, Beside, OutMessage
from station.outward.feed import after
from station.outward.home_assistant import HomeAssistantConvention
from station.outward.settings import HomeAssistantSettings
from station.store.store import Store
from station.store.titles import watch_titles
from tests.support.kept_events import INFO, event_now, present_box
from tests.support.stores import Place

Engines = tuple[Engine, Engine]
HOME = os.environ.get("NGATU_HOME_ASSISTANT_PYTHON")
"""A Python that has the package `homeassistant`, 2024.12 or later."""
VALIDATE = Path(__file__).resolve().parents[2] / "support/home_assistant_schema.py"
TOPIC = re.compile(r"(?P<component>\w+)/(?:(?P<node>[a-zA-Z0-9_-]+)/)?(?P<object>[a-zA-Z0-9_-]+)/config")
"""By which Home Assistant reads a topic below its discovery prefix."""


@pytest.fixture
def place(sqlite_place: Place) -> Place:
    """What is said is the same wherever it is kept."""
    return sqlite_place


def convention(**more: Any) -> HomeAssistantConvention:
    return HomeAssistantConvention(HomeAssistantSettings(**more))


def states(engines: Engines, home: HomeAssistantConvention) -> dict[str, bytes]:
    return {each.topic: each.payload for each in home.states(boxes_now(engines[0])) if each.retained}


def config(engines: Engines, home: HomeAssistantConvention) -> tuple[str, dict[str, Any]]:
    ((topic, body),) = (
        (topic, body) for topic, body in states(engines, home).items() if topic.endswith("/config")
    )
    return topic, json.loads(body)


def events(store: Store, engines: Engines, *messages: Any, others: bool = False) -> Iterator[OutMessage]:
    for message in messages:
        store.commit([message])
    for out in after(engines[0], 0).events:
        yield from convention().event(out, Beside(others))


def test_a_box_is_a_device_by_the_device_form(store: Store, engines: Engines) -> None:
    present_box(store)
    topic, body = config(engines, convention())

    prefix, _, rest = topic.partition("/")
    found = TOPIC.fullmatch(rest)
    assert prefix == "homeassistant" and found is not None
    assert found.groupdict() == {"component": "device", "node": "hai-ninh", "object": "north-01"}
    assert body["dev"] == {
        "ids": ["ngatu_hai-ninh_north-01"], "name": "Ngã tư Hải Ninh", "mf": "ngatu", "mdl": "junction",
        "sn": "north-01", "sw": "0.1.0",
    }  # fmt: skip
    assert body["o"]["name"]
    assert set(body["cmps"]) == {
        "online", "temperature", "waiting", "north_blind", "north_event", "north_rule_stop-line",
        "north_rule_junction",
    }  # fmt: skip
    assert all({"p", "unique_id"} <= set(each) for each in body["cmps"].values())
    ids = [each["unique_id"] for each in body["cmps"].values()]
    assert len(set(ids)) == len(ids)


def test_a_box_that_is_called_like_another_is_named_with_its_device(store: Store, engines: Engines) -> None:
    """As everywhere at the screen: a stolen box says what it likes of where it hangs."""
    present_box(store)
    place = {"description": "Ngã tư  Hải Ninh"}
    info = json.dumps(INFO | {"device": "north-02", "location": place}).encode()
    store.commit([read("ngatu/v1/hai-ninh/north-02/info", info, {}, retained=True)])
    with engines[0].begin() as connection:
        watch_titles(connection, 1)

    said = {topic: json.loads(body) for topic, body in states(engines, convention()).items()
            if topic.endswith("/config")}  # fmt: skip
    assert {each["dev"]["sn"]: each["dev"]["name"] for each in said.values()} == {
        "north-01": "Ngã tư Hải Ninh (north-01)", "north-02": "Ngã tư Hải Ninh (north-02)",
    }  # fmt: skip


def test_cameras_and_rules_are_called_what_the_screen_calls_them(store: Store, engines: Engines) -> None:
    rules = [
        {"id": "stop-line", "name": "Vạch dừng", "kind": "line"},
        {"id": "junction", "kind": "zone"},
        {"id": "market", "name": "junction", "kind": "zone"},
    ]
    cameras = [
        {"id": "north", "name": "Hướng chợ", "rules": rules},
        {"id": "south", "name": "hướng chợ", "rules": rules[:1]},
    ]
    present_box(store, cameras=cameras)
    _, body = config(engines, convention())

    names = {key: each.get("name") for key, each in body["cmps"].items()}
    assert names["north_event"] == "Hướng chợ (north): event"
    assert names["south_blind"] == "hướng chợ (south): no picture"
    assert names["south_rule_stop-line"] == "hướng chợ (south): Vạch dừng"
    assert names["north_rule_stop-line"] == "Hướng chợ (north): Vạch dừng"
    assert names["north_rule_junction"] == "Hướng chợ (north): junction"
    assert names["north_rule_market"] == "Hướng chợ (north): junction (market)"


def test_every_state_that_an_entity_reads_is_there(store: Store, engines: Engines) -> None:
    present_box(store)
    home = convention(pictures=True)
    _, body = config(engines, home)
    kept = states(engines, home) | {each.topic: each.payload for each in home.greeting()}

    for name, entity in body["cmps"].items():
        topic = entity.get("state_topic", body["state_topic"])
        if entity["p"] in ("binary_sensor", "sensor"):
            assert topic in kept, name
        for there in entity.get("availability", body["availability"]):
            assert kept[there["topic"]] == b"online", name
    assert json.loads(kept[body["state_topic"]]) == {"online": "ON", "temperature": 51.5, "waiting": 3}
    assert body["cmps"]["north_picture"]["p"] == "image"


def test_a_box_that_is_away_is_not_available_but_says_so(store: Store, engines: Engines) -> None:
    present_box(store, state="stopped")
    home = convention()
    _, body = config(engines, home)
    kept = states(engines, home)

    assert kept["ngatu-home/hai-ninh/north-01/status"] == b"offline"
    assert body["cmps"]["online"]["availability"] == [{"topic": "ngatu-home/status"}]
    assert json.loads(kept[body["state_topic"]])["online"] == "OFF"
    assert (home.will.topic, home.will.payload) == ("ngatu-home/status", b"offline")


def test_a_rules_sensor_is_on_while_its_event_goes_on(store: Store, engines: Engines) -> None:
    present_box(store)
    messages = list(events(store, engines, event_now(1), event_now(1, 2, phase="update")))
    rule = "ngatu-home/hai-ninh/north-01/north/rule/stop-line"

    assert [(each.topic, each.payload) for each in messages if each.topic == rule] == [(rule, b"ON")]
    assert states(engines, convention())[rule] == b"ON"
    (event,) = (each for each in messages if each.topic.endswith("/event"))
    assert json.loads(event.payload)["event_type"] == "line_crossed"
    assert not event.retained, "an event that is over is no news to who comes later"

    store.commit([event_now(1, 3, phase="end")])
    assert states(engines, convention())[rule] == b"OFF"


@pytest.mark.parametrize(("others", "expected"), [(False, [b"ON", b"OFF"]), (True, [b"ON"])])
def test_one_that_is_over_at_once_is_seen_unless_another_goes_on(
    store: Store, engines: Engines, others: bool, expected: list[bytes]
) -> None:
    found = events(store, engines, event_now(1, phase="end"), others=others)

    assert [each.payload for each in found if "/rule/" in each.topic] == expected


def test_a_name_that_no_topic_holds_is_left_out_everywhere(store: Store, engines: Engines) -> None:
    present_box(store)
    hostile = {"id": "Ngõ 3/#", "kind": "zone"}
    found = list(events(store, engines, event_now(1, rule=hostile)))

    assert [each.topic.rsplit("/", 1)[1] for each in found] == ["event"]
    assert not [topic for topic in states(engines, convention()) if "#" in topic]


def test_what_a_box_has_no_more_is_taken_back_first(store: Store, engines: Engines) -> None:
    present_box(store)
    home = convention()
    config(engines, home)
    present_box(store, cameras=[], time="2026-11-27T02:00:00.000Z")
    said = [each for each in home.states(boxes_now(engines[0])) if each.topic.endswith("/config")]
    first, second = (json.loads(each.payload)["cmps"] for each in said)

    assert first["north_event"] == {"p": "event"}
    assert set(second) == {"online", "temperature", "waiting"}
    assert len([each for each in home.states(boxes_now(engines[0])) if each.topic.endswith("/config")]) == 1


def test_an_announcement_is_never_larger_than_the_broker_keeps(store: Store, engines: Engines) -> None:
    rules = [{"id": f"rule-{number}", "kind": "zone"} for number in range(MOST_PLACES)]
    names = ("north", "east", "south", "west")
    cameras: list[dict[str, Any]] = [{"id": name, "rules": rules} for name in names]
    present_box(store, cameras=cameras)
    kept = states(engines, convention())
    (body,) = (body for topic, body in kept.items() if topic.endswith("/config"))

    assert MOST_KEPT_BYTES * 0.9 < len(body) <= MOST_KEPT_BYTES
    assert "north_event" in json.loads(body)["cmps"]


def test_a_box_that_never_said_what_it_is_is_not_announced(store: Store, engines: Engines) -> None:
    store.commit([event_now(1)])

    assert states(engines, convention()) == {}


def test_a_picture_is_raw_bytes_and_not_kept(store: Store, engines: Engines) -> None:
    store.commit([event_now(1)])
    (out,) = after(engines[0], 0).events
    (found,) = convention(pictures=True).picture(out, b"\xff\xd8jpeg")

    assert found == OutMessage("ngatu-home/hai-ninh/north-01/north/picture", b"\xff\xd8jpeg", retained=False)
    assert (convention(pictures=True).wants_pictures, convention().wants_pictures) == (True, False)


@pytest.mark.skipif(HOME is None, reason="NGATU_HOME_ASSISTANT_PYTHON names no Python with Home Assistant")
def test_home_assistant_itself_takes_it(store: Store, engines: Engines) -> None:
    """By the schemas with which it reads discovery, of the device and of each entity as it merges them."""
    present_box(store)
    _, body = config(engines, convention(pictures=True))

    done = subprocess.run(
        [str(HOME), str(VALIDATE)],
        input=json.dumps(body).encode(),
        capture_output=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert json.loads(done.stdout) == dict.fromkeys(body["cmps"], "taken")
    assert INFO["device"] == "north-01"
