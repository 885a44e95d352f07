"""A box, a broker and a station in processes of their own, which may be killed, and their histories."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from tests.acceptance.faults import cradle
from tests.acceptance.faults.judge import Findings, Number, Row, judged
from tests.acceptance.faults.progress import QUIET_S, least_left, until_none_is_missing
from tests.acceptance.faults.suite import Broken, NotTried
from tests.support.boxes import IMPATIENT
from tests.support.brokers import MOSQUITTO, Mosquitto
from tests.support.squares import write_clip, write_model

VICTIM = "tests.acceptance.faults.victim"
START_S = 300.0
"""Longer than a box takes to begin on a machine that does much else; no mark."""
READ_S = 300.0
"""Longer than reading what a dead box has left in its pipe takes on any machine."""


class Victim:
    """The box of victim.py over many lives; its histories lie here, outside of it."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        broker: str = "",
        more: str = "",
        camera: str = "",
        waits: str = IMPATIENT,
        state: Path | None = None,
        fed: int = 0,
    ) -> None:
        """`broker` and `more` are lines for the configuration; `camera` replaces the camera's rules.

        `waits` are the patience with the broker, `state` the folder of the state; `fed` is the number of the
        first event, so that those of two boxes differ.
        """
        self.folder = folder
        self.config = folder / "victim.yaml"
        self.state = state or folder / "state"
        folder.mkdir(exist_ok=True)
        clip, model = write_clip(folder / "road.mp4"), write_model(folder)
        self.config.write_text(
            f"device: {{commune: test-commune, id: victim-01}}\nstate_dir: {self.state}\n"
            f"broker: {{host: 127.0.0.1, port: {port}, {waits}{broker}}}\n{more}\n"
            f"detector: {{model: {model}}}\nhealth: {{interval_s: 5}}\n"
            f"cameras:\n  - name: road\n    max_fps: 2\n    source: {{kind: file, path: {clip}, loop: true}}\n"
            f"    rules: {camera or '[{kind: motion, id: movement}]'}\n",
            encoding="utf-8",
        )
        self.intended: list[str] = []
        self.accepted: list[Row] = []
        self.lives = 0
        self._process: subprocess.Popen[str] | cradle.Life | None = None
        self._reader: threading.Thread | None = None
        self._first = self._fed = fed
        self.ready = threading.Event()
        self.fed = threading.Event()
        """All events of this life are put."""
        self.hung_s = 0.0
        """When the first loop of this life began to hang, by the steady clock."""
        self.environment: dict[str, str] = {}

    def start(self, count: int, *, rate: float = 0.0, **more: object) -> Victim:
        """Begin a life in which so many events are fed; `more` are options of victim.py, such as kill_at.

        The first one is a program that was just started; the others begin where its imports are done.
        """
        self.ready.clear()
        self.fed.clear()
        self.hung_s = 0.0
        self.lives += 1
        options = []
        for name, value in more.items():
            options += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        words = [str(self.config), str(self._fed), str(count), str(rate), *options]
        with (self.folder / "victim.log").open("ab") as log:
            if self.lives > 1 and not self.environment:
                self._process = cradle.begun(VICTIM, (), words, log)
            else:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", VICTIM, *words],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env={**os.environ, **self.environment},
                )
        self._fed += count
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self.ready.wait(START_S):
            raise Broken(f"the box did not start: {self.last_words()}")
        return self

    @property
    def pid(self) -> int:
        """Of this life."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it is."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a power cut would, but for the disk's own cache."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 20) -> int:
        """End it; its exit status."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(within_s)
        self._read_to_its_end()
        return code

    def died(self, within_s: float) -> bool:
        """Whether it died by itself in time."""
        assert self._process is not None
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        self._read_to_its_end()
        return True

    def _read_to_its_end(self) -> None:
        """What it said before it died lies in the pipe and is read however long that takes."""
        assert self._reader is not None
        self._reader.join(READ_S)
        if self._reader.is_alive():
            raise Broken("somebody still holds the pipe of a box that is dead: its history is not whole")

    def until_fed(self) -> None:
        """Wait until all events of this life are put: the histories that it writes are whole then."""

        def to_come() -> int:
            return 0 if self.fed.is_set() or not self.alive else max(1, self._fed - self._first - self._put())

        until_none_is_missing(to_come, "events to be put")

    def _put(self) -> int:
        return sum("/" in row.name for row in list(self.accepted))

    def last_words(self) -> str:
        """The end of its log."""
        return (self.folder / "victim.log").read_text(errors="replace")[-600:]

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if not line.endswith("\n"):
                    return
                word, *rest = line.split()
                if word == "ready":
                    self.ready.set()
                elif word == "fed":
                    self.fed.set()
                elif word == "hang":
                    self.hung_s = self.hung_s or time.monotonic()
                elif word == "intend":
                    self.intended += rest
                elif word == "accept":
                    self.accepted.append(Row((rest[0], int(rest[1])), rest[2]))


