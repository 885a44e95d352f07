"""P43, P46, P49, P54, P61: a box that says what no box of ours would say, and a foreign folder."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import paho.mqtt.client as paho

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from tests.acceptance.faults.stage import playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import Mosquitto, until
from tests.support.fake_box import an_event

ROOM = "ngatu/v1/test-commune"


class RawBox:
    """A box's name and a connection: publishes whatever it is given, and notes when its receipts came."""

    def __init__(self, port: int, device: str) -> None:
        self.device = device
        self.receipted: dict[int, float] = {}
        """Number -> monotonic second of its first receipt."""
        self.said, self.taken = 0, 0
        """Messages published, and those of them that the broker has acknowledged."""
        self._station = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, device, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(200)
        self._client.on_message = self._hear
        self._client.on_publish = lambda *_: setattr(self, "taken", self.taken + 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(f"{ROOM}/{device}/receipt", 1), (f"{ROOM}/station/status", 1)]
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def until_station(self) -> None:
        """Wait for the station: what is said before it listens is heard by nobody."""
        until(self._station.is_set, 60, "the station came")

    def say(self, suffix: str, body: dict[str, object]) -> None:
        """Publish this JSON below the box."""
        self.raw(suffix, json.dumps(body).encode())

    def raw(self, suffix: str, body: bytes) -> None:
        """Publish these bytes below the box."""
        self.said += 1
        self._client.publish(f"{ROOM}/{self.device}/{suffix}", body, qos=1)

    def event(self, seq: int, **fields: object) -> None:
        """Publish an event with some fields changed."""
        self.say("camera/north/event", self.an_event(seq) | fields)

    def an_event(self, seq: int) -> dict[str, object]:
        """An event of this box, as JSON."""
        now = Instant(time.monotonic(), time.time())
        event = replace(an_event(seq), at=now)
        sender = Sender("test-commune", self.device, "north", "boot-1")
        (message,) = event_messages(event, sender)[:1]
        stored = Stored(seq, message, sha256(message.body).hexdigest(), now)
        document: dict[str, object] = json.loads(codec.finish(stored, f"s-{self.device}", now))
        return document | {"id": f"{self.device}-{seq}"}

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("station/status"):
            self._station.set()
            return
        for first, last in json.loads(message.payload)["committed"]:
            for seq in range(first, min(last, first + 100_000) + 1):
                self.receipted.setdefault(seq, time.monotonic())


@promise(
    "P43", "a box's clock flaps: clock maps without end, beside the events of another box",
    "the other box's receipts come within 5 s (p95); the station has every message of both",
)  # fmt: skip
def flapping_clock(trial: Trial) -> str:
    """The maps come as fast as the station takes them, over events that each of them could put right."""
    maps, events = trial.size(2000, 10_000), trial.size(30, 100, quick=10)
    with playing(trial.folder) as (_, server, station):
        flapping, other = RawBox(server.port, "flapping-01"), RawBox(server.port, "other-01")
        flapping.until_station()
        unknown = {"state": "unknown", "error_ms": None, "boot_id": "b-1"}
        for seq in range(1, 301):
            flapping.event(seq, clock=unknown | {"mono_ms": seq})
        flaps = threading.Thread(target=_flap, args=(flapping, maps), daemon=True)
        flaps.start()
        sent: dict[int, float] = {}
        for seq in range(1, events + 1):
            sent[seq] = time.monotonic()
            other.event(seq)
            until(lambda seq=seq: seq in other.receipted, 120)  # type: ignore[misc]
        flaps.join(300)
        until(lambda: station.count() == 300 + maps + events, 60)
        flapping.close()
        other.close()
    waits = sorted(other.receipted[seq] - at for seq, at in sent.items())
    p95 = waits[int(len(waits) * 0.95)]
    if p95 > 5:
        raise Broken(f"receipts of the other box after {p95:.1f} s (p95)")
    return f"{maps} maps, {events} events: receipts p50 {waits[len(waits) // 2]:.2f} s, p95 {p95:.2f} s"


