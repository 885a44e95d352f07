"""P39: footage goes when it is too old, and never because a clock is wrong."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from structlog.testing import capture_logs

from agent.clock import Trust
from agent.commands.audit import Audit
from agent.core.ids import Ids
from agent.evidence.encryption import Recipients, new_identity
from agent.evidence.listing.index import Index
from agent.evidence.retention.deletion import Deletion
from agent.evidence.ring import Ring
from agent.evidence.settings import EvidenceSettings
from agent.workers.footage.keeper import FootageKeeper
from agent.workers.footage.records import note_deletion
from tests.acceptance.faults.p_ring import in_memory
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.film import film
from tests.support.footage import NOON_S, HandClock, piece

CAMERAS = "north", "south"
HOUR_S = 3600.0
SLACK_S = 600.0
"""Ten minutes before the age and after it."""
STEP_S = 60.0
AT_ONCE = 50
"""Segments of a camera that one deletion takes while it is killed."""
WRONG_S = 40 * 86_400.0
"""A clock that nobody vouches for is so far ahead; later one says 1970."""
FIRST = "0" * 64
Note = Callable[[Audit, Deletion, HandClock, Trust], bool]


@promise(
    "P39",
    "three times the age of footage: two cameras, restarts, a held range, clocks that nobody vouches for",
    "each piece is deleted at its age +- 10 minutes, none by a clock that is wrong, what is held stays until "
    "it is released, each deletion is a line of the audit log's chain, also if it is killed; a clock that is "
    "believed, holds that are ignored and a deletion without a line (planted) are seen",
    minutes=1,
)  # fmt: skip
def retained(trial: Trial) -> str:
    """The real keeper, ring, index and audit log; the clock is simulated, and the judge keeps its own."""
    with in_memory(trial) as folder, capture_logs():
        life = _Life(trial, folder / "life", age_s=trial.size(24, 240, quick=4) * HOUR_S)
        lived = life.live()
        killed = _killed(trial, folder / "killed", trial.size(20, 400))
        planted = [_seen(_Life(trial, folder / "believed", 3 * HOUR_S, believes=True), "the clock is believed")]
        with patch.object(Index, "is_held", lambda *_: False):
            planted.append(_seen(_Life(trial, folder / "holds", 3 * HOUR_S), "holds are ignored"))
        planted.append(_seen(_Life(trial, folder / "silent", 3 * HOUR_S, note=lambda *_: True), "no line"))
    return f"{lived}; {killed}; planted: {'; '.join(planted)}"


def _seen(life: _Life, what: str) -> str:
    try:
        life.live()
    except Broken as why:
        return f"{what}: {why}"
    raise Broken(f"{what}: not seen, the trial is blind")


@dataclass
class _Box:
    """What keeps footage on a box, with a clock that is set by hand."""

    folder: Path
    age_s: float
    believes: bool = False
    """Planted: it takes every clock for a good one."""
    note: Note = note_deletion
    clock: HandClock = field(default_factory=lambda: HandClock(wall_s=NOON_S))
    boot: int = 1

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._recipient = new_identity()[1]
        self.open()

    def open(self) -> None:
        """Start, without any end of the life before."""
        self.audit = Audit(self.folder / "audit.log")
        settings = EvidenceSettings(recipient=self._recipient, max_days=self.age_s / 86_400)
        trusted = self.trusted = (lambda: Trust("ntp")) if self.believes else self.clock.trust
        self.ring = Ring(
            self.folder / "ring", settings, Recipients(self._recipient), self.clock,
            on_deleted=lambda deletion: self.note(self.audit, deletion, self.clock, trusted()),
            boot=f"boot-{self.boot}",
        )  # fmt: skip
        self.keeper = FootageKeeper(
            self.ring, {}, self.clock, trusted, Ids(b"0123456789abcdef"), lambda *_: None, lambda _: True
        )
        self.ring.recover()

    def record(self, seconds: float = 8.0) -> None:
        """A segment of each camera."""
        reel = film()
        for camera in CAMERAS:
            at = self.clock.now()
            run, state = f"{self.boot}-{at.mono_s}", self.trusted().state
            self.ring.append(piece(camera, run, "init", at, 0, reel.init))
            for number in range(round(seconds / reel.piece_s)):
                self.ring.append(piece(camera, run, "media", at, reel.piece_s, reel.pieces[number], state))
                at = type(at)(at.mono_s + reel.piece_s, at.wall_s + reel.piece_s)
            self.ring.cut(camera, "no event")

    def lying(self, camera: str) -> set[int]:
        """The numbers of the segments on disk."""
        return {int(path.stem) for path in (self.folder / "ring" / camera).glob("*.seg")}

    def noted(self) -> Iterator[tuple[str, int, int, int]]:
        """Camera, first and last number and count of each deletion that the audit log's chain holds.

        Raises:
            Broken: the chain does not hold.
        """
        previous = FIRST
        for line in self._lines():
            entry = json.loads(line)
            if entry["prev"] != previous:
                raise Broken(f"the chain of the audit log breaks at line {entry['n']}")
            previous = sha256(line).hexdigest()
            for each in entry["ranges"] if entry.get("footage") == "deleted" else ():
                yield each["camera"], *each["segments"], each["count"]

    def _lines(self) -> Iterator[bytes]:
        older = sorted(self.folder.glob("audit.log.*"), key=lambda path: -int(path.suffix[1:]))
        for path in (*older, self.folder / "audit.log"):
            yield from path.read_bytes().splitlines() if path.exists() else ()


class _Life:
    """Three ages of a box, minute by minute, and what became of each segment."""

    def __init__(self, trial: Trial, folder: Path, age_s: float, **planted: object) -> None:
        self._box = _Box(folder, age_s, **planted)  # type: ignore[arg-type]
        self._chance = trial.chance(folder.name)
        self._age_s, self._true_s, self._restarts = age_s, 0.0, 0
        self._ends: dict[tuple[str, int], float] = {}
        """When each segment ended, by the time that is true."""
        self._deleted: dict[tuple[str, int], float] = {}
        """And how old it was when it went."""
        self._trusted_since_s = 0.0
        self._held = False
        """Whether the hold is in force."""
        self._late: set[tuple[str, int]] = set()
        """What a hold or a wrong clock had kept."""
        self._lines = 0
        self._every = max(1, round(age_s / STEP_S / 480))

    def live(self) -> str:
        """All of it, judged each minute.

        Raises:
            Broken: something was deleted too soon, too late, or without a line.
        """
        for minute in range(round(3 * self._age_s / STEP_S)):
            self._set_clock()
            if minute % self._every == 0:
                self._box.record()
                for camera in CAMERAS:
                    number = self._box.ring.index.head(camera)[0]
                    self._ends[camera, number] = self._true_s + 8.0
            self._hold()
            self._box.keeper.turn()
            self._look()
            if self._chance.random() < 0.004:
                self._box.open()
                self._restarts += 1
            self._pass(STEP_S)
        self._judge_lines()
        ages = sorted(self._deleted.values())
        return (
            f"{len(ages)} of {len(self._ends)} segments deleted at {(ages[0] - self._age_s) / 60:+.1f} to "
            f"{(self._on_time() - self._age_s) / 60:+.1f} minutes of their age of {self._age_s / HOUR_S:.0f} "
            f"h, {self._restarts} restarts, {self._lines} lines"
        )

    def _on_time(self) -> float:
        """The greatest age of those that neither a hold nor a wrong clock kept."""
        return max(self._deleted[key] for key in self._deleted if key not in self._late)

    def _pass(self, seconds: float) -> None:
        self._true_s += seconds
        self._box.clock.go_on(seconds)

    def _set_clock(self) -> None:
        """Wrong, and told to be, for a quarter of an age; then once more."""
        box, at = self._box, self._true_s / self._age_s
        state, ahead_s = "ntp", 0.0
        if 1.5 <= at < 1.75:
            state, ahead_s = "unknown", WRONG_S
        elif 2.2 <= at < 2.3:
            state, ahead_s = "floor", -NOON_S
        if state == box.clock.state:
            return
        if box.clock.state == "ntp":  # the power was away: another boot, without a battery for the clock
            box.boot += 1
            box.clock.mono_s = 20.0
            box.open()
        box.clock.state, box.clock.wall_s = state, NOON_S + self._true_s + ahead_s
        self._trusted_since_s = self._true_s

    def _hold(self) -> None:
        at, index = self._true_s / self._age_s, self._box.ring.index
        if not self._held and 0.2 < at < 2.6:
            index.hold(
                "case-7", CAMERAS[0], NOON_S + 0.05 * self._age_s, NOON_S + 0.1 * self._age_s, "an accident"
            )
            self._held = True
        elif self._held and at > 2.6:
            index.release("case-7")
            self._held, self._trusted_since_s = False, self._true_s

    def _look(self) -> None:
        """Each segment against its age.

        Raises:
            Broken: one is gone that must be there, or there that must be gone.
        """
        trusted = self._box.clock.state == "ntp"
        steady = trusted and self._true_s - self._trusted_since_s > SLACK_S
        for camera in CAMERAS:
            lying = self._box.lying(camera)
            for key, end_s in self._ends.items():
                if key[0] != camera or key in self._deleted:
                    continue
                age_s, there = self._true_s - end_s, key[1] in lying
                if there and age_s > self._age_s + SLACK_S and steady and not self._is_held(key):
                    raise Broken(
                        f"a segment of {camera} is there {(age_s - self._age_s) / 60:.0f} minutes after its age"
                    )
                if not there:
                    self._gone(key, age_s, trusted)

    def _gone(self, key: tuple[str, int], age_s: float, trusted: bool) -> None:
        if not trusted:
            raise Broken("footage was deleted while nobody vouched for the clock")
        if age_s < self._age_s - SLACK_S:
            raise Broken(f"footage was deleted at the age of {age_s / HOUR_S:.1f} h")
        if self._is_held(key):
            raise Broken("footage was deleted that is held")
        if age_s > self._age_s + SLACK_S:
            self._late.add(key)
        self._deleted[key] = age_s

    def _is_held(self, key: tuple[str, int]) -> bool:
        end_s = self._ends[key] / self._age_s
        return self._held and key[0] == CAMERAS[0] and 0.05 < end_s < 0.1

    def _judge_lines(self) -> None:
        noted: dict[str, int] = dict.fromkeys(CAMERAS, 0)
        self._lines = 0
        for camera, _, _, count in self._box.noted():
            noted[camera] += count
            self._lines += 1
        for camera in CAMERAS:
            gone = sum(key[0] == camera for key in self._deleted)
            if noted[camera] != gone:
                raise Broken(f"{gone} segments of {camera} were deleted, the audit log has {noted[camera]}")


def _killed(trial: Trial, folder: Path, kills: int) -> str:
    """Deletions that are broken off: whatever is gone was noted, and the next start ends what was begun."""
    chance, box = trial.chance("kills"), _Box(folder, HOUR_S)
    for _ in range(AT_ONCE * kills):
        box.record(film().piece_s)
        box.clock.go_on(STEP_S / 10)
    box.clock.go_on(HOUR_S - AT_ONCE * kills * STEP_S / 10)
    halfway = 0
    for _ in range(kills):
        box.clock.go_on(AT_ONCE * STEP_S / 10)
        before = {camera: box.lying(camera) for camera in CAMERAS}
        _sweep_until_killed(box, chance.uniform(0, 0.006))
        halfway += 0 < sum(len(before[camera] - box.lying(camera)) for camera in CAMERAS) < 2 * AT_ONCE
        box.open()
        _require_lines(box, before)
    box.keeper.turn()
    left = sum(len(box.lying(camera)) for camera in CAMERAS)
    if left > 2 * SLACK_S / STEP_S * 10:
        raise Broken(f"{left} segments are left that are too old")
    return f"{kills} kills while it deletes, {halfway} halfway: 0 gone without a line, all gone in the end"


def _require_lines(box: _Box, before: dict[str, set[int]]) -> None:
    covered: dict[str, set[int]] = {camera: set() for camera in CAMERAS}
    for camera, first, last, _ in box.noted():
        covered[camera] |= set(range(first, last + 1))
    for camera in CAMERAS:
        silent = before[camera] - box.lying(camera) - covered[camera]
        if silent:
            raise Broken(f"{len(silent)} segments of {camera} are gone without a line")
        if box.lying(camera) != box.ring.index.numbers(camera):
            raise Broken(f"{camera}: on disk and in the index are not the same")


def _sweep_until_killed(box: _Box, seconds: float) -> None:
    """Delete what is too old in another process, which is killed so long after it has noted that."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            inner = box.note

            def note(*words: Any) -> bool:
                noted = inner(*words)
                os.write(writer, b"n")
                return noted

            box.note = note
            box.open()
            box.keeper.turn()
        finally:
            os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
