"""agent.delivery.ballast"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.delivery.ballast import Ballast
from agent.delivery.message import Message, Priority
from agent.delivery.outbox import Outbox, OutboxSettings
from agent.errors import OutboxError

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_ballast_is_taken_once_and_dropped_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", MIB)
    assert ballast.take()
    assert ballast.take()
    assert ballast.path.stat().st_blocks * 512 >= MIB, "really on the disk, not a hole in a file"
    assert ballast.drop()
    assert not ballast.drop()
    assert not ballast.held


def test_a_ballast_of_nothing_is_never_held(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 0)
    assert not ballast.take()
    assert not ballast.path.exists()


def test_it_leaves_a_disk_alone_that_has_no_room_for_it(small_disk: Path) -> None:
    assert not Ballast(small_disk / "ballast", 8 * MIB).take()
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_others_filled_still_takes_two_thousand_events(small_disk: Path) -> None:
    """Promise P17: events go on for a while, and all is well when there is room again."""
    clock = SystemClock()
    event = Message("camera/north/event", b"x" * 800, "application/json", Priority.EVENT, Instant(0, 0))
    box = Outbox(small_disk / "outbox.db", OutboxSettings(ballast_bytes=4 * MIB), clock)
    with (
        (small_disk / "someone-else").open("wb", buffering=0) as other,
        pytest.raises(OSError, match="No space"),
    ):
        while True:
            other.write(bytes(4096))
    accepted = 0
    with pytest.raises(OutboxError, match="full"):
        while True:
            accepted += len(box.put([event] * 20))
    assert accepted >= 2000
    assert box.stats().pending == accepted
    (small_disk / "someone-else").unlink()
    assert box.put([event]) == [accepted + 1]
    assert box.acknowledge(box.stream, [(1, accepted + 1)]) == accepted + 1
    box.close()
