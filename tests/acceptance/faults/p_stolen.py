"""P47: what the station has is not to be read on the box's card, nor are pictures that wait for it."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
from sqlalchemy import URL

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.outbox import database
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.settings.base import Secret
from agent.wire.message import Message, Priority
from station.store.blobs import BLOBS
from station.store.database import engine_of
from station.store.pictures.rows import KeptPictures
from tests.acceptance.faults.p_disk import small_disk
from tests.acceptance.faults.stage import Receiver, Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

SETTING: Final = "outbox: {erase_after_s: 5}"
"""In place of nine minutes."""
PATIENCE_S: Final = 30.0
MOST_WRITTEN: Final = 2.0
SHA256_DIGITS: Final = 64
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
    is_whole = all(_is_whole(all_, count) for _, all_ in looks.values())
    if not is_whole or any(sum(found) for found, _ in looks.values()) or now > MOST_WRITTEN * before:
        raise Broken(figure)
    return figure


@promise(
    "P47.1", "a box's disk is read block by block while pictures wait, without a key and with one",
    "with a key none is found, at work and after a kill, and all arrive; without one they are found",
)  # fmt: skip
def waiting_and_encrypted(trial: Trial) -> str:
    """The key lies on another disk. Without one: the planted fault."""
    count, key = trial.size(300, 1500), trial.folder / "key"
    key.write_bytes(base64.b64encode(os.urandom(32)))
    setting = f"outbox: {{erase_after_s: 5, key: {{file: {key}}}}}"
    found = {
        name: _waited(_below(trial.folder, name), count, more)
        for name, more in (("without", SETTING), ("with", setting))
    }
    figure = "; ".join(
        f"{name} a key {at_work} and, after a kill, {killed} of {arrived} pictures"
        for name, (at_work, killed, arrived) in found.items()
    )
    figure += f"; {_cost(_below(trial.folder, 'cost'), key)}"
    (plain, *_, of_plain), (*encrypted, arrived) = found["without"], found["with"]
    if any(encrypted) or arrived < count // 3 or plain < of_plain:
        raise Broken(figure)
    return figure


def _waited(folder: Path, count: int, more: str) -> tuple[int, int, int]:
    """Pictures found on the disk while they wait, at work and after a kill; and how many arrived in the end."""
    with small_disk(folder) as disk, playing(folder) as (_, server, station):
        station.end(signal.SIGKILL)
        victim = Victim(folder / "box", server.port, state=disk / "state", more=more)
        image = disk.with_name("disk.img")
        disks = []
        try:
            victim.start(count, picture_every=3, picture_bytes=8000)
            victim.until_fed()
            for act in (lambda: None, victim.kill):
                act()
                subprocess.run(["sync", "-f", str(victim.state)], check=True)
                disks.append(image.read_bytes())
            victim.start(0)
            station.start()
            wanted = {row.name for row in victim.accepted if len(row.name) == SHA256_DIGITS}
            until(lambda: wanted <= _fed(station), 60, f"{len(wanted)} pictures arrive")
        finally:
            victim.kill()
        pictures = _pictures(station)
    at_work, killed = (sum(any(part in data for part in each) for each in pictures) for data in disks)
    return at_work, killed, len(pictures)


def _fed(station: Receiver) -> set[str]:
    return {name for (name,) in station.rows("select sha256 from picture where camera = 'fed'")}


def _pictures(station: Receiver) -> list[tuple[bytes, bytes]]:
    """Two pieces of each picture that the station has: a page may end in one of them."""
    engine = engine_of(URL.create("sqlite", database=str(station.state / "station.db")), writes=False)
    with closing(KeptPictures(engine, station.state / BLOBS)) as kept:
        found = [data for name in sorted(_fed(station)) if (data := kept.read(name)) is not None]
    return [(data[len(data) // 2 :][:24], data[len(data) // 3 :][:24]) for data in found]


def _cost(folder: Path, key: Path) -> str:
    """Of a picture of 14 KB that is put and given out, with a key beside without one."""
    clock, chance, count = SystemClock(), np.random.default_rng(1), 400
    spent = {}
    for name, secret in (("plain", None), ("encrypted", Secret(file=key))):
        with closing(Outbox(folder / f"{name}.db", OutboxSettings(ballast_bytes=0, key=secret), clock)) as box:
            bodies = [chance.bytes(14_000) for _ in range(count)]
            began = time.process_time()
            for body in bodies:
                topic = "camera/x/image/e/thumbnail"
                box.put([Message(topic, body, "image/jpeg", Priority.IMAGE, clock.now(), "e")])
            given = box.waiting(2 * count, clock.now(), priorities=[Priority.IMAGE])
            spent[name] = (time.process_time() - began) / count
            assert [each.message.body for each in given] == bodies
        spent[f"{name} bytes"] = (folder / f"{name}.db").stat().st_size
    ratio = spent["encrypted"] / spent["plain"]
    size = spent["encrypted bytes"] / spent["plain bytes"]
    return f"{size:.3f} times the bytes, {ratio:.2f} times the processor time ({spent['plain'] * 1e6:.0f} us)"


Pair = tuple[int, int]


def _look(victim: Victim, station: Receiver, image: Path, count: int) -> tuple[Pair, Pair]:
    """Events and pictures found on the disk, once there are none or patience ends; and of how many."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        ids, pictures = _receipted(victim, station)
        subprocess.run(["sync", "-f", str(victim.state)], check=True)
        data = image.read_bytes()
        found = sum(each in data for each in ids), sum(each in data for each in pictures)
        all_ = len(ids), len(pictures)
        if (_is_whole(all_, count) and found == (0, 0)) or time.monotonic() > ends_s:
            return found, all_
        time.sleep(0.5)


def _is_whole(all_: Pair, count: int) -> bool:
    """Whether as much was looked for as was told; what was not looked for is not found, and proves nothing."""
    events, pictures = all_
    return events >= count * 6 // 7 - 1 and pictures >= count // 3


def _receipted(victim: Victim, station: Receiver) -> tuple[list[bytes], list[bytes]]:
    """What the station has of the fed events that ended: their ids, and some bytes of each picture.

    Those of the camera go on: the same picture may just be on its way again.
    """
    ended = station.rows(
        "select distinct event_id from event_revision where json_extract(body, '$.camera') = 'fed' "
        "and json_extract(body, '$.phase') = 'end'"
    )
    return [name.encode() for (name,) in ended], [middle for middle, _ in _pictures(station)]


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
