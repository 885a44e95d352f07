"""station.outward.republish"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import Engine
from structlog.testing import capture_logs

from station.config import StationConfig
from station.outward.republish import Republishers, conventions
from station.store.store import Store
from station.watch.embedded import Address
from tests.support.brokers import Mosquitto, until
from tests.support.kept_events import a_thumbnail, event_now, picture_of, present_box
from tests.support.stores import Place

Engines = tuple[Engine, Engine]


class Listener:
    """Whoever reads at the broker: all below some prefixes, in order."""

    def __init__(self, port: int, *filters: str) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        ready: list[bool] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: ready.append(True)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(self._client.is_connected)
        self._client.subscribe([(each, 1) for each in filters])
        until(lambda: ready)

    def _hear(self, _client: object, _data: object, packet: paho.MQTTMessage) -> None:
        self.heard.append((packet.topic, bytes(packet.payload), bool(packet.retain)))

    def at(self, topic: str) -> list[bytes]:
        return [payload for where, payload, _ in list(self.heard) if where == topic]

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def place(sqlite_place: Place) -> Place:
    """What is said is the same wherever it is kept."""
    return sqlite_place


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    listeners: list[Listener] = []

    def start(port: int, *filters: str) -> Listener:
        listeners.append(Listener(port, *filters))
        return listeners[-1]

    yield start
    for each in listeners:
        each.leave()


def config(port: int, folder: Path, commune: str, **republish: Any) -> StationConfig:
    """The station is of a commune of its own, so that no other test's takes its client id."""
    return StationConfig.model_validate_json(
        json.dumps(
            {
                "commune": commune, "state_dir": str(folder), "broker": {"port": port},
                "outward": {"republish": republish}, "web": {},
            }
        )
    )  # fmt: skip


@pytest.fixture
def at_work(engines: Engines, tmp_path: Path, commune: str) -> Iterator[Callable[..., Republishers]]:
    running: list[Republishers] = []

    def start(port: int, **republish: Any) -> Republishers:
        running.append(Republishers(config(port, tmp_path, commune, **republish), engines[0]))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.close()


def test_by_default_there_is_none(tmp_path: Path) -> None:
    assert list(conventions(config(1883, tmp_path, "hai-ninh"))) == []


def test_each_convention_says_what_is_kept_below_its_own_prefix(
    address: Address,
    store: Store,
    commune: str,
    at_work: Callable[..., Republishers],
    listen: Callable[..., Any],
) -> None:
    present_box(store)
    prefixes = {name: f"{commune}/{name}" for name in ("home", "discovery", "frigate", "onvif")}
    there = listen(address.port, f"{commune}/#")
    at_work(
        address.port,
        home_assistant={"prefix": prefixes["home"], "discovery": prefixes["discovery"], "pictures": True},
        frigate={"prefix": prefixes["frigate"]},
        onvif={"prefix": prefixes["onvif"]},
    )
    until(lambda: there.at(f"{prefixes['frigate']}/available"))
    until(lambda: there.at(f"{prefixes['discovery']}/device/hai-ninh/north-01/config"))
    until(lambda: there.at(f"{prefixes['home']}/hai-ninh/north-01/status") == [b"online"])
    data, image = a_thumbnail()

    def say(number: int) -> bool:
        """The one of ONVIF says nothing when it begins to listen."""
        event = event_now(number, image=image)
        store.commit([event, picture_of(event, data)])
        found = (
            f"{prefixes['onvif']}/onvif-ej/RuleEngine/LineDetector/Crossed/&north-01.north/north-01/stop-line"
        )
        return bool(there.at(found))

    numbers = iter(range(1, 1000))
    until(lambda: say(next(numbers)))
    until(lambda: there.at(f"{prefixes['frigate']}/events"))
    until(lambda: data in there.at(f"{prefixes['home']}/hai-ninh/north-01/north/picture"))
    until(lambda: there.at(f"{prefixes['home']}/hai-ninh/north-01/north/rule/stop-line")[-1:] == [b"ON"])
    assert {topic.split("/")[1] for topic, *_ in there.heard} == set(prefixes)
    assert json.loads(there.at(f"{prefixes['frigate']}/events")[0])["type"] == "new"


