"""P3: what put() has taken is there after any power cut."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.outbox.database import is_sound
from agent.outbox.outbox import Outbox, OutboxSettings
from tests.acceptance.faults.crash_disk import Op, after_a_cut, record
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.faults.writer import number_of

PUTS = 250
SLOW_S = 2.0
"""A disk that took longer is looked at again: was it the disk, or had the machine other things to do?"""
TIMES_NEW = 40.0
"""A disk may take so many times as long as an outbox that is made anew beside it."""
GOES = 5
"""What lies on a disk makes it slow each time, a busy machine only now and then: the fastest go counts."""


@promise(
    "P3", "the power is cut at random moments: unsynced writes are dropped, torn at 512 bytes, re-ordered",
    f"0 missing, each file opens within {SLOW_S:g} s or {TIMES_NEW:g} times what a new one takes beside it; "
    "with synchronous=NORMAL (planted) something is missing",
    minutes=1.3,
    patient=True,
)  # fmt: skip
def power_cuts(trial: Trial) -> str:
    """Three recordings of a real outbox, and many disks from each."""
    images = trial.size(3000, 100_000)
    full = _cuts(trial, "full", images, trial.size(3, 10))
    opened = f"slowest opened in {full.slowest_s:.2f} s"
    if full.times_new:
        again = f"at most {max(full.times_new):.1f} times a new one"
        opened += f", {len(full.times_new)} took more than {SLOW_S:g} s: {again}"
    if full.missing or full.damaged or max(full.times_new, default=0.0) > TIMES_NEW:
        raise Broken(f"{full.missing} of {images} disks lacked kept messages, {full.damaged} damaged, {opened}")
    planted = trial.size(300, 3000)
    bites = _cuts(trial, "normal", planted, 1).missing
    if not bites:
        raise Broken("with synchronous=NORMAL nothing was missing either: the trial is blind")
    return f"0 of {images} disks lacked anything, {opened}; with NORMAL {bites} of {planted} did"


@dataclass(slots=True)
class _Cuts:
    """What many disks showed."""

    missing: int = 0
    damaged: int = 0
    """Set aside."""
    slowest_s: float = 0.0
    times_new: list[float] = field(default_factory=list)
    """Of each that took more than SLOW_S: how many times as long as a new outbox, by its fastest go."""


def _cuts(trial: Trial, synchronous: str, images: int, recordings: int) -> _Cuts:
    if shutil.which("strace") is None:
        raise NotTried("strace is not here: apt-get install strace")
    cuts = _Cuts()
    for number in range(recordings):
        folder = trial.folder / f"{synchronous}-{number}"
        folder.mkdir()
        words = [str(folder / "outbox.db"), str(PUTS), synchronous, str(trial.seed + number)]
        ops = record(
            [sys.executable, "-m", "tests.acceptance.faults.writer", *words],
            folder,
            folder.with_suffix(".trace"),
        )
        chance = trial.chance(f"{synchronous} {number}")
        opened = next(place for place, op in enumerate(ops) if op.data == b"open\n")
        for image in range(images // recordings):
            cut = chance.randint(opened, len(ops))
            files = after_a_cut(ops[:cut], chance)
            disk = _laid_out(trial.folder / "disk", files)
            lacks, broken, took_s = _opened(disk / "outbox.db", ops[:cut])
            cuts.missing += lacks
            cuts.damaged += broken
            cuts.slowest_s = max(cuts.slowest_s, took_s)
            if took_s > SLOW_S:
                cuts.times_new.append(min(_times_new(trial.folder, files) for _ in range(GOES)))
            if image == 0 and not (disk / "outbox.db").exists():
                raise Broken("the outbox's file has no entry in its folder")
    return cuts


def _laid_out(disk: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files and no others."""
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    for name, content in files.items():
        if not name.endswith("-shm"):  # rebuilt by SQLite: it lives in memory
            (disk / name).write_bytes(content)
    return disk


def _times_new(folder: Path, files: Mapping[str, bytes]) -> float:
    """How many times as long it takes to open this disk as to make a new outbox right after it."""
    took_s = [
        _opened(_laid_out(folder / name, content) / "outbox.db", [])[2]
        for name, content in (("disk", files), ("new", {}))
    ]
    return took_s[0] / took_s[1]


def _opened(file: Path, ops: list[Op]) -> tuple[bool, bool, float]:
    """Whether it lacks kept messages, whether it was set aside as damaged, and the seconds of the opening."""
    said = [op.data.split() for op in ops if op.kind == "say"]
    kept = max((int(words[1]) for words in said if words[0] == b"kept"), default=0)
    gone = max((int(words[1]) for words in said if words[0] == b"gone"), default=0)
    clock = SystemClock()
    began = time.monotonic()
    with capture_logs():  # of the planted fault there are hundreds
        box = Outbox(file, OutboxSettings(ballast_bytes=0), clock)
    took_s = time.monotonic() - began
    try:
        have = {number_of(stored.message) for stored in box.waiting(1 << 20, clock.now())}
        sound = is_sound(file) and not box.stats().damaged
    finally:
        box.close()
    return not have >= set(range(gone + 1, kept + 1)), not sound, took_s
