"""Commands to the whole program: agent, mosquitto and a technician's client, and SIGKILL between them"""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.commands.audit import verify
from agent.wire import codec
from tests.support.boxes import Box, Station, at_work, stored
from tests.support.brokers import Mosquitto, until

HERE = "ngatu/v1/test-commune/test-box-01"
pytestmark = [pytest.mark.long, pytest.mark.broker]


class Desk:
    """Where a technician sits: sends commands, and keeps every answer and picture that comes."""

    def __init__(self, port: int) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.pictures: dict[str, bytes] = {}
        self.states: list[dict[str, Any]] = []
        self.number = 0
        self._stream: str | None = None
        self._have: dict[int, str] = {}
        self._lock = threading.Lock()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="desk", protocol=paho.MQTTv5)
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([(f"{HERE}/{each}", 1) for each in ("ack/#", "camera/#", "hello")])
        self.client.loop_start()
        status = {"state": "online", "station": "desk", "session": "s-1", "time": stamp()}
        self.client.publish("ngatu/v1/test-commune/station/status", json.dumps(status), qos=1, retain=True)

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        suffix = message.topic.removeprefix(f"{HERE}/")
        user = dict(getattr(message.properties, "UserProperty", []))
        document = json.loads(message.payload) if message.payload.startswith(b"{") else {}
        with self._lock:
            if suffix.startswith("ack/"):
                self.answers.setdefault(document["id"], []).append(document)
            elif suffix.endswith("/snapshot"):
                self.pictures[user["event_id"]] = message.payload
            elif suffix == "camera/road/status":
                self.states.append(document)
        seq, stream = document.get("seq", user.get("seq")), document.get("stream", user.get("stream"))
        if seq is not None and stream:
            self._have[int(seq)] = sha256(codec.body(message.payload)).hexdigest()[:16]
            receipt = {
                "station": "desk",
                "stream": stream,
                "proofs": sorted(self._have.items())[-500:],
            }
            self.client.publish(f"{HERE}/receipt", json.dumps({**receipt, "time": stamp()}), qos=1)

    def send(self, verb: str, life_s: float = 600, retain: bool = False, **args: Any) -> str:
        """One command; its id."""
        self.number += 1
        name = f"cmd-{self.number}"
        times = {"issued_at": stamp(), "expires_at": stamp(life_s)}
        command = {"id": name, **times, "issuer": "desk", "args": args}
        life = Properties(PacketTypes.PUBLISH)
        life.MessageExpiryInterval = max(1, int(life_s))
        self.client.publish(
            f"{HERE}/command/{verb}", json.dumps(command), qos=1, retain=retain, properties=life
        ).wait_for_publish(5)
        return name

    def final(self, name: str) -> dict[str, Any] | None:
        return self.answers.get(name, [None])[-1]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def stamp(after_s: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=after_s)).isoformat(timespec="milliseconds")


@pytest.fixture
def desk(mosquitto: Mosquitto) -> Iterator[Desk]:
    with closing(Desk(mosquitto.port)) as desk:
        yield desk


@pytest.fixture
def box(tmp_path: Path, mosquitto: Mosquitto) -> Box:
    return Box(tmp_path, mosquitto.port)


def audited(box: Box) -> Counter[tuple[str, str]]:
    """How often each command reached each state, in the log of all lives."""
    lines = (box.folder / "state/audit.log").read_text().splitlines()
    return Counter((line["id"], line["state"]) for line in map(json.loads, lines) if "id" in line)


def logged(box: Box, what: str) -> list[dict[str, Any]]:
    """The lines of its log with that name."""
    lines = [json.loads(line) for line in box.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == what]


def test_a_running_box_does_what_it_is_told(box: Box, desk: Desk) -> None:
    with at_work(box):
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 40, "it watches")
        ping, picture = desk.send("ping"), desk.send("snapshot", camera="road")
        until(lambda: desk.final(ping) and desk.final(picture) and picture in desk.pictures, 20, "both answers")
        assert desk.answers[ping][-1]["state"] == "done"
        assert desk.pictures[picture].startswith(b"\xff\xd8")
        pause = desk.send("set", camera="road", action="pause", until=stamp(3600))
        until(lambda: desk.states[-1]["state"] == "disabled", 20, "the camera is paused")
        assert "paused by desk until" in desk.states[-1]["reason"]
        dark = desk.send("snapshot", camera="road")
        desk.send("set", camera="road", action="resume")
        until(lambda: desk.states[-1]["state"] == "streaming", 30, "it watches again")
        until(lambda: desk.final(dark), 20)
        retained = desk.send("restart", retain=True)
        until(lambda: desk.final(retained), 20, "a retained order is refused")
        assert desk.answers[retained][-1]["state"] == "refused"
        assert box.stop() == 0

    assert desk.answers[pause][-1]["state"] == "done"
    states = audited(box)
    assert max(count for (_, state), count in states.items() if state == "done") == 1
    assert verify(box.folder / "state/audit.log") is None


def test_a_service_ends_on_the_order_to_restart_with_the_code_that_asks_for_it(
    box: Box, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(box.folder))
    with at_work(box):
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 40, "it watches")
        restart = desk.send("restart")
        assert box.wait(15) == 75
        box.start()
        until(lambda: desk.final(restart), 40, "the next life answers")
        assert box.stop() == 0

    assert desk.answers[restart][-1]["state"] == "done"
    assert [line["why"] for line in logged(box, "started")] == ["first_start", "restart_ordered"]


