"""P20: what a box writes in a day, so that its card lasts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
from structlog.testing import capture_logs

from agent.clock import SystemClock, Trust
from agent.core.ids import Ids
from agent.core.types import Instant
from agent.evidence.retention.budget import WriteBudgetSpent
from agent.outbox import database
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.message import Message, Priority
from agent.workers.clock import Timekeeper
from tests.acceptance.faults.stage import Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.footage import NOON_S, HandClock, RingBench

DAY_S: Final = 86_400.0
EVENTS: Final = 5000
"""Told by one camera in a day: start, update and end count each."""
ALLOWED_MB: Final = 300.0
JSON_BYTES: Final = 1200
THUMBNAIL_BYTES: Final = 6000
SCENE_BYTES: Final = 59_000
"""As on a street full of motorcycles: three of four are told with a thumbnail, one of thirty with a scene. What
begins and ends there is told 2.8 times, so this is a day of 1,800 of it."""
IDLE_S: Final = 20.0
SETTLE_S: Final = 5.0
PIECE_BYTES: Final = 250_000
"""Two seconds of a small camera."""
FOOTAGE_MB: Final = 100.0
"""The least daily budget that a configuration may set."""
OVER: Final = 1.1
"""So many times what the ring counts may the kernel write: blocks, and the index."""


@promise(
    "P20",
    "5,000 events of a camera in a day, told and receipted each by itself, most with a picture; and footage",
    f"<= {ALLOWED_MB:g} MB a day for what is not footage, by /proc/self/io; footage stops at its own budget, "
    f"and the kernel writes <= {OVER:g} times that; a checkpoint for each commit (planted) is seen",
    minutes=0.7,
)  # fmt: skip
def written(trial: Trial) -> str:
    """A real outbox and timekeeper on a real disk, by a simulated clock: what comes by time comes as often."""
    events = trial.size(1200, EVENTS, quick=200)
    busy_mb, idle_mb = _day_mb(trial.folder / "events", events), _idle_mb(trial.folder / "idle")
    figure = f"{busy_mb:.0f} MB for {EVENTS} events, {idle_mb:.0f} MB for the rest of a day"
    if busy_mb + idle_mb > ALLOWED_MB:
        raise Broken(figure)
    with _checkpoints():
        planted_mb = _day_mb(trial.folder / "planted", events // 5)
    if planted_mb <= ALLOWED_MB:
        raise Broken(f"{figure}; a checkpoint for each commit is not seen: {planted_mb:.0f} MB")
    return f"{figure}; {_footage(trial.folder / 'ring')}; with a checkpoint for each commit {planted_mb:.0f} MB"


def _day_mb(folder: Path, events: int) -> float:
    """Megabytes for all events of a day, by so many of them."""
    folder.mkdir()
    clock, chance = _Clock(), np.random.default_rng(1)
    with capture_logs(), closing(Outbox(folder / "outbox.db", OutboxSettings(), clock)) as box:
        keeper = Timekeeper(folder, Ids(b"0123456789abcdef"), clock, lambda: Trust("ntp"))
        began = bytes_written()
        for number in range(events):
            messages = _messages(number, chance, clock.now())
            seqs = box.put(messages)
            digests = [sha256(message.body).hexdigest() for message in messages]
            box.acknowledge(box.stream, list(zip(seqs, digests, strict=True)))
            clock.later_s += DAY_S / EVENTS
            keeper.look()
            box.tend()
        return (bytes_written() - began) / events * EVENTS / 1e6


def _messages(number: int, chance: np.random.Generator, now: Instant) -> list[Message]:
    """What is put at one time: JSON, and the pictures that it names."""
    event = str(uuid4())
    body = b'{"id":"%s","more":"%s"}' % (event.encode(), chance.bytes(JSON_BYTES // 2).hex().encode())
    messages = [Message("camera/x/event", body, "application/json", Priority.EVENT, now, event)]
    sizes = {"thumbnail": THUMBNAIL_BYTES * (number % 4 > 0), "scene": SCENE_BYTES * (number % 30 == 0)}
    for kind, size in sizes.items():
        if size:
            picture, topic = b"\xff\xd8" + chance.bytes(size), f"camera/x/image/{event}/{kind}"
            messages.append(Message(topic, picture, "image/jpeg", Priority.IMAGE, now, event))
    return messages


def _idle_mb(folder: Path) -> float:
    """Megabytes that a whole box writes in a day in which nothing happens, by some seconds of it."""
    folder.mkdir()
    with playing(folder) as (_, server, _):
        victim = Victim(folder / "quiet", server.port, camera="[]")
        try:
            victim.start(0)
            time.sleep(SETTLE_S)
            began, began_s = bytes_written(victim.pid), time.monotonic()
            time.sleep(IDLE_S)
            return (bytes_written(victim.pid) - began) / (time.monotonic() - began_s) * DAY_S / 1e6
        finally:
            victim.kill()


def _footage(folder: Path) -> str:
    """A ring that is given more than it may write in a day."""
    bench = RingBench(
        folder, HandClock(wall_s=NOON_S // DAY_S * DAY_S), daily_write_bytes=int(FOOTAGE_MB * 1e6)
    )
    began = bytes_written()
    try:
        bench.record(3600, size=PIECE_BYTES)
    except WriteBudgetSpent:
        written = (bytes_written() - began) / 1e6
    else:
        raise Broken("more footage was written than a day may have")
    if written > OVER * FOOTAGE_MB:
        raise Broken(f"{written:.0f} MB of footage, {FOOTAGE_MB:.0f} a day are allowed")
    bench.clock.go_on(DAY_S)
    bench.record(10, run="the next day")
    return f"footage stopped at {written:.0f} of {FOOTAGE_MB:.0f} MB, and went on the next day"


class _Clock(SystemClock):
    """The machine's, and as much later as it is told."""

    later_s = 0.0

    def now(self) -> Instant:
        at = super().now()
        return Instant(at.mono_s + self.later_s, at.wall_s + self.later_s)


@contextmanager
def _checkpoints() -> Iterator[None]:
    """The planted fault: each commit is copied from the log into the file at once."""
    inner = database.connect

    def connect(*args: Any, **more: Any) -> sqlite3.Connection:
        db = inner(*args, **more)
        db.execute("pragma wal_autocheckpoint = 1")
        return db

    database.connect = connect
    try:
        yield
    finally:
        database.connect = inner


def bytes_written(pid: int | None = None) -> int:
    """What the kernel has written to disks for a process."""
    lines = Path(f"/proc/{pid or 'self'}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
