"""P17, P18, P19: full, damaged and read-only disks."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.acceptance.faults.pytests import passed
from tests.acceptance.faults.stage import Receiver, Spy, Victim, events_lost, playing
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.support.brokers import until

DISK_MB = 16
ON_THE_BALLAST = 2000


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own; needs root and a loop device."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    image.write_bytes(b"")
    os.truncate(image, DISK_MB << 20)
    commands = (["mkfs.ext4", "-q", "-F", str(image)], ["mount", "-o", "loop", str(image), str(place)])
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise NotTried(f"{command[0]} is not here") from error
        if done.returncode:
            raise NotTried(f"no loop mount here: {done.stderr.strip()[-100:]}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(disk: Path) -> None:
    """Until nothing more fits, in a file `filler`."""
    with suppress(OSError), (disk / "filler").open("wb") as filler:
        while True:
            filler.write(bytes(1 << 16))
            filler.flush()


@promise(
    "P17", "the disk fills up from outside while events come and the broker is away",
    f"events go on: {ON_THE_BALLAST} and more on the ballast, 0 lost; losses counted; recovered <= 30 s after",
)  # fmt: skip
def full_disk(trial: Trial) -> str:
    """Pictures may be sacrificed, each counted by class; events may not."""
    with small_disk(trial.folder) as disk, playing(trial.folder) as (_, server, station):
        victim = Victim(trial.folder / "box", server.port, state=disk / "state")
        spy = Spy(server.port)
        try:
            victim.start(300, picture_every=3, picture_bytes=8000)
            victim.until_fed()
            victim.end()
            server.kill()
            fill(disk)
            begun = len(victim.accepted)
            victim.start(ON_THE_BALLAST + 200, rate=400, picture_every=20, picture_bytes=8000)
            victim.until_fed()
            accepted = sum("/" in row.name for row in victim.accepted[begun:])
            (disk / "filler").unlink()
            freed = time.monotonic()
            server.start()
            until(lambda: _ended(station, "storage_full"), 60, "storage_full is told and ends")
            recovered = time.monotonic() - freed
            lost = events_lost(victim, station)
            until(lambda: spy.state("victim-01/health").get("outbox"), 20, "health tells of the outbox")
            dropped = spy.state("victim-01/health")["outbox"]["dropped"]
        finally:
            victim.kill()
            spy.close()
    gone = {name: number for name, number in dropped.items() if number}
    summary = (
        f"{accepted} events on a full disk, {lost} lost; dropped {gone or 'nothing'}; over in {recovered:.0f} s"
    )
    if lost or accepted < ON_THE_BALLAST or recovered > 30 or gone.get("event"):
        raise Broken(summary)
    return summary


@promise(
    "P18",
    "200 damages of the outbox's file",
    "starts <= 5 s, kept aside, every whole message saved and told",
)
def damaged_files(trial: Trial) -> str:
    """Bit flips, zero pages, cut ends, broken headers, lost and foreign logs, nothing, a folder instead."""
    rounds = trial.size(15, 150, quick=1)
    tests = ("tests/agent/outbox/recovery/test_salvage.py", "-k", "whatever_became")
    count = passed(*tests, environment={"NGATU_DAMAGES": str(rounds)})
    return f"{count} damages: started, set aside, saved and told"


@promise(
    "P19",
    "the disk takes nothing any more in mid-run, then writes again",
    "told <= 60 s, goes on in memory, comes back, 0 lost",
)
def read_only_disk(trial: Trial) -> str:
    """The kernel refuses every write, to memory that SQLite has mapped as well: that may kill the process.

    Then it is started again on a file system that is mounted read-only, as systemd would.
    """
    with small_disk(trial.folder) as disk, playing(trial.folder) as (_, server, station):
        victim = Victim(trial.folder / "box", server.port, state=disk / "state")
        try:
            victim.start(100_000, rate=20)
            until(lambda: len(victim.accepted) > 60, 30, "events are kept")
            began = time.monotonic()
            _writable(disk / "state", yes=False)
            if victim.died(5):
                _writable(disk / "state", yes=True)
                _mounted(disk, "ro")
                victim.start(100_000, rate=20)
            until(lambda: _told(station, "storage_ram_only", "start"), 60, "the read-only disk is told")
            told_s = time.monotonic() - began
            mark = len(victim.accepted)
            until(lambda: len(victim.accepted) > mark + 60, 30, "events go on in memory")
            _mounted(disk, "rw")
            _writable(disk / "state", yes=True)
            until(lambda: _told(station, "storage_ram_only", "end"), 60, "the disk is used again")
            restarts = victim.lives - 1
            victim.end()
            victim.start(1)
            lost = events_lost(victim, station)
        finally:
            victim.kill()
    if lost or told_s > 60:
        raise Broken(f"{lost} events lost; told after {told_s:.0f} s; {restarts} restarts")
    return f"told after {told_s:.1f} s; {len(victim.accepted)} accepted, 0 lost; {restarts} restarts"


def _mounted(disk: Path, how: str) -> None:
    done = subprocess.run(
        ["mount", "-o", f"remount,{how}", str(disk)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotTried(f"the disk cannot be remounted: {done.stderr.strip()[-100:]}")


def _writable(state: Path, yes: bool) -> None:
    """Whether the kernel lets anybody write there, open files included.

    A remount would wait for the open files; ext4 asks the immutable flag at each write.
    """
    names = [str(path) for path in state.rglob("*")] + [str(state)]
    done = subprocess.run(
        ["chattr", "-i" if yes else "+i", *names], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotTried(f"files cannot be made immutable here: {done.stderr.strip()[-100:]}")


def _told(station: Receiver, kind: str, phase: str) -> bool:
    return any((each["kind"], each["phase"]) == (kind, phase) for each in station.events())


def _ended(station: Receiver, kind: str) -> bool:
    return _told(station, kind, "start") and _told(station, kind, "end")