class Receiver:
    """`ngatu station` in a process of its own, and what its store says in the judge's words."""

    def __init__(self, folder: Path, port: int, more: str = "", state: Path | None = None) -> None:
        """`more` are lines for its configuration; `state` is where its store is, if not beside its log."""
        self.folder = folder / "station"
        self.folder.mkdir(exist_ok=True)
        self.state = state or self.folder
        self.config = self.folder / "station.yaml"
        self.config.write_text(
            f"commune: test-commune\nname: test-commune\nstate_dir: {self.state}\n"
            f"broker: {{host: 127.0.0.1, port: {port}}}\n{more}\n",
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> Receiver:
        """Run it; `more` are options of its command."""
        with (self.folder / "station.log").open("ab") as log:
            words = [sys.executable, "-m", "agent", "station", "-c", str(self.config), *more]
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(15)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the store answers; nothing before it is there."""
        return read_beside(self.state / "station.db", query)[0]

    def count(self) -> int:
        """How many messages it has."""
        return int((self.rows("select count(*) from message") or [(0,)])[0][0])

    def seqs(self) -> set[tuple[str, int]]:
        """The numbers it has, of every stream."""
        return set(self.rows("select stream.name, seq from message join stream on stream.id = stream_id"))

    def events(self) -> list[dict[str, Any]]:
        """Every message of every event, by revision."""
        return [json.loads(row[0]) for row in self.rows("select body from event_revision order by revision")]

    def committed(self) -> list[Row]:
        """Every fed message it has; what the box says by itself is left out: nobody noted that it was due."""
        events, pictures, unnumbered = read_beside(
            self.state / "station.db",
            "select stream.name, seq, event_id || '/' || revision from event_revision join stream on "
            "stream.id = stream_id where json_extract(body, '$.camera') = 'fed' "
            "and json_extract(body, '$.end_reason') is not 'agent_restarted'",
            "select stream.name, seq, digest from message join stream on stream.id = stream_id "
            "where suffix like 'camera/fed/image/%'",
            # over MQTT 3.1.1, to which a box falls back from a broker that hangs up at once
            "select sha256 from picture where camera = 'fed' and sha256 not in "
            "(select digest from message where suffix like 'camera/fed/image/%')",
        )
        numbered = [Row((stream, seq), name) for stream, seq, name in [*events, *pictures]]
        return [*numbered, *(Row(None, sha256) for (sha256,) in unnumbered)]

    def closed_twice(self) -> int:
        """How many events that a death had left open were closed more than once."""
        return len(
            self.rows(
                "select event_id from event_revision where json_extract(body, '$.camera') = 'fed' and "
                "json_extract(body, '$.end_reason') = 'agent_restarted' group by event_id having count(*) > 1"
            )
        )

    def conflicts(self) -> int:
        """How often the station met another content under a known name."""
        return int((self.rows("select count(*) from conflict") or [(0,)])[0][0])


class Spy:
    """Hears everything that passes the broker, with the second at which it came."""

    def __init__(self, port: int) -> None:
        self.events: dict[str, tuple[float, float]] = {}
        """Event id -> seconds since 1970 of what happened, and of its first arrival."""
        self.states: dict[str, bytes] = {}
        """The latest payload of each topic."""
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe("ngatu/#", qos=1)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    @property
    def hears(self) -> bool:
        """Whether it is connected; after a broker's death it comes back by itself."""
        return self._client.is_connected()

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def state(self, suffix: str) -> dict[str, Any]:
        """The latest JSON of a topic that ends so; empty before there is one."""
        found = [payload for topic, payload in list(self.states.items()) if topic.endswith(suffix)]
        return dict(json.loads(found[-1])) if found and found[-1] else {}

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        now_s = time.time()
        self.states[message.topic] = message.payload
        if message.topic.endswith("/event"):
            payload = json.loads(message.payload)
            self.events.setdefault(payload["id"], (datetime.fromisoformat(payload["time"]).timestamp(), now_s))


@contextmanager
def playing(
    folder: Path,
    *broker: str,
    confirm: str = "",
    camera: str = "",
    more: str = "",
    station: str = "",
    state: Path | None = None,
) -> Iterator[tuple[Victim, Mosquitto, Receiver]]:
    """Broker and station at work, the box not yet; nothing outlives the block.

    `station` are lines of the station's configuration, `state` is where its store is, if not below the folder.
    """
    if MOSQUITTO is None:
        raise NotTried("mosquitto is not here: apt-get install mosquitto")
    server = Mosquitto(folder, *broker).start()
    victim = Victim(folder, server.port, broker=confirm, camera=camera, more=more)
    receiver = Receiver(folder, server.port, station, state).start()
    try:
        yield victim, server, receiver
    finally:
        victim.kill()
        receiver.end(signal.SIGKILL)
        server.kill()


@dataclass(frozen=True, slots=True)
class Played:
    """What was played on a stage, for the judge to read."""

    victim: Victim
    station: Receiver

    def intended(self) -> list[str]:
        """By what the feeder wrote before it asked."""
        return list(self.victim.intended)

    def accepted(self) -> list[Row]:
        """By what it wrote afterwards."""
        return list(self.victim.accepted)

    def waiting(self) -> set[Number]:
        """By the box's outbox."""
        return waiting_in(self.victim.state / "outbox.db")

    def committed(self) -> list[Row]:
        """By the station's store."""
        return self.station.committed()


def settled(victim: Victim, station: Receiver, quiet_s: float = QUIET_S) -> Findings:
    """The findings once everything accepted has arrived, or when no more of it comes (progress.py).

    As long as some of it waits in the box only the outbox is read: all three histories of a long trial are a
    reading of seconds, in the process through which its link goes, and so would themselves hold up what they
    wait for.
    """
    victim.until_fed()
    due = {row.number for row in victim.accepted if row.number}
    least_left(lambda: len(due & waiting_in(victim.state / "outbox.db")), quiet_s)
    findings: Findings | None = None

    def missing() -> int:
        nonlocal findings
        findings = judged(Played(victim, station))
        return findings.missing

    least_left(missing, quiet_s)
    assert findings is not None
    return findings


def events_lost(victim: Victim, station: Receiver) -> int:
    """How many accepted events do not come, by name: a stream in memory gives other numbers."""

    def missing() -> int:
        due = {row.name for row in list(victim.accepted) if "/" in row.name}
        return len(due - {row.name for row in station.committed()})

    victim.until_fed()
    return least_left(missing)


def waiting_in(outbox: Path) -> set[Number]:
    """The numbers that wait in a box's outbox, read beside the box."""
    return set(read_beside(outbox, "select stream, seq from life, message")[0])


def outbox_says(victim: Victim, query: str) -> int:
    """A number from the box's outbox, read beside it."""
    return int(read_beside(victim.state / "outbox.db", query)[0][0][0])


def read_beside(path: Path, *queries: str) -> list[list[tuple[Any, ...]]]:
    """What a database answers, read beside its owner: all answers are of one moment.

    Nothing before it is there and has its tables; whatever else keeps it from being read raises.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as database:
            database.execute("begin")
            return [database.execute(query).fetchall() for query in queries]
    except sqlite3.OperationalError as error:
        young = not path.exists() or str(error).startswith("no such table")
        if not young:
            raise
        return [[] for _ in queries]
