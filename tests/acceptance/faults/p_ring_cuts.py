"""P74, P75: a ring of footage whose writer is killed, and whose power is cut, at any moment."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import av.error
from structlog.testing import capture_logs

from agent.errors import FootageError
from agent.evidence.encryption import decrypt, new_identity
from agent.evidence.fragment import StoredFragment
from agent.evidence.ring import Ring
from tests.acceptance.faults import ring_writer
from tests.acceptance.faults.crash_disk import after_a_cut, record
from tests.acceptance.faults.p_ring import in_memory
from tests.acceptance.faults.ring_writer import CAMERAS, FILM, HELD, PIECE_S, at_s, clock_at, data_of
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.support.film import played
from tests.support.footage import NOON_S

LOST_S = 5.0
"""So much of what was said to be kept may be missing at the end: the disk is waited for every two seconds."""
LIFE_S = 0.12
"""A writer is killed within so long."""
ALL = NOON_S - 1, 2 * NOON_S


@promise(
    "P74",
    "who writes a ring of footage is killed at 200 random moments: while it starts, writes, deletes",
    f"all that is left plays, at most the last {LOST_S:g} s of what was kept are missing, index and disk "
    "agree; of a writer that buffers (planted) more is missing",
    minutes=1,
)  # fmt: skip
def killed(trial: Trial) -> str:
    """One ring over all lives; each goes on where the last one was killed."""
    with in_memory(trial) as folder, capture_logs():
        lived = _Lives(folder / "ring", trial, "none").live(trial.size(200, 2000))
        planted = _Lives(folder / "planted", trial, "buffered")
        try:
            planted.live(trial.size(20, 20))
        except Broken as why:
            return f"{lived}; with a writer that buffers: {why}"
    raise Broken("a writer that buffers lost nothing: the trial is blind")


@promise(
    "P75",
    "the power is cut at random moments while a ring of footage is written, held and swept",
    f"all that is left plays, at most the last {LOST_S:g} s of what was kept are missing, holds are there, "
    "index and disk agree; without syncs (planted) more is missing",
    minutes=1,
)  # fmt: skip
def cut(trial: Trial) -> str:
    """A record of one writer, and many disks that it may leave."""
    disks = trial.size(200, 5000)
    with in_memory(trial) as folder, capture_logs():
        most_s, faults = _cuts(trial, folder, "none", disks)
        if faults:
            raise Broken(f"{len(faults)} of {disks} disks: {faults[0]}")
        planted = trial.size(40, 400)
        _, seen = _cuts(trial, folder, "unsynced", planted)
        if not seen:
            raise Broken("without syncs nothing was missing either: the trial is blind")
    return (
        f"{disks} disks: each plays, at most the last {most_s:.0f} s are missing; "
        f"without syncs {len(seen)} of {planted} were not as promised: {seen[0]}"
    )


@dataclass
class _Said:
    """What a writer has said."""

    kept: dict[str, list[int]] = field(default_factory=lambda: {camera: [] for camera in CAMERAS})
    gone: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAMERAS, 0))
    """Of each camera, what is before this number may be deleted."""
    held: bool = False

    def hear(self, lines: Iterable[str]) -> None:
        """More of it."""
        for line in lines:
            match line.split():
                case ["kept", camera, number]:
                    self.kept[camera].append(int(number))
                case ["gone", camera, to]:
                    self.gone[camera] = max(self.gone[camera], int(to))
                case ["held"]:
                    self.held = True

    def due(self, camera: str) -> list[int]:
        """The pieces that must still be there, but for the last seconds."""
        held = range(*HELD) if self.held and camera == CAMERAS[0] else range(0)
        return [number for number in self.kept[camera] if number >= self.gone[camera] or number in held]


def _judged(ring: Ring, identity: str, said: _Said, since: int = 0) -> float:
    """How many seconds are missing at the end; only pieces from `since` on are looked at, and played.

    Raises:
        Broken: something else is missing, or does not play, or index and disk differ.
    """
    if said.held and not ring.index.held:
        raise Broken("what was held is held no more")
    missing_s = 0.0
    for camera in CAMERAS:
        lying = {int(path.stem) for path in (ring.folder / camera).glob("*.seg")}
        if lying != ring.index.numbers(camera):
            raise Broken(f"{camera}: on disk and in the index are not the same")
        there = _played(ring, identity, camera, at_s(since))
        due = [number for number in said.due(camera) if number >= since]
        lacks = [number for number in due if number not in there]
        allowed = said.kept[camera][-1] + 1 - LOST_S / PIECE_S if due else 0
        if lacks and lacks[0] < allowed:
            raise Broken(f"{camera}: of pieces to {due[-1]} {len(lacks)} are missing, from {lacks[0]} on")
        missing_s = max(missing_s, len(lacks) * PIECE_S)
    return missing_s


def _played(ring: Ring, identity: str, camera: str, from_s: float) -> set[int]:
    """The numbers of the pieces that are there, each of which has been played."""
    parts: dict[int, list[StoredFragment]] = {}
    for each in ring.index.between(camera, from_s, ALL[1]):
        parts.setdefault(each.segment, []).append(each)
    numbers: set[int] = set()
    for segment, fragments in parts.items():
        (init,) = ring.index.inits(fragments).values()
        try:
            first, *pieces = [decrypt(ring.read(each), identity) for each in (init, *fragments)]
            shown = len(played(first, pieces))
        except (FootageError, av.error.FFmpegError) as error:
            raise Broken(f"{camera}: segment {segment} does not play: {error}") from error
        own = [round((each.wall_s - NOON_S) / PIECE_S) for each in fragments]
        if shown != len(pieces) * FILM.pictures or any(
            data_of(n) != p for n, p in zip(own, pieces, strict=True)
        ):
            raise Broken(
                f"{camera}: segment {segment} shows {shown} pictures of {len(pieces)} pieces, or others"
            )
        numbers.update(own)
    return numbers


# --------------------------------------------------------------------------------------------------- killed


class _Lives:
    """Writers of one ring, one after the other, each killed."""

    def __init__(self, folder: Path, trial: Trial, fault: str) -> None:
        self._folder, self._fault = folder, fault
        self._chance = trial.chance(f"kills {fault}")
        self._identity, self._recipient = new_identity()
        self._said = _Said()
        self._next = 0

    def live(self, lives: int) -> str:
        """So many lives, each judged; then all that is left.

        Raises:
            Broken: a life left something that is not as promised.
        """
        most_s, deleted = 0.0, 0
        for _ in range(lives):
            begun = self._next
            self._one_life(self._chance.uniform(0, LIFE_S))
            # Every life is judged by what it wrote itself; all the rest is played at the end.
            most_s = max(most_s, self._look(begun))
        self._look(0)
        deleted = min(self._said.gone.values())
        pieces = sum(map(len, self._said.kept.values()))
        return (
            f"{lives} kills, {pieces} pieces of {PIECE_S:g} s kept, those before {deleted} deleted: "
            f"at most {most_s:.0f} s missing, all that is left plays"
        )

    def _look(self, since: int) -> float:
        ring = ring_writer.opened(self._folder, self._recipient, clock_at(self._next))
        try:
            ring.recover()
            return _judged(ring, self._identity, self._said, since)
        finally:
            ring.close()

    def _one_life(self, seconds: float) -> None:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            self._in_the_child(writer)
        os.close(writer)
        ends_s, heard = time.monotonic() + seconds, b""
        while (left_s := ends_s - time.monotonic()) > 0:
            if select.select([reader], [], [], left_s)[0]:
                heard += os.read(reader, 1 << 16)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while more := os.read(reader, 1 << 16):
            heard += more
        os.close(reader)
        self._said.hear(heard.decode().splitlines())
        self._next = max((kept[-1] + 1 for kept in self._said.kept.values() if kept), default=0) + 1

    def _in_the_child(self, writer: int) -> None:
        """Write until somebody kills us; whatever goes wrong must not go on as a second trial."""
        try:
            ring_writer.FAULTS[self._fault]()
            clock = clock_at(self._next)

            def say(words: str) -> None:
                os.write(writer, words.encode() + b"\n")

            ring = ring_writer.opened(self._folder, self._recipient, clock, say)
            ring.recover()
            ring_writer.write(ring, clock, self._next, 1 << 30, say)
        finally:
            os._exit(1)


# --------------------------------------------------------------------------------------------------- cut


def _cuts(trial: Trial, folder: Path, fault: str, disks: int) -> tuple[float, list[str]]:
    """The most seconds that were missing at the end of a disk, and what was not as promised."""
    if shutil.which("strace") is None:
        raise NotTried("strace is not here: apt-get install strace")
    identity, recipient = new_identity()
    place = folder / fault
    place.mkdir()
    words = ["tests.acceptance.faults.ring_writer", str(place), recipient, "110", fault]
    ops = record([sys.executable, "-m", *words], place, place.with_suffix(".trace"))
    chance = trial.chance(f"cuts {fault}")
    opened = next(at for at, op in enumerate(ops) if op.data == b"open\n")
    most_s, faults = 0.0, []
    for _ in range(disks):
        moment = chance.randint(opened, len(ops))
        disk = _laid_out(folder / "disk", after_a_cut(ops[:moment], chance))
        said = _Said()
        said.hear(op.data.decode().strip() for op in ops[:moment] if op.kind == "say")
        try:
            most_s = max(most_s, _looked_at(disk, identity, recipient, said))
        except (Broken, FootageError) as why:
            faults.append(str(why))
    return most_s, faults


def _looked_at(disk: Path, identity: str, recipient: str, said: _Said) -> float:
    last = max((kept[-1] for kept in said.kept.values() if kept), default=0)
    ring = ring_writer.opened(disk, recipient, clock_at(last + 1))
    try:
        ring.recover()
        return _judged(ring, identity, said)
    finally:
        ring.close()


def _laid_out(disk: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    for name, content in files.items():
        if not name.endswith("-shm"):  # rebuilt by SQLite: it lives in memory
            path = disk / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    return disk