def test_what_is_retained_is_there_for_who_comes_later_and_the_end_is_said(
    address: Address,
    store: Store,
    commune: str,
    at_work: Callable[..., Republishers],
    listen: Callable[..., Any],
) -> None:
    present_box(store)
    running = at_work(
        address.port, frigate={"prefix": f"{commune}/f"}, home_assistant={"prefix": f"{commune}/h"}
    )
    early = listen(address.port, f"{commune}/#")
    until(lambda: early.at(f"{commune}/h/hai-ninh/north-01/status"))

    later = listen(address.port, f"{commune}/#")
    until(lambda: later.at(f"{commune}/h/hai-ninh/north-01/status") == [b"online"])
    until(lambda: later.at(f"{commune}/f/available") == [b"online"])
    running.close()
    until(lambda: later.at(f"{commune}/f/available") == [b"online", b"offline"])
    until(lambda: later.at(f"{commune}/h/status") == [b"online", b"offline"])


def test_what_is_late_is_not_said(
    address: Address,
    store: Store,
    commune: str,
    at_work: Callable[..., Republishers],
    listen: Callable[..., Any],
) -> None:
    there = listen(address.port, f"{commune}/#")
    at_work(address.port, frigate={"prefix": commune})
    until(lambda: there.at(f"{commune}/available"))
    store.commit([event_now(1, ago_s=3600), event_now(2, replayed=True), event_now(3)])

    until(lambda: there.at(f"{commune}/events"))
    (only,) = there.at(f"{commune}/events")
    assert json.loads(only)["after"]["id"] == "e-3"


@pytest.mark.long
@pytest.mark.broker
def test_after_the_broker_was_away_all_that_is_retained_is_there_again(
    mosquitto: Mosquitto, store: Store, at_work: Callable[..., Republishers], listen: Callable[..., Any]
) -> None:
    present_box(store)
    first = listen(mosquitto.port, "h/#")
    at_work(mosquitto.port, home_assistant={"prefix": "h"})
    until(lambda: first.at("h/hai-ninh/north-01/status") == [b"online"])
    mosquitto.kill()
    first.leave()
    mosquitto.start()

    second = listen(mosquitto.port, "h/#")
    until(lambda: second.at("h/hai-ninh/north-01/status") == [b"online"])
    until(lambda: second.at("h/status") == [b"online"])


@pytest.mark.broker
def test_who_is_killed_is_said_to_be_away_by_the_broker(
    mosquitto: Mosquitto, store: Store, engines: Engines, tmp_path: Path, listen: Callable[..., Any]
) -> None:
    """Its will: here the connection is taken over by another client of its id, as a second life would."""
    there = listen(mosquitto.port, "f/#")
    first = Republishers(config(mosquitto.port, tmp_path, "hai-ninh", frigate={"prefix": "f"}), engines[0])
    first.start()
    until(lambda: there.at("f/available") == [b"online"])
    second = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="ngatu-outward.hai-ninh.station.frigate",
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    second.connect("127.0.0.1", mosquitto.port)
    second.loop_start()
    until(lambda: b"offline" in there.at("f/available"))
    second.disconnect()
    second.loop_stop()
    first.close()


@pytest.mark.broker
def test_who_may_not_publish_says_so_once_and_goes_on(
    start_mosquitto: Callable[..., Mosquitto], store: Store, at_work: Callable[..., Any], tmp_path: Path
) -> None:
    present_box(store)
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    broker = start_mosquitto(f"acl_file {rules}")
    with capture_logs() as lines:
        at_work(broker.port, home_assistant={})
        until(lambda: [line for line in lines if line["event"] == "republisher_denied"])
        store.commit([event_now(1)])
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["republisher_denied"]