def test_a_box_that_was_started_by_hand_begins_anew_by_itself_and_says_so(box: Box, desk: Desk) -> None:
    with at_work(box):
        assert box.process is not None
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 40, "it watches")
        for verb in ("restart", "reload"):
            desk.states.clear()
            ordered = desk.send(verb)
            until(lambda name=ordered: desk.final(name), 40, "the next life answers")  # type: ignore[misc]
            assert desk.answers[ordered][-1]["state"] == "done"
            assert box.process.poll() is None, "the same process"
            until(lambda: desk.states and desk.states[-1]["state"] == "streaming", 40, "it watches again")
        assert box.stop() == 0

    lives = logged(box, "started")
    assert [life["why"] for life in lives] == ["first_start", "restart_ordered", "restart_ordered"]
    assert len({life["session"] for life in lives}) == 3
    assert not logged(box, "events_closed_after_restart")
    assert max(count for (_, state), count in audited(box).items() if state == "done") == 1
    assert verify(box.folder / "state/audit.log") is None


def test_by_hand_an_order_that_would_end_the_box_is_answered_with_why_not(box: Box, desk: Desk) -> None:
    with at_work(box):
        assert box.process is not None
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 40, "it watches")
        box.config.write_text(box.config.read_text().replace("squares.onnx", "none.onnx"))
        orders = [desk.send("reload"), desk.send("restart")]
        until(lambda: all(desk.final(each) for each in orders), 20, "both are answered")
        assert box.process.poll() is None
        assert box.stop() == 0

    for each in orders:
        assert desk.answers[each][-1]["state"] == "failed"
        assert "none.onnx" in desk.answers[each][-1]["detail"]
    assert len(logged(box, "started")) == 1


def test_who_asks_a_box_to_end_while_it_begins_anew_is_obeyed(box: Box, desk: Desk) -> None:
    with at_work(box):
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 40, "it watches")
        ordered = desk.send("restart")
        until(lambda: logged(box, "stopping"), 20, "it ends for the order")
        assert box.stop() in (0, -signal.SIGTERM)
        assert len(logged(box, "started")) == 1
        box.start()
        until(lambda: desk.final(ordered), 40, "the next life answers")
        assert box.stop() == 0


def test_what_a_stop_ends_says_stopped_and_only_a_death_says_restarted(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    box, station = Box(tmp_path, mosquitto.port), Station(tmp_path, mosquitto.port)
    with at_work(station, box):
        until(lambda: stored(station, "object", "start"), 40, "the first car is told")
        until(lambda: box.outbox_number("select count(*) from open_event"), 20, "something is open")
        assert box.stop() == 0
        until(lambda: any(event["end_reason"] == "stopped" for event in station.events()), 20, "the ends came")
        station.end()

    reasons = {event["end_reason"] for event in station.events() if event["phase"] == "end"}
    assert "agent_restarted" not in reasons


def test_a_wrong_file_never_stops_a_box_and_the_station_hears_why(
    box: Box, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service: mistakes are refused at once; what no agent can start with is gone back from."""
    (box.folder / "service").mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", str(box.folder / "service"))
    good = box.config.read_text()
    with at_work(box):
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 40, "it watches")
        box.config.write_text(good.replace("max_fps", "mx_fps") + "nonsense: 1\n")
        wrong = desk.send("reload")
        until(lambda: desk.final(wrong), 20)
        assert box.process is not None and box.process.poll() is None
        box.config.write_text(good.replace("squares.onnx", "none.onnx"))
        unfit = desk.send("reload")
        assert box.wait(15) == 75
        desk.states.clear()
        box.start()
        until(lambda: desk.final(unfit), 40, "the life that went back tells it")
        until(lambda: any(state["state"] == "streaming" for state in desk.states), 20, "it watches")
        assert box.stop() == 0

    assert desk.answers[wrong][-1]["state"] == desk.answers[unfit][-1]["state"] == "failed"
    assert "nonsense: no such setting" in desk.answers[wrong][-1]["detail"]
    assert "the last good configuration is kept" in desk.answers[unfit][-1]["detail"]
    assert "none.onnx" in desk.answers[unfit][-1]["detail"]
    assert '"config_refused"' in box.log.read_text()


@pytest.mark.parametrize("seed", [7])
def test_no_command_is_done_twice_or_missed_however_often_the_box_is_killed(
    box: Box, desk: Desk, seed: int
) -> None:
    """P13 in small. By hand with 1,000 commands over 40 kills: 0 twice, 0 missing."""
    chance = random.Random(seed)
    sent: list[str] = []
    with at_work(box):
        until(lambda: desk.states, 40, "it is known to the broker")
        for _life in range(3):
            for at in range(12):
                verb = chance.choice(["ping", "ping", "set"])
                args = {"camera": "road", "action": "resume"} if verb == "set" else {}
                sent.append(desk.send(verb, **args))
                if at == 8:
                    box.kill()  # the last three find nobody
            desk.states.clear()
            box.start()
            until(lambda: desk.states if chance.random() < 0.5 else True, 40)
            time.sleep(chance.uniform(0, 0.8))
        until(lambda: all(desk.final(name) for name in sent) and desk.states, 60, "every command is answered")
        assert box.stop() == 0

    finals = {
        json.dumps({k: v for k, v in answer.items() if k in ("id", "state", "time")})
        for name in sent
        for answer in desk.answers[name]
        if answer["state"] == "done" and "repeated" not in (answer["detail"] or "")
    }
    assert len(finals) == len(sent)  # each was done, and each copy of its answer tells of the same deed
    assert {desk.final(name)["state"] for name in sent} == {"done"}  # type: ignore[index]
    assert verify(box.folder / "state/audit.log") is None
