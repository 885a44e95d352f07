"""P73, P39: a ring of footage over days: what its budget, its age and its holds leave of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import av.error
from structlog.testing import capture_logs

from agent.errors import FootageError
from agent.evidence.encryption import decrypt
from agent.evidence.fragment import StoredFragment
from agent.evidence.links import verify_links
from agent.evidence.listing.index import Index
from agent.evidence.segment import segment_number
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.film import film, played
from tests.support.footage import NOON_S, HandClock, RingBench, disk_bytes, piece

CAMERAS = "north", "south"
BUDGET = 64_000_000
"""The least that a configuration may set: a day of two small cameras turns it over a dozen times."""
HOUR_S = 3600.0
HELD = ("north", NOON_S + HOUR_S, NOON_S + HOUR_S + 300)
AWAY_S = NOON_S + 1.5 * HOUR_S, NOON_S + 1.5 * HOUR_S + 420
"""When the south camera gives no picture."""
AWAY = "the camera was away"
AROUND = ("south", AWAY_S[0] - 240, AWAY_S[1] + 240)
"""Held too, and asked for: a request over a gap."""


@promise(
    "P73",
    "24 simulated hours of two cameras turn a ring over a dozen times: restarts, a camera away, held ranges",
    "never more bytes on disk than the budget; what is held plays whole; a gap is listed; all that is left "
    "plays; index and disk agree; with holds ignored, or with twice the budget (planted), it is seen",
    minutes=1.5,
)  # fmt: skip
def a_day(trial: Trial) -> str:
    """Real files, a real index, real video; only the clock is simulated."""
    hours = trial.size(24, 24 * 7, quick=7)
    with in_memory(trial) as folder, capture_logs():
        day = _Day(trial, folder / "day")
        day.record(hours)
        judged = day.judge()
        planted = []
        with patch.object(Index, "is_held", lambda *_: False):
            planted.append(_seen_broken(_Day(trial, folder / "holds ignored"), 4))
        planted.append(_seen_broken(_Day(trial, folder / "twice the budget", budget=2 * BUDGET), 4))
    return f"{judged}; planted: {'; '.join(planted)}"


@dataclass
class _Day:
    """Two cameras recorded into one ring, and what became of it."""

    trial: Trial
    folder: Path
    budget: int = BUDGET
    most: int = 0
    """Bytes on disk."""
    restarts: int = 0
    written: int = 0
    bench: RingBench = field(init=False)

    def __post_init__(self) -> None:
        self.bench = RingBench(self.folder, HandClock(), max_bytes=self.budget)
        self._film = film()
        self._chance = self.trial.chance(self.folder.name)
        self._runs: dict[str, str] = {}
        self._away = False
        self._said_in: int | None = None
        """The life of the agent that has said that the camera is away."""

    def record(self, hours: float) -> None:
        """So many hours, a piece of each camera every four seconds."""
        bench, step_s = self.bench, self._film.piece_s
        pieces = len(self._film.pieces)
        for number in range(round(hours * HOUR_S / step_s)):
            for camera in CAMERAS:
                self._give(camera, number // pieces, number % pieces)
            bench.clock.go_on(step_s)
            if number % 75 == 0:  # every five minutes
                self._every_five_minutes()
        bench.ring.close()
        self._weigh()
        bench.open().recover()

    def _give(self, camera: str, run: int, number: int) -> None:
        ring, at = self.bench.ring, self.bench.clock.now()
        if camera == AROUND[0] and AWAY_S[0] <= at.wall_s < AWAY_S[1]:
            if self._said_in != self.restarts:  # each life of the agent finds it for itself
                ring.cut(camera, AWAY)
            self._away, self._said_in = True, self.restarts
            return
        name = f"{self.bench.boot}-{self.restarts}-{run}" + "b" * self._away
        if name != self._runs.get(camera):
            self._runs[camera] = name
            ring.append(piece(camera, name, "init", at, 0, self._film.init))
        data = self._film.pieces[number]
        ring.append(piece(camera, name, "media", at, self._film.piece_s, data))
        self.written += len(data)

    def _every_five_minutes(self) -> None:
        bench = self.bench
        self._weigh()
        bench.ring.sweep(bench.clock.now(), bench.clock.trust())
        if bench.clock.wall_s > AROUND[2] and not bench.ring.index.held:
            for camera, from_s, to_s in (HELD, AROUND):
                bench.ring.index.hold(f"case {camera}", camera, from_s, to_s, "an accident")
        if self._chance.random() < 0.04:
            self._restart()

    def _restart(self) -> None:
        """In order, or by a crash: then nobody closes anything."""
        if self._chance.random() < 0.5:
            self.bench.ring.close()
        self.bench.open()
        self.restarts += 1

    def _weigh(self) -> None:
        self.most = max(self.most, disk_bytes(self.bench.folder))

    def judge(self) -> str:
        """What is left, measured.

        Raises:
            Broken: something is not as it was promised.
        """
        if self.most > BUDGET:
            raise Broken(f"{self.most:,} bytes on disk, {BUDGET:,} are allowed")
        held = self._pictures(*HELD)
        due = round((HELD[2] - HELD[1]) / self._film.piece_s) * self._film.pictures
        if held < due:
            raise Broken(f"{held} of {due} pictures of what is held")
        self._gap()
        segments, pictures = self._all_plays()
        return (
            f"{self.written / 1e6:.0f} MB written, at most {self.most / 1e6:.1f} of {BUDGET / 1e6:.0f} MB on "
            f"disk, {self.restarts} restarts; {held} of {due} held pictures, the gap of "
            f"{AWAY_S[1] - AWAY_S[0]:.0f} s listed; {segments} segments left, each plays ({pictures} pictures)"
        )

    def _gap(self) -> None:
        gaps = self.bench.ring.index.gaps(*AROUND)
        slack_s = 2 * self._film.piece_s
        far_s = [max(abs(gap.from_s - AWAY_S[0]), abs(gap.to_s - AWAY_S[1])) for gap in gaps]
        if len(gaps) != 1 or far_s[0] > slack_s or AWAY not in gaps[0].why:
            raise Broken(f"a request over a gap is told {gaps}")

    def _pictures(self, camera: str, from_s: float, to_s: float) -> int:
        """How many a player shows of a range."""
        return sum(plays(self.bench, camera, from_s, to_s).values())

    def _all_plays(self) -> tuple[int, int]:
        shown: dict[tuple[str, int], int] = {}
        for camera in CAMERAS:
            agree(self.bench, camera)
            shown |= {(camera, number): n for number, n in plays(self.bench, camera, 0, 2 * NOON_S).items()}
        return len(shown), sum(shown.values())


def plays(bench: RingBench, camera: str, from_s: float, to_s: float) -> dict[int, int]:
    """How many pictures a player shows of each segment of a range, decrypted as the station does it.

    Raises:
        Broken: one does not play, or shows fewer than are in it.
    """
    index, shown = bench.ring.index, {}
    parts: dict[int, list[StoredFragment]] = {}
    for each in index.between(camera, from_s, to_s):
        parts.setdefault(each.segment, []).append(each)
    for number, fragments in parts.items():
        (init,) = index.inits(fragments).values()
        try:
            pieces = [decrypt(bench.ring.read(each), bench.identity) for each in (init, *fragments)]
            shown[number] = len(played(pieces[0], pieces[1:]))
        except (FootageError, av.error.FFmpegError) as error:
            raise Broken(f"{camera}: segment {number} does not play: {error}") from error
        if shown[number] != len(fragments) * film().pictures:
            raise Broken(
                f"{camera}: segment {number} shows {shown[number]} pictures of {len(fragments)} pieces"
            )
    return shown


def agree(bench: RingBench, camera: str) -> None:
    """Hold the index against the files, and the chain against itself.

    Raises:
        Broken: they differ.
    """
    index = bench.ring.index
    lying = {segment_number(path.name) for path in (bench.folder / camera).iterdir()}
    if lying != (listed := index.numbers(camera)):
        raise Broken(
            f"{camera}: on disk and in the index are not the same: {sorted(lying ^ listed, key=str)[:5]}"
        )
    links = [index.link(camera, number) for number in sorted(listed)]
    faults = [fault for fault in verify_links([link for link in links if link]) if fault.what != "missing"]
    if faults or None in links:
        raise Broken(f"{camera}: the chain does not hold: {faults[:3]}, {links.count(None)} without a link")


@contextmanager
def in_memory(trial: Trial) -> Iterator[Path]:
    """A folder in memory where there is one: tens of thousands of syncs would take a disk minutes."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield trial.folder
        return
    with TemporaryDirectory(prefix="ngatu-ring-", dir=memory) as folder:
        yield Path(folder)


def _seen_broken(day: _Day, hours: float) -> str:
    try:
        day.record(hours)
        day.judge()
    except Broken as why:
        return f"{day.folder.name}: {why}"
    raise Broken(f"{day.folder.name} was not seen: the trial is blind")
