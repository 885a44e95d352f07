"""P47: what the station has is not to be read on the box's card."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.outbox import database
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.message import Message, Priority
from tests.acceptance.faults.p_disk import small_disk
from tests.acceptance.faults.stage import Receiver, Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise

SETTING: Final = "outbox: {erase_after_s: 5}"
"""In place of nine minutes."""
PATIENCE_S: Final = 30.0
MOST_WRITTEN: Final = 2.0
TOGETHER: Final = 17
"""Events in five minutes, if there are 5,000 a day."""


@promise(
    "P47", "a box's disk is read block by block, after the station has receipted what was on it",
    f"nothing is found at work, after a kill, after a stop; <= {MOST_WRITTEN:g} times the bytes are written",
    minutes=1,
)  # fmt: skip
def receipted_and_gone(trial: Trial) -> str:
    """The blocks of the whole file system, also those that no file has any more."""
    count = trial.size(1200, 12_000)
    with small_disk(trial.folder) as disk:
        before, now = (_written(disk / name, erasing) for name, erasing in (("before", False), ("now", True)))
    looks = {}
    with small_disk(_below(trial.folder, "second")) as disk, playing(trial.folder) as (_, server, station):
        victim = Victim(trial.folder / "box", server.port, state=disk / "state", more=SETTING)
        image = disk.with_name("disk.img")
        try:
            victim.start(count, rate=200, picture_every=3, picture_bytes=8000)
            victim.until_fed()
            looks["at work"] = _look(victim, station, image, count)
            victim.kill()
            victim.start(0)
            looks["after a kill"] = _look(victim, station, image, count)
            victim.end()
            looks["after a stop"] = _look(victim, station, image, count)
        finally:
            victim.kill()
    figure = "; ".join(
        f"{when} {found[0]} of {all_[0]} events, {found[1]} of {all_[1]} pictures"
        for when, (found, all_) in looks.items()
    )
    figure += f"; {now / before:.2f} times the bytes written ({before:.0f} and {now:.0f} a message)"
    if any(sum(found) for found, _ in looks.values()) or now > MOST_WRITTEN * before:
        raise Broken(figure)
    return figure


Pair = tuple[int, int]


def _look(victim: Victim, station: Receiver, image: Path, count: int) -> tuple[Pair, Pair]:
    """Events and pictures found on the disk, once there are none or patience ends; and of how many."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        ids, pictures = _receipted(victim, station)
        subprocess.run(["sync", "-f", str(victim.state)], check=True)
        data = image.read_bytes()
        found = sum(each in data for each in ids), sum(each in data for each in pictures)
        whole = len(ids) >= count * 6 // 7 - 1 and len(pictures) >= count // 3
        if (whole and found == (0, 0)) or time.monotonic() > ends_s:
            return found, (len(ids), len(pictures))
        time.sleep(0.5)


def _receipted(victim: Victim, station: Receiver) -> tuple[list[bytes], list[bytes]]:
    """What the station has of ended events: their ids, and some bytes of each picture."""
    ended = station.rows(
        "select distinct event_id from event_revision where json_extract(body, '$.camera') = 'fed' "
        "and json_extract(body, '$.phase') = 'end'"
    )
    pictures = [path.read_bytes() for path in station.folder.rglob("?" * 64) if path.is_file()]
    return [name.encode() for (name,) in ended], [data[len(data) // 2 :][:24] for data in pictures]


def _below(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _written(folder: Path, erasing: bool) -> float:
    """Bytes that the kernel writes to the disk for a message that comes and is receipted."""
    count, clock, chance = 600, _Clock(), np.random.default_rng(1)
    folder.mkdir()
    settings = OutboxSettings() if erasing else OutboxSettings(erase_after_s=86_400)
    with _as_before(not erasing), closing(Outbox(folder / "outbox.db", settings, clock)) as box:
        began = _bytes_written()
        for number in range(count):
            event, now = str(uuid4()), clock.now()
            body = b'{"id":"%s","more":"%s"}' % (event.encode(), chance.bytes(300).hex().encode())
            messages = [Message("camera/x/event", body, "application/json", Priority.EVENT, now, event)]
            if number % 3 == 0:
                picture, topic = b"\xff\xd8" + chance.bytes(14_000), f"camera/x/image/{event}/thumbnail"
                messages.append(Message(topic, picture, "image/jpeg", Priority.ALERT_IMAGE, now, event))
            seqs = box.put(messages)
            digests = [sha256(message.body).hexdigest() for message in messages]
            box.acknowledge(box.stream, list(zip(seqs, digests, strict=True)))
            if number % TOGETHER == 0:
                clock.later_s += 300
                box.tend()
        return (_bytes_written() - began) / count


class _Clock(SystemClock):
    """The machine's, and as much later as it is told."""

    later_s = 0.0

    def now(self) -> Instant:
        at = super().now()
        return Instant(at.mono_s + self.later_s, at.wall_s + self.later_s)


@contextmanager
def _as_before(wanted: bool) -> Iterator[None]:
    """What is given free in the file is not overwritten."""
    inner: Callable[..., database.sqlite3.Connection] = database.connect

    def connect(*args: object, **more: object) -> database.sqlite3.Connection:
        db = inner(*args, **more)
        db.execute("pragma secure_delete = fast")
        return db

    database.connect = connect if wanted else inner
    try:
        yield
    finally:
        database.connect = inner


def _bytes_written() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
