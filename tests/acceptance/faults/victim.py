"""A real box that is also fed with events of our own: `… .victim CONFIG FIRST COUNT RATE`.

It is `agent.runtime.app.Agent`, whole; its cameras work too. Standard output gets the history, in one write per
line, so that a kill cannot tear it from what happened:

    ready
    intend NAME…            before the outbox is asked
    accept STREAM SEQ NAME  after it has said yes
    fed                     all of this life's events are put
    hang                    what was told to hang does so now

`--kill-at PLACE:N` ends the process with SIGKILL at the N-th passage of a named place:

    before-commit, after-commit, before-publish, after-publish, before-forget, after-forget
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import paho.mqtt.client as paho
from numpy.typing import NDArray

from agent import clock, log
from agent.clock import SystemClock
from agent.config.schema import load
from agent.core.types import Box, Event, EventKind, ObjectState, Phase, Severity, Shot, Size
from agent.detectors.shared import SharedDetector
from agent.errors import OutboxError
from agent.evidence.clips.in_flight import PackageInFlight
from agent.host.machine import SYS
from agent.mqtt.connection import Connection
from agent.mqtt.inflight import InFlight, InFlightWindow
from agent.mqtt.scheduler import SendScheduler
from agent.outbox.outbox import Outbox
from agent.outbox.store import OutboxStore
from agent.publishing.compose import Sender, event_messages
from agent.runtime import app
from agent.wire.message import Message, Priority
from agent.workers.watching.camera import CameraWorker

HANGS_AFTER = 20
TOGETHER = 20
"""Messages in one put: as a busy junction's frame may give."""
STARTED = 7
"""One event in so many is left open: if the box dies, its next life must close it."""


def main() -> None:
    """Work until the process is killed or told to stop."""
    words = argparse.ArgumentParser()
    words.add_argument("config", type=Path)
    words.add_argument("first", type=int)
    words.add_argument("count", type=int)
    words.add_argument("rate", type=float, help="events a second; 0: as fast as it goes")
    words.add_argument("--kill-at")
    words.add_argument("--hang-at", choices=HANGS, help="this loop hangs for ever, from its twentieth turn")
    words.add_argument("--sys", type=Path, default=SYS, help="a folder that stands for /sys")
    words.add_argument("--ntp", action="store_true", help="the kernel says that NTP keeps its clock")
    words.add_argument("--raise-in", help="this callback of the MQTT library raises at each third call")
    words.add_argument("--plant", choices=PLANTS, help="a mistake that the judge must see")
    words.add_argument("--picture-every", type=int, default=10, help="one event in so many brings one; 0: none")
    words.add_argument("--warm", action="store_true", help="feed once the box has put a message of its own")
    words.add_argument("--picture-bytes", type=int, default=2000, help="about so large")
    asked = words.parse_args()
    out = os.dup(1)
    os.dup2(2, 1)  # the log
    log.configure("info", "json")
    if asked.kill_at:
        place, times = asked.kill_at.rsplit(":", 1)
        _arm(place, int(times))
    if asked.hang_at:
        _hang(*HANGS[asked.hang_at], lambda: os.write(out, b"hang\n"))
    if asked.ntp:
        clock.libc = _Kernel  # type: ignore[assignment]
    if asked.raise_in:
        _raise(asked.raise_in)
    if asked.plant:
        PLANTS[asked.plant]()
    agent = app.Agent(load(asked.config), SystemClock(), sys=asked.sys)
    signal.signal(signal.SIGTERM, lambda *_: agent.stop.set())
    feeder = Feeder(agent, lambda line: os.write(out, line.encode()), asked)
    feeding = threading.Thread(target=feeder.feed, args=(asked.first, asked.count), daemon=True)
    os.write(out, b"ready\n")
    agent.run(started=feeding.start)  # as the cameras' own threads: after the orphans of the last life


class Feeder:
    """Puts events into the box's outbox and writes down which."""

    def __init__(self, agent: app.Agent, write: Callable[[str], object], asked: argparse.Namespace) -> None:
        self._agent, self._write = agent, write
        self._rate, self._every, self._bytes = asked.rate, asked.picture_every, asked.picture_bytes
        self._warm = asked.warm
        self._together = TOGETHER if not asked.rate or asked.rate >= TOGETHER else 1

    def feed(self, first: int, count: int) -> None:
        """Events numbered from `first`."""
        cold = self._agent.outbox.bounds()
        while self._warm and self._agent.outbox.bounds() == cold and not self._agent.stop.is_set():
            self._agent.stop.wait(0.1)
        done = 0
        while done < count and not self._agent.stop.is_set():
            numbers = range(first + done, first + min(count, done + self._together))
            self._keep([message for number in numbers for message in self._messages(number)])
            done += self._together
            if self._rate:
                self._agent.stop.wait(self._together / self._rate)
        self._write("fed\n")

    def _keep(self, batch: Sequence[Message]) -> None:
        names = [name(message) for message in batch]
        self._write(f"intend {' '.join(names)}\n")
        while not self._agent.stop.is_set():
            try:
                stream, seqs = self._agent.outbox.stream, self._agent.outbox.put(batch)
            except OutboxError:
                self._agent.stop.wait(0.2)
                continue
            stream = self._agent.outbox.stream if self._agent.outbox.stream != stream else stream
            self._write("".join(f"accept {stream} {seq} {n}\n" for seq, n in zip(seqs, names, strict=True)))
            return

    def _messages(self, number: int) -> tuple[Message, ...]:
        now = self._agent.clock.now()
        rider = ObjectState(
            str(uuid4()), "motorcycle", 0.8, 0.9, 2, Box(0.4, 0.5, 0.5, 0.7), now, None, False, (), (), ()
        )
        phase = Phase.START if number % STARTED == 0 else Phase.END
        picture = None
        if self._every and number % self._every == 0:
            picture = Shot(_noise(number, self._bytes), now, Box(0.2, 0.2, 0.8, 0.8), 0.7)
        event = Event(
            str(uuid4()), 1, EventKind.LINE_CROSSED, phase, Severity.ALERT, now, "stop-line", "line", now,
            Size(640, 480), rider, direction="in", thumbnail=picture,
        )  # fmt: skip
        sender = Sender(self._agent.config.device.commune, self._agent.config.device.id, "fed", "boot-of-trial")
        return event_messages(event, sender)


