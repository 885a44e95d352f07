"""agent.outbox.ballast"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.types import Instant
from agent.outbox.ballast import Ballast
from agent.outbox.degraded import AGAIN_S
from agent.outbox.outbox import Condition, Outbox, OutboxSettings
from agent.wire.message import Message, Priority
from tests.conftest import SteppedClock
from tests.support.disks import small_disk

MIB = 1 << 20


@pytest.fixture(name="small_disk")
def disk_of_20_mib(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MiB of its own."""
    with small_disk(tmp_path / "disk", "20m") as folder:
        yield folder


def test_the_ballast_is_taken_once_and_dropped_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", MIB)
    assert ballast.take()
    assert ballast.take()
    assert ballast.path.stat().st_blocks * 512 >= MIB, "really on the disk, not a hole in a file"
    assert ballast.drop()
    assert not ballast.drop()
    assert not ballast.is_held


def test_a_ballast_of_nothing_is_never_held(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 0)
    assert not ballast.take()
    assert not ballast.path.exists()


def test_without_a_ballast_the_room_on_the_disk_says_whether_it_is_full(small_disk: Path) -> None:
    none, other = Ballast(small_disk / "ballast", 0), small_disk / "someone-else"
    assert none.room()
    assert not Ballast(small_disk / "ballast", MIB).room(), "one that is wanted must be held"
    other.write_bytes(bytes(17 * MIB))
    assert not none.room()
    assert not Ballast(small_disk / "none" / "ballast", 0).room()


def test_it_leaves_a_disk_alone_that_has_no_room_for_it(small_disk: Path) -> None:
    assert not Ballast(small_disk / "ballast", 16 * MIB).take()
    assert list(small_disk.iterdir()) == []


def test_it_is_taken_again_when_half_as_much_more_is_free_and_not_before(small_disk: Path) -> None:
    ballast, other = Ballast(small_disk / "ballast", 4 * MIB), small_disk / "someone-else"
    other.write_bytes(bytes(15 * MIB))
    assert not ballast.take(), "5 MiB are free: the next messages would give it back at once"
    with other.open("r+b") as file:
        file.truncate(13 * MIB)
    assert ballast.take(), "7 MiB are free"


def fill_from_outside(folder: Path) -> None:
    with (folder / "someone-else").open("wb", buffering=0) as other, suppress(OSError):
        while True:
            other.write(bytes(4096))


def event(size: int = 800) -> Message:
    return Message("camera/north/event", b"x" * size, "application/json", Priority.EVENT, Instant(0, 0))


def test_a_disk_that_others_filled_still_takes_two_thousand_events(
    small_disk: Path, clock: SteppedClock
) -> None:
    """Promise P17: events go on for a while on the disk, then in memory, and all is well when there is room."""
    box = Outbox(small_disk / "outbox.db", OutboxSettings(ballast_bytes=4 * MIB), clock)
    fill_from_outside(small_disk)
    accepted = 0
    while box.condition().in_memory is None:
        accepted += len(box.put([event()] * 20))
    assert accepted >= 2000
    assert box.condition().full
    accepted += len(box.put([event()] * 500))
    assert sum(box.stats().dropped.values()) == 0
    (small_disk / "someone-else").unlink()
    clock.advance(AGAIN_S)
    box.tend()
    clock.advance(AGAIN_S)
    box.tend()
    assert box.condition() == Condition(), "well again 20 seconds after there was room"
    events = [s for s in box.waiting(10_000, clock.now()) if s.message.topic == "camera/north/event"]
    assert len(events) == accepted
    assert box.stats().dropped["event"] == 0
    box.close()


def test_on_a_full_disk_pictures_go_and_events_come(small_disk: Path, clock: SteppedClock) -> None:
    """Promise P17: the order of sacrifice, with each loss counted by its class."""
    box = Outbox(small_disk / "outbox.db", OutboxSettings(ballast_bytes=4 * MIB), clock)
    picture = Message("camera/north/image/e/scene", bytes(20_000), "image/jpeg", Priority.IMAGE, Instant(0, 0))
    alert = replace(picture, priority=Priority.ALERT_IMAGE)
    for _ in range(6):
        box.put([picture] * 20 + [alert] * 2)
    fill_from_outside(small_disk)
    for _ in range(40):
        box.put([event()] * 50 + [picture])
    stats, condition = box.stats(), box.condition()
    assert condition == Condition(full=True), "two thousand events found room on the disk"
    assert stats.dropped["image"] >= 40
    assert stats.dropped["event"] == 0
    if stats.dropped["alert_image"]:
        assert box.waiting(1, clock.now(), priorities=[Priority.IMAGE]) == []
    box.close()


def test_a_disk_that_is_read_only_from_the_start_is_bridged_by_memory(
    small_disk: Path, clock: SteppedClock
) -> None:
    Outbox(small_disk / "outbox.db", OutboxSettings(ballast_bytes=0), clock).close()
    remount(small_disk, "ro")
    box = Outbox(small_disk / "outbox.db", OutboxSettings(ballast_bytes=0), clock)
    box.put([event()])
    assert box.condition().in_memory is not None
    remount(small_disk, "rw")
    clock.advance(AGAIN_S)
    box.tend()
    assert box.condition().in_memory is None
    box.close()


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def test_a_pipe_or_a_link_in_its_place_is_neither_waited_for_nor_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"of somebody else")
    for number, plant in enumerate((os.mkfifo, lambda path: path.symlink_to(other))):
        path = tmp_path / f"ballast-{number}"
        plant(path)
        ballast = Ballast(path, 1 << 16)
        assert not ballast.take()
        assert ballast.take(), "what stood there is gone"

    assert other.read_bytes() == b"of somebody else"
