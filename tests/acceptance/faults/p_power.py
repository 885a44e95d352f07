"""P3: what put() has taken is there after any power cut."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.outbox.database import is_sound
from agent.outbox.outbox import Outbox, OutboxSettings
from tests.acceptance.faults.crash_disk import Op, after_a_cut, record
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.faults.writer import number_of

OPEN_S = 2.0
PUTS = 250


@promise(
    "P3", "the power is cut at random moments: unsynced writes are dropped, torn at 512 bytes, re-ordered",
    "0 missing, each file opens within 2 s; with synchronous=NORMAL (planted) something is missing",
    minutes=6,
)  # fmt: skip
def power_cuts(trial: Trial) -> str:
    """Three recordings of a real outbox, and many disks from each."""
    images = trial.size(3000, 100_000)
    missing, damaged, slowest = _cuts(trial, "full", images, trial.size(3, 10))
    if missing or damaged or slowest > OPEN_S:
        raise Broken(
            f"{missing} of {images} disks lacked kept messages, {damaged} damaged, slowest {slowest:.2f} s"
        )
    bites, _, _ = _cuts(trial, "normal", trial.size(300, 3000), 1)
    if not bites:
        raise Broken("with synchronous=NORMAL nothing was missing either: the trial is blind")
    planted = trial.size(300, 3000)
    kept = f"0 of {images} disks lacked anything, slowest opened in {slowest:.2f} s"
    return f"{kept}; with NORMAL {bites} of {planted} did"


def _cuts(trial: Trial, synchronous: str, images: int, recordings: int) -> tuple[int, int, float]:
    """How many disks lacked something or were set aside as damaged, and the slowest opening in seconds."""
    if shutil.which("strace") is None:
        raise NotTried("strace is not here: apt-get install strace")
    missing = damaged = 0
    slowest = 0.0
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
            disk = trial.folder / "disk"
            shutil.rmtree(disk, ignore_errors=True)
            disk.mkdir()
            for name, content in after_a_cut(ops[:cut], chance).items():
                if not name.endswith("-shm"):  # rebuilt by SQLite: it lives in memory
                    (disk / name).write_bytes(content)
            lacks, broken, took_s = _opened(disk / "outbox.db", ops[:cut])
            missing, damaged, slowest = missing + lacks, damaged + broken, max(slowest, took_s)
            if image == 0 and not (disk / "outbox.db").exists():
                raise Broken("the outbox's file has no entry in its folder")
    return missing, damaged, slowest


def _opened(file: Path, ops: list[Op]) -> tuple[bool, bool, float]:
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