def _flap(box: RawBox, maps: int) -> None:
    """Never more than 500 without a receipt: what a broker keeps for a slow station is bounded, too."""
    for number in range(301, 301 + maps):
        until(lambda number=number: len(box.receipted) > number - 500, 300)  # type: ignore[misc]
        box.say("camera/box/clock_map", _clock_map(number, 1000 + number))


def _clock_map(seq: int, mono_ms: int) -> dict[str, object]:
    now = codec.moment(Instant(0.0, time.time())).isoformat().replace("+00:00", "Z")
    posted = {"seq": seq, "stream": "s-flapping-01", "published_at": now, "replayed": False, "schema": "1.0"}
    clock = {"state": "ntp", "error_ms": 5, "boot_id": "b-1", "mono_ms": mono_ms}
    return posted | {"session": "life", "time": now, "clock": clock}


class Terminal:
    """`ngatu watch` on a terminal east of Greenwich, and all that it wrote there."""

    def __init__(self, port: int) -> None:
        ours, theirs = pty.openpty()
        self.written = bytearray()
        words = [sys.executable, "-m", "agent", "watch", "--host", "127.0.0.1", "--port", str(port)]
        environment = {**os.environ, "TZ": "Asia/Ho_Chi_Minh", "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._fd = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End it, and read what it still writes."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        os.close(self._fd)

    def _read(self) -> None:
        try:
            while piece := os.read(self._fd, 65536):
                self.written += piece
        except OSError:  # the other end is closed
            return


@contextmanager
def watched(folder: Path) -> Iterator[tuple[RawBox, Terminal]]:
    """A broker, a box of ours to forge and a terminal."""
    server = Mosquitto(folder).start()
    terminal, box = Terminal(server.port), RawBox(server.port, "hostile-01")
    try:
        until(lambda: b"receipted" in terminal.written or b"messages" in terminal.written, 30)
        yield box, terminal
    finally:
        box.close()
        terminal.close()
        server.kill()


@promise(
    "P46", "an event of the year 9999, and then an alert, before `ngatu watch` on a terminal",
    "the alert is shown",
)  # fmt: skip
def year_9999(trial: Trial) -> str:
    """East of Greenwich the last hours of that year have no local time."""
    with watched(trial.folder) as (box, terminal):
        box.event(1, time="9999-12-31T23:59:59Z")
        time.sleep(1.0)  # some turns of the thread that renews the table
        began = time.monotonic()
        box.event(2, severity="alert", direction="towards-the-market")
        until(lambda: b"towards-the-market" in terminal.written, 15)
        took_s = time.monotonic() - began
    return f"the alert after it was shown in {took_s:.1f} s"


ORDERS = {
    "colour": "\x1b[31;5m", "clipboard": "\x1b]52;c;aGk=\x07", "title": "\x1b]0;pwned\x1b\\",
    "one-byte CSI": "\x9b2J", "line": "\r\n[info] all boxes well", "direction": "\u202egpj.exe",
}  # fmt: skip


@promise(
    "P49", "events whose words are orders to a terminal, before `ngatu watch` and in a station's log",
    "no such order reaches either",
)  # fmt: skip
def terminal_orders(trial: Trial) -> str:
    """What the table itself writes (cursor, colours) is told apart by a mark in each word."""
    with watched(trial.folder) as (box, terminal):
        for seq, order in enumerate(ORDERS.values(), 1):
            box.event(seq, direction=f"mark{seq}{order}", detail=order, end_reason=None)
        until(lambda: all(f"mark{seq}".encode() in terminal.written for seq in range(1, len(ORDERS) + 1)), 15)
    written = bytes(terminal.written)
    through = [
        name for seq, (name, order) in enumerate(ORDERS.items(), 1) if f"mark{seq}{order}".encode() in written
    ]
    with playing(trial.folder) as (_, server, station):
        hostile = RawBox(server.port, "hostile-01")
        hostile.until_station()
        for seq, order in enumerate(ORDERS.values(), 1):  # the key stands in the words of the refusal
            hostile.say("health", {"time": "x", "versions": {f"mark{seq}{order}": 5}})
        until(lambda: len(station.rows("select 1 from quarantine")) == len(ORDERS), 20)
        hostile.close()
        log = (station.folder / "station.log").read_bytes()
    through += [f"{name} in the log" for name, order in ORDERS.items() if order.encode() in log]
    if through:
        raise Broken(f"went through: {', '.join(through)}")
    return f"{len(ORDERS)} kinds of order: none on the terminal, none in {len(log)} bytes of log"


@promise(
    "P54",
    "a box numbers its messages near 2^63; gaps in the store add up beyond 64 bits",
    "`ngatu station stats` answers",
)
def numbers_without_end(trial: Trial) -> str:
    """Two gaps whose sum leaves 64 bits."""
    with playing(trial.folder) as (_, server, station):
        hostile = RawBox(server.port, "hostile-01")
        hostile.until_station()
        for stream in ("s-a", "s-b", "s-c"):
            hostile.event(1, stream=stream, id=f"{stream}-1")
            hostile.event(2**63 - 2, stream=stream, id=f"{stream}-2")
            hostile.event(2**53 - 2, stream=stream, id=f"{stream}-3")
        until(lambda: station.count() >= 6, 20)
        station.end()
        hostile.close()
        with_gaps = subprocess.run(
            [sys.executable, "-c", _GAPS, str(station.folder / "station.db")], check=True, capture_output=True
        )
        words = [sys.executable, "-m", "agent", "station", "stats", "-c", str(station.config)]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
    if said.returncode:
        raise Broken(f"exit {said.returncode}: {said.stdout[-200:]}{said.stderr[-200:]}")
    return f"answered, with gaps of {with_gaps.stdout.decode().strip()} messages"


_GAPS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for (stream,) in db.execute("select id from stream").fetchall():
    for _ in range(2):
        db.execute("insert into gap (stream_id, first, last, missing, state, opened_ms) "
                   "values (?, 2, 9223372036854775805, 9223372036854775804, 'open', 1)", (stream,))
db.commit()
print(sum(missing for (missing,) in db.execute("select missing from gap")))
"""


@promise(
    "P61", "the agent is started in a folder that holds another program called `agent`",
    "the camera sees, and nothing of the other program runs",
)  # fmt: skip
def foreign_folder(trial: Trial) -> str:
    """A camera's child once looked into the current folder before anything else."""
    foreign = trial.folder / "agent" / "cameras" / "decode"
    foreign.mkdir(parents=True)
    mark = trial.folder / "foreign-code-ran"
    for folder in (foreign.parent.parent, foreign.parent, foreign):
        (folder / "__init__.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (foreign / "worker.py").write_text("raise SystemExit(1)\n")
    words = [sys.executable, "-P", "-c", _LOOK, str(trial.folder / "clip.avi")]
    said = subprocess.run(words, cwd=trial.folder, capture_output=True, text=True, check=False, timeout=60)
    if mark.exists() or said.returncode:
        raise Broken(f"foreign code ran: {mark.exists()}; {said.stdout[-200:]}{said.stderr[-300:]}")
    return said.stdout.strip()


_LOOK = """
import sys
import cv2, numpy as np
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
clip = sys.argv[1]
film = cv2.VideoWriter(clip, cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
for each in range(20):
    film.write(np.full((240, 320, 3), each * 10, np.uint8))
film.release()
source = {"kind": "file", "path": clip, "pace": "fast"}
camera = IsolatedCamera(CameraSettings.model_validate({"name": "north", "source": source}), SystemClock())
seen = sum(1 for _ in camera.frames())
assert seen == 20, seen
print(f"{seen} pictures seen, nothing foreign ran")
"""
