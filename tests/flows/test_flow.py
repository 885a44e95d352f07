"""The whole program: a clip, a box, a broker, a station; and what happens when each of them goes away."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from station.watch.embedded import Address
from tests.conftest import RtspServer
from tests.support.boxes import ROAD_RULES, Box, Station, at_work, everything_arrives, stored
from tests.support.brokers import Mosquitto, free_port, until


@pytest.fixture
def heard(mosquitto: Mosquitto) -> Iterator[list[tuple[str, bool]]]:
    """Every (topic, retained) that passes the broker, as an integrator would see it."""
    topics: list[tuple[str, bool]] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda _client, _data, message: topics.append((message.topic, bool(message.retain)))
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe("ngatu/#", qos=1)
    client.loop_start()
    yield topics
    client.disconnect()
    client.loop_stop()


def test_what_crosses_the_road_reaches_the_station_with_its_pictures(tmp_path: Path, embedded: Address) -> None:
    box, station = Box(tmp_path, embedded.port, loop=False), Station(tmp_path, embedded.port)

    with at_work(station, box):
        assert box.wait(40) == 0, box.log.read_text()[-2000:]
        until(lambda: station.seqs() >= set(range(1, box.accepted() + 1)), 10, "the station has everything")
        station.end()

    last = {event["id"]: event for event in station.events()}
    kinds = Counter(event["kind"] for event in last.values())
    assert kinds == {"motion": 1, "object": 1, "zone_entered": 1, "line_crossed": 1}
    assert {event["phase"] for event in last.values()} == {"end"}
    crossing = next(event for event in last.values() if event["kind"] == "line_crossed")
    assert (crossing["object"]["label"], crossing["severity"]) == ("car", "alert")
    pictures = station.rows("select event_id, kind from picture")
    assert {(crossing["id"], kind) for kind in ("thumbnail", "scene")} <= set(pictures)
    assert box.waiting() == 0
    counted = station.rows("select body from count_interval")
    assert sum('"car":{"' in row[0] for row in counted) == 1


@pytest.mark.broker
def test_an_outage_and_a_kill_lose_nothing_and_close_what_was_open(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    box, station = Box(tmp_path, mosquitto.port), Station(tmp_path, mosquitto.port)

    with at_work(station, box):
        until(lambda: stored(station, "object", "start"), 30, "the first car is told")
        mosquitto.kill()
        before = box.accepted()
        until(lambda: box.accepted() > before + 5, 30, "the box goes on watching without a broker")
        until(lambda: box.waiting() > 0, 5)
        open_before_kill = _open_events(box)
        box.kill()
        mosquitto.start()
        box.start()
        until(
            lambda: any(e["end_reason"] == "agent_restarted" for e in station.events()),
            40,
            "orphans are closed",
        )
        assert box.stop() == 0
        until(lambda: station.seqs() >= set(range(1, box.accepted() + 1)), 20, "the station has everything")
        station.end()

    closed = {event["id"] for event in station.events() if event["phase"] == "end"}
    assert {event["id"] for event in station.events()} == closed  # every event that began has an end
    assert open_before_kill <= closed
    assert stored(station, "agent_restarted", "end")
    seqs = [row[0] for row in station.rows("select seq from message")]
    assert len(seqs) == len(set(seqs))
    assert max(seqs) == box.accepted()


def _open_events(box: Box) -> set[str]:
    with closing(
        sqlite3.connect(f"file:{box.folder}/state/outbox.db?mode=ro", uri=True, timeout=5)
    ) as database:
        return {row[0] for row in database.execute("select event_id from open_event")}


@pytest.mark.broker
@pytest.mark.rtsp
def cameras_of(events: list[dict[str, Any]]) -> set[str]:
    return {event["camera"] for event in events}


def test_a_lost_camera_is_one_event_and_its_return_ends_it(
    tmp_path: Path,
    mosquitto: Mosquitto,
    rtsp_server: Callable[..., RtspServer],
    heard: list[tuple[str, bool]],
) -> None:
    camera = rtsp_server()
    deadlines = "stall_s: 2\n    open_timeout_s: 2"
    street = f"  - name: street\n    source: {{kind: rtsp, url: '{camera.url}'}}\n    {deadlines}\n"
    road = tmp_path / "road.mp4"
    cameras = f"{street}  - name: road\n    source: {{kind: file, path: {road}, loop: true}}{ROAD_RULES}"
    box, station = Box(tmp_path, mosquitto.port, cameras), Station(tmp_path, mosquitto.port)

    with at_work(station, box):
        until(lambda: "road" in cameras_of(stored(station, "object", "start")), 40, "the file camera sees")
        assert not stored(station, "camera_lost", "start")
        camera.kill()
        until(lambda: stored(station, "camera_lost", "start"), 20, "its loss is told")
        again = rtsp_server("--port", str(camera.port))
        assert again.port == camera.port
        until(lambda: stored(station, "camera_lost", "end"), 60, "its return is told")
        time_of_loss = [event["id"] for event in station.events() if event["kind"] == "camera_lost"]
        assert box.stop() == 0
        everything_arrives(box, station)
        station.end()

    assert len(set(time_of_loss)) == 1
    assert box.log.read_text().count('"lost"') == box.log.read_text().count('"event": "lost"') == 1
    root = "ngatu/v1/test-commune/test-box-01"
    topics = {topic.removeprefix(f"{root}/") for topic, _ in heard}
    assert {"status", "info", "health", "hello", "receipt"} <= topics
    assert {
        "camera/street/status",
        "camera/road/status",
        "camera/road/event",
        "camera/road/count/the-line",
    } <= topics
    assert any(topic.startswith("camera/road/image/") and topic.endswith("/thumbnail") for topic in topics)
    assert "ngatu/v1/test-commune/station/status" in topics


def test_the_agent_stops_in_time_without_a_broker(tmp_path: Path, unused_port: int) -> None:
    box = Box(tmp_path, unused_port)

    with at_work(box):
        until(lambda: box.accepted() > 0, 30, "it watches with no network at all")
        began = time.monotonic()
        assert box.stop() == 0
        assert time.monotonic() - began <= 10


@pytest.fixture
def unused_port() -> int:
    return free_port()
