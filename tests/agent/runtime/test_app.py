"""agent.runtime.app"""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import paho.mqtt.client as paho
import psutil
import pytest

from agent.clock import SystemClock, Trust
from agent.config.schema import load
from agent.core.types import Detection, Image
from agent.detectors import Detector
from agent.host.watchdog import Watchdog
from agent.runtime.app import STOP_S, Agent
from agent.status import health
from station.watch.embedded import Address
from tests.agent.host.test_machine import board
from tests.conftest import SteppedClock
from tests.support.boxes import Box, at_work
from tests.support.brokers import free_port, until
from tests.support.threads import begun_since

HERE = "ngatu/v1/test-commune/test-box-01"


def changed(box: Box, *changes: tuple[str, str]) -> Box:
    """The box with other words in its configuration."""
    text = box.config.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    box.config.write_text(text)
    return box


@contextmanager
def silent_broker() -> Iterator[int]:
    """Takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.long
def test_a_box_told_twice_stops_in_time_though_its_broker_is_silent(tmp_path: Path) -> None:
    with silent_broker() as port:
        box = Box(tmp_path, port)
        with at_work(box):
            until(lambda: box.accepted() > 0, 40, "it watches")
            assert box.process is not None
            family = psutil.Process(box.process.pid).children(recursive=True)
            began = time.monotonic()
            box.process.send_signal(signal.SIGTERM)
            box.process.send_signal(signal.SIGTERM)
            until(lambda: '"stopping"' in box.log.read_text(), 5)
            while box.process.poll() is None and time.monotonic() - began < STOP_S + 2:
                box.process.send_signal(signal.SIGTERM)  # also while the interpreter takes itself down
                time.sleep(0.001)
            code = box.wait(1)
            took_s = time.monotonic() - began

    assert code == 0, box.log.read_text()[-2000:]
    assert took_s <= STOP_S
    assert family
    assert not [child for child in family if child.is_running()]
    assert "Traceback" not in box.log.read_text()


@pytest.mark.long
def test_it_works_as_long_as_it_is_told(tmp_path: Path) -> None:
    box = Box(tmp_path, free_port())
    with at_work():
        box.start("--for", "0.5")
        assert box.wait(40) == 0

    assert '"stopped"' in box.log.read_text()


@pytest.fixture
def said(embedded: Address) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Every state and event that the broker hears of the box, by topic below the box."""
    heard: dict[str, list[dict[str, Any]]] = {}

    def hear(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        suffix = message.topic.removeprefix(f"{HERE}/")
        if suffix in ("info", "health", "status") or suffix.endswith(("/status", "/event")):
            heard.setdefault(suffix, []).append(json.loads(message.payload))

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = hear
    client.connect(embedded.host, embedded.port)
    client.subscribe(f"{HERE}/#", qos=1)
    client.loop_start()
    yield heard
    client.disconnect()
    client.loop_stop()


@pytest.mark.long
def test_a_box_says_what_it_is_and_how_it_is_and_leaves_no_thread_and_no_process(
    tmp_path: Path,
    embedded: Address,
    said: dict[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = Box(tmp_path, embedded.port)
    threads, family = threading.enumerate(), psutil.Process().children(recursive=True)
    systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind(str(tmp_path / "notify"))
    systemd.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

    agent = Agent(load(box.config), SystemClock())
    work = threading.Thread(target=agent.run)
    work.start()
    try:
        until(lambda: any(info["cameras"][0]["frame"] for info in said.get("info", ())), 30, "its frame size")
        until(lambda: any(each["cameras"]["road"]["state"] == "streaming" for each in said["health"]), 10)
        until(lambda: said["health"][-1]["cpu_pct"] is not None, 10)
        health = said["health"][-1]
    finally:
        agent.stop.set()
        work.join(STOP_S + 5)

    assert not work.is_alive()
    assert said["info"][0]["cameras"][0]["frame"] is None
    assert said["info"][-1]["cameras"][0]["frame"] == {"width_px": 512, "height_px": 256}
    assert said["info"][-1]["config_sha256"] == health["config_sha256"]
    until(lambda: said["status"][-1]["state"] == "stopped", 5)
    assert [each["state"] for each in said["status"]] == ["online", "stopped"]
    assert said["status"][0]["session"] == health["session"]
    states = [each["state"] for each in said["camera/road/status"]]
    assert list(dict.fromkeys(states)) == ["disabled", "streaming"]
    assert (states[-1], said["camera/road/status"][-1]["reason"]) == ("disabled", "the agent stops")

    assert health["boot_reason"] == "first_start"
    assert 0 <= health["cpu_pct"] <= 100
    assert 20 << 20 < health["rss_bytes"] < 4 << 30
    assert health["disk"]["free_bytes"] > 0
    assert health["disk"]["written_bytes"] is not None
    assert health["uptime_s"] > 0
    assert 1 < health["cameras"]["road"]["fps_analysed"] < 12
    assert health["mqtt"]["connected_s"] >= 0
    assert health["outbox"]["confirm"] == "receipt"
    unknown_here = {"certificate_ends", "cpu_temp_c", "footage", "shadow", "throttled"}
    assert {name for name, value in health.items() if value is None} <= unknown_here
    assert set(health["degraded"]) <= {"clock_untrusted"}

    notices = [systemd.recv(100) for _ in range(2)]
    assert notices == [b"READY=1", b"WATCHDOG=1"]
    while notices[-1] == b"WATCHDOG=1":
        notices.append(systemd.recv(100))
    assert notices[-1] == b"STOPPING=1"
    systemd.close()

    assert not set(psutil.Process().children(recursive=True)) - set(family)
    until(lambda: not begun_since(threads), 5)


@pytest.mark.long
def test_a_box_without_a_detector_tells_motion_and_says_that_no_network_ran(
    tmp_path: Path, embedded: Address, said: dict[str, list[dict[str, Any]]]
) -> None:
    box = Box(tmp_path, embedded.port)
    (tmp_path / "squares.onnx").unlink()
    text = box.config.read_text()
    rules = "    attention: {enabled: false}\n    rules: [{kind: motion, id: movement}]\n"
    box.config.write_text(text[: text.index("    zones:")] + rules)
    with at_work(box):
        until(lambda: "camera/road/event" in said, 40, "an event")
    event = said["camera/road/event"][0]
    assert (event["kind"], event["model"], event["image"] is not None) == ("motion", None, True)
    assert said["info"][-1]["model"] is None


class Hanging:
    """A network that hangs while it is asked to, as a driver may."""

    def __init__(self, inner: Detector, hang: threading.Event, go_on: threading.Event) -> None:
        self._inner, self._hang, self._go_on = inner, hang, go_on
        self.name, self.sha256 = inner.name, inner.sha256
        self.input_size, self.labels = inner.input_size, inner.labels

    def detect(self, images: Sequence[Image]) -> Sequence[Sequence[Detection]]:
        if self._hang.is_set():
            self._go_on.wait(30)
        return self._inner.detect(images)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.long
def test_whichever_loop_hangs_the_watchdog_starves_until_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise P24; tests/repo/test_deploy.py adds up the seconds."""
    monkeypatch.setattr("agent.runtime.app.TICK_S", 0.2)
    agent = Agent(load(Box(tmp_path, free_port()).config), SystemClock())
    agent.heartbeats.limit_s, agent.watchdog = 1.5, Watchdog(agent.heartbeats, 0.2)
    network, disk, journal = threading.Event(), threading.Event(), threading.Event()
    go_on = threading.Event()
    agent.detector.inner = Hanging(agent.detector.inner, network, go_on)
    monkeypatch.setattr(agent.outbox, "condition", hanging(agent.outbox.condition, disk, go_on))
    monkeypatch.setattr(agent.journal, "begin", hanging(agent.journal.begin, journal, go_on))
    work = threading.Thread(target=agent.run)
    work.start()
    try:
        until(lambda: agent.cameras["road"].state.state == "streaming", 30, "it watches")
        for hang, loop in ((network, "camera road"), (disk, "main"), (journal, "commands")):
            go_on.clear()
            hang.set()
            if hang is journal:  # nothing is begun unless it is commanded
                agent.commands.heard(f"{HERE}/command/ping", ping(), False, lambda: None)
            until(lambda loop=loop: loop in agent.watchdog.hanging, 15, f"{loop} is missed")
            hang.clear()
            go_on.set()
            until(lambda: not agent.watchdog.hanging, 15, f"all go on after {loop}")
    finally:
        go_on.set()
        agent.stop.set()
        work.join(STOP_S + 5)

    assert not work.is_alive()


def hanging(inner: Callable[..., Any], hang: threading.Event, go_on: threading.Event) -> Callable[..., Any]:
    """A part that hangs while it is asked to, as a disk may."""

    def asked(*words: Any) -> Any:
        if hang.is_set():
            go_on.wait(30)
        return inner(*words)

    return asked


def ping() -> bytes:
    """A command that is in time."""
    now = datetime.now(UTC)
    times = {"issued_at": now.isoformat(), "expires_at": (now + timedelta(minutes=1)).isoformat()}
    return json.dumps({"id": str(uuid4()), "issuer": "desk", "args": {}, **times}).encode()


def test_a_look_at_a_disk_that_is_well_does_not_ask_how_far_to_trust_the_clock(
    tmp_path: Path, clock: SteppedClock
) -> None:
    asked: list[int] = []

    def trusted() -> Trust:
        asked.append(1)
        return Trust("ntp", 5)

    agent = Agent(load(Box(tmp_path, free_port()).config), clock, trusted=trusted)
    asked.clear()
    agent.disk.tick()
    agent.close()

    assert asked == []


def test_a_hot_box_slows_its_cameras_down_and_says_so_at_once(tmp_path: Path, clock: SteppedClock) -> None:
    sys = board(tmp_path / "sys", zones=(("cpu-thermal", "90000"),))
    box = changed(Box(tmp_path, free_port()), ("interval_s: 5", "interval_s: 240"))
    agent = Agent(load(box.config), clock, sys, trusted=lambda: Trust("ntp", 5))
    wanted = agent.cameras["road"].fps_wanted
    agent.retained.publish()
    assert not agent.retained.due
    for _ in range(7):
        agent.look()
        clock.advance(2)

    assert agent.retained.due  # so that the station hears of it at the next turn
    report = health.report(agent.sources, clock)
    assert "overheated" in report.degraded
    assert report.cameras["road"].fps_wanted == agent.cameras["road"].fps_wanted == wanted / 2
    (left_open,) = agent.outbox.open_events()
    assert (left_open.topic, json.loads(left_open.body)["kind"]) == ("camera/box/event", "overheated")
    agent.load.close()
    assert agent.outbox.open_events() == []
    agent.close()
