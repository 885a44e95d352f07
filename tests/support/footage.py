"""Footage for tests: pieces as a camera gives them, a ring in a folder, a clock that moves when told."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from agent.clock import Trust
from agent.core.types import Instant
from agent.evidence.encryption import Recipients, decrypt, new_identity
from agent.evidence.fragment import Fragment
from agent.evidence.retention.deletion import Deletion
from agent.evidence.ring import Ring
from agent.evidence.settings import EvidenceSettings

NOON_S = 1_800_000_000.0
"""A moment on the wall, in 2027."""


@dataclass
class HandClock:
    """A clock that stands until it is told, and whoever vouches for it."""

    mono_s: float = 1000.0
    wall_s: float = NOON_S
    state: str = "ntp"

    def now(self) -> Instant:
        return Instant(self.mono_s, self.wall_s)

    def trust(self) -> Trust:
        return Trust(self.state)  # type: ignore[arg-type]

    def go_on(self, seconds: float) -> None:
        self.mono_s += seconds
        self.wall_s += seconds


@dataclass
class RingBench:
    """A ring in a folder, fed by hand."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    role: str = "community"
    max_bytes: int = 64_000_000
    max_days: float = 15.0
    daily_write_bytes: int = 100_000_000_000
    boot: str = "boot-1"
    audit_works: bool = True
    mount: Path | None = None

    def __post_init__(self) -> None:
        self.identity, self.recipient = new_identity()
        self.deletions: list[Deletion] = []
        self.ring = self.open()

    def open(self) -> Ring:
        """The ring, as a new start of the agent opens it."""
        settings = EvidenceSettings(
            folder=self.folder,
            mount=self.mount,
            recipient=self.recipient,
            max_bytes=self.max_bytes,
            max_days=self.max_days,
            daily_write_bytes=self.daily_write_bytes,
        )
        self.ring = Ring(
            self.folder,
            settings,
            Recipients(self.recipient),
            self.clock,
            self.role,  # type: ignore[arg-type]
            on_deleted=self._deleted,
            boot=self.boot,
        )
        return self.ring

    def reopen(self, boot: str | None = None) -> Ring:
        """The agent starts again, perhaps in another boot."""
        self.ring.close()
        self.boot = boot or self.boot
        return self.open()

    def record(
        self, seconds: float, camera: str = "north", run: str = "run-1", size: int = 10_000, step_s: float = 2.0
    ) -> list[Fragment]:
        """So many seconds of footage, a piece of `size` bytes every `step_s`; the clock moves with it."""
        given = []
        self.ring.append(piece(camera, run, "init", self.clock.now(), 0.0, b"init of " + run.encode()))
        for number in range(round(seconds / step_s)):
            data = random.Random(f"{run}{number}{self.clock.mono_s}").randbytes(size)
            fragment = piece(camera, run, "media", self.clock.now(), step_s, data, self.clock.state)
            self.ring.append(fragment)
            given.append(fragment)
            self.clock.go_on(step_s)
        return given

    def plain(self, camera: str, from_s: float, to_s: float) -> list[bytes]:
        """What the station reads of a range."""
        return [
            decrypt(self.ring.read(each), self.identity)
            for each in self.ring.index.between(camera, from_s, to_s)
        ]

    def _deleted(self, deletion: Deletion) -> bool:
        self.deletions.append(deletion)
        return self.audit_works


def piece(
    camera: str, run: str, kind: str, at: Instant, duration_s: float, data: bytes, clock: str = "ntp"
) -> Fragment:
    """A piece as a child gives it."""
    return Fragment(
        camera,
        run,
        kind,
        at,
        duration_s,
        True,
        "h264",
        1920,
        1080,
        data,
        recorded="as it came",
        mask_sha256=None,
        clock=clock,
    )  # type: ignore[arg-type]


def disk_bytes(folder: Path) -> int:
    """What a folder takes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in [folder, *folder.rglob("*")])


def record_for_ever(folder: str) -> None:
    """For a process of its own: record into `folder`/ring until it is killed; say each piece that is kept."""
    place = Path(folder)
    bench = RingBench(place / "ring")
    bench.recipient = (place / "recipient").read_text()
    bench.clock.mono_s += (step := _steps(bench))
    bench.clock.wall_s += step
    bench.open()
    kept = round(sum(row.duration_ms for row in bench.ring.index.segments("north", 0, NOON_S * 4)) / 2000)
    print("begun", flush=True)
    run = f"run-{step}"
    bench.ring.append(piece("north", run, "init", bench.clock.now(), 0.0, b"init of " + run.encode()))
    while True:
        bench.ring.append(piece("north", run, "media", bench.clock.now(), 2.0, bytes(5000)))
        bench.clock.go_on(2.0)
        kept += 1
        print(kept, flush=True)


def _steps(bench: RingBench) -> float:
    """After everything that is there."""
    newest = bench.ring.index.newest("north")
    after = 0.0 if newest is None else newest.to_s - NOON_S + 5.0
    bench.ring.close()
    return after
