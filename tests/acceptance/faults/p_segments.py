"""P82: a picture whose row is committed is there after any power cut."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL
from structlog.testing import capture_logs

from station.store.blobs import BLOBS
from station.store.database import engine_of
from station.store.pictures.rows import KeptPictures
from station.store.store import Store
from tests.acceptance.faults.crash_disk import Op, after_a_cut, record
from tests.acceptance.faults.segment_writer import message_of, name_of
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise

PUTS = 60
"""Batches of one recording: some eight segments, and removals among them."""


@promise(
    "P82", "the power is cut at random moments while a station appends pictures to segments and removes others",
    "0 committed pictures missing, each station starts and goes on; without a sync (planted) some are missing",
    minutes=2.0,
    patient=True,
)  # fmt: skip
def cut_segments(trial: Trial) -> str:
    """Recordings of a real store, and many disks from each."""
    disks = trial.size(600, 20_000, quick=60)
    missing, pictures = _cuts(trial, "each", disks, trial.size(2, 6, quick=1))
    if missing:
        raise Broken(f"{missing} of {pictures} committed pictures were missing on {disks} disks")
    planted = trial.size(100, 1_000, quick=20)
    bites, of = _cuts(trial, "none", planted, 1)
    if not bites:
        raise Broken("without a sync nothing was missing either: the trial is blind")
    return f"0 of {pictures} pictures missing on {disks} disks; without a sync {bites} of {of} were"


def _cuts(trial: Trial, sync: str, disks: int, recordings: int) -> tuple[int, int]:
    """How many pictures were missing, and of how many."""
    if shutil.which("strace") is None:
        raise NotTried("strace is not here: apt-get install strace")
    missing = pictures = 0
    for number in range(recordings):
        folder = trial.folder / f"{sync}-{number}"
        folder.mkdir()
        words = [str(folder), str(PUTS), sync, str(trial.seed + number)]
        program = [sys.executable, "-m", "tests.acceptance.faults.segment_writer", *words]
        ops = record(program, folder, folder.with_suffix(".trace"))
        chance = trial.chance(f"{sync} {number}")
        opened = next(place for place, op in enumerate(ops) if op.data == b"open\n")
        for _ in range(disks // recordings):
            cut = chance.randint(opened, len(ops))
            disk = _laid_out(trial.folder / "disk", after_a_cut(ops[:cut], chance))
            lacking, of = _opened(disk, ops[:cut])
            missing, pictures = missing + lacking, pictures + of
    return missing, pictures


def _laid_out(disk: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files and no others."""
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    for name, content in files.items():
        if not name.endswith("-shm"):  # rebuilt by SQLite: it lives in memory
            path = disk / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return disk


def _opened(disk: Path, ops: Sequence[Op]) -> tuple[int, int]:
    """How many pictures are missing after the station has started and kept one more, and of how many."""
    said = [words for op in ops if op.kind == "say" and (words := op.data.split())]  # the log's lines, too
    kept = max((int(words[1]) for words in said if words[0] == b"kept"), default=0)
    gone = max((int(words[1]) for words in said if words[0] == b"gone"), default=0)
    url = URL.create("sqlite", database=str(disk / "station.db"))
    more = kept + 10_000
    with capture_logs(), closing(Store(engine_of(url), disk)) as store:
        store.commit([message_of(more)])
    wanted = [*range(gone + 1, kept + 1), more]
    with closing(KeptPictures(engine_of(url, writes=False), disk / BLOBS)) as pictures:
        lacking = [each for each in wanted if pictures.read(name_of(each)) is None]
    return len(lacking), len(wanted)