def name(message: Message) -> str:
    """What tells a message from all others (judge.py)."""
    if message.content_type == "image/jpeg":
        return sha256(message.body).hexdigest()
    return f"{message.event_id}/{message.revision}"


def _noise(number: int, size_bytes: int) -> NDArray[np.uint8]:
    """A picture that no two events share; as JPEG about so large, for noise takes about a byte a pixel."""
    side = max(16, int((size_bytes / 1.1) ** 0.5))
    return np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)


# ------------------------------------------------------------------------------------------------ sudden death


def _arm(place: str, times: int) -> None:
    """Wrap the place so that its N-th passage is the last thing that happens."""
    left = [times]

    def pass_by() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    when, what = place.split("-")
    owner, method = {
        "commit": (OutboxStore, "put"),
        "publish": (SendScheduler, "_send"),
        "forget": (Outbox, "acknowledge"),
    }[what]
    inner = getattr(owner, method)

    def wrapped(*args: Any, **more: Any) -> Any:
        if when == "before":
            pass_by()
        result = inner(*args, **more)
        if when == "after":
            pass_by()
        return result

    setattr(owner, method, wrapped)


# -------------------------------------------------------------------------------------------- lesser troubles

HANGS: dict[str, tuple[type, str]] = {
    "capture": (CameraWorker, "watch"),
    "detector": (SharedDetector, "detect"),
    "outbox": (OutboxStore, "put"),  # as when the disk does not answer: whoever writes holds the outbox's lock
    "mqtt": (Connection, "turn"),
}


def _hang(owner: type, method: str, tell: Callable[[], object]) -> None:
    inner, turns = getattr(owner, method), [0]

    def wrapped(*args: Any, **more: Any) -> Any:
        turns[0] += 1
        if turns[0] > HANGS_AFTER:
            tell()
            threading.Event().wait()
        return inner(*args, **more)

    setattr(owner, method, wrapped)


def _send_once() -> None:
    """What the broker has taken is not sent again in this life, whatever becomes of it."""
    inner = InFlightWindow.disconnected

    def disconnected(self: InFlightWindow) -> list[InFlight]:
        taken = {seq: entry for seq, entry in self.messages.items() if entry.mid is None}
        unacked = inner(self)
        self.messages |= taken
        return unacked

    InFlightWindow.disconnected = disconnected  # type: ignore[method-assign]
    InFlightWindow.fall_due = lambda _self, _now: 0  # type: ignore[method-assign]
    InFlightWindow.station_came = lambda _self, _now: None  # type: ignore[method-assign]


def _count_from_one() -> None:
    """Each life gives the numbers of the one before again."""
    inner = OutboxStore.count_again

    def count_again(self: OutboxStore) -> None:
        inner(self)
        self.counters.next_seq = 1

    OutboxStore.count_again = count_again  # type: ignore[method-assign]


def _footage_first() -> None:
    """Pieces of footage go among the events, and are taken for evidence no more."""
    inner = PackageInFlight.message

    def message(self: PackageInFlight, *args: Any) -> Message:
        return replace(inner(self, *args), priority=Priority.EVENT)

    PackageInFlight.message = message  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "send-once": _send_once,
    "count-from-one": _count_from_one,
    "footage-first": _footage_first,
}


class _Kernel:
    """Stands for the machine's time service: a cleared status means that it disciplines the clock."""

    @staticmethod
    def adjtimex(_timex: object) -> int:
        return 0


def _raise(callback: str) -> None:
    """Have paho's client call a callback that now and then raises instead of the box's own."""
    calls = [0]

    def assign(client: paho.Client, inner: Any) -> None:
        def raising(*args: Any) -> Any:
            calls[0] += 1
            if calls[0] % 3 == 0:
                raise RuntimeError(f"{callback} raises, as it was told to")
            return inner(*args)

        original.fset(client, raising)

    original = getattr(paho.Client, callback)
    setattr(paho.Client, callback, property(original.fget, assign))


if __name__ == "__main__":
    main()
