"""What a camera and a detector make of the simulated road users: boxes with every fault a detector has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.core.types import Box, Detection
from benchmarks.scenes.ground import FRAME, Floats, box, boxes, clipped
from benchmarks.scenes.traffic import SIZES, User

FLIPS = {
    "car": "truck",
    "truck": "car",
    "bus": "truck",
    "motorcycle": "bicycle",
    "bicycle": "motorcycle",
    "person": "bicycle",
}
LEAST_HEIGHT = 14.0 / FRAME.height_px
"""Boxes less high than this are not part of the truth: too far for any detector."""
IN_VIEW = 0.6
"""Share of a box that must be in the picture for it to be part of the truth."""

SHIFT = 2.0 / FRAME.width_px
"""What shifts by less is no motion, in shares of the frame."""
SHOWN = 0.3
"""Share of a road user that must be uncovered for its motion to be seen."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often and how much the detector is wrong."""

    miss: float = 0.1
    """Chance to overlook what is in full view."""
    jitter: float = 0.03
    """Spread of each edge from frame to frame, in sizes of the box."""
    drift: float = 0.02
    """Spread of an error that lasts for about a second."""
    false: float = 0.03
    """Boxes around nothing, a frame."""
    flip: float = 0.03
    """Chance of a wrong label."""
    cover: float = 1.0
    """How much it matters that something nearer stands in the way."""


PERFECT = Faults(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Sight:
    """One road user as it really is in the picture."""

    user: User
    row: Floats
    """(4,), whole, cut at the frame: two-wheelers with their riders."""
    clear: float
    """Share that nothing nearer covers."""
    parts: tuple[tuple[str, Floats], ...]
    """What a detector sees of it: (label, box), a two-wheeler and each rider apart."""


def look(users: Sequence[User]) -> list[Sight]:
    """Everyone in view, nearest first."""
    users = sorted(users, key=lambda user: user.place[1])
    if not users:
        return []
    places = np.array([user.place for user in users])
    headings = np.array([user.heading for user in users])
    sizes = np.array([SIZES[user.label] for user in users])
    whole = boxes(places, headings, sizes, np.zeros(len(users)))
    cut = clipped(whole)
    area, shown = _area(whole), _area(cut)
    fine = (shown >= IN_VIEW * area) & (cut[:, 3] - cut[:, 1] >= LEAST_HEIGHT) & (places[:, 1] > 4.0)
    seen: list[Sight] = []
    nearer: list[Floats] = []
    for n, user in enumerate(users):
        if fine[n]:
            seen.append(Sight(user, cut[n], _clear(cut[n], nearer), _parts(user, cut[n])))
        nearer.append(cut[n])
    return seen


def _parts(user: User, row: Floats) -> tuple[tuple[str, Floats], ...]:
    if not user.riders:
        return ((user.label, row),)
    left, top, right, bottom = row
    high, wide = bottom - top, right - left
    machine = np.array([left, top + 0.38 * high, right, bottom])
    body = min(wide, 0.45 * high * FRAME.height_px / FRAME.width_px)
    middles = np.linspace(-0.12, 0.12, user.riders) if user.riders > 1 else np.zeros(1)
    middle = (left + right) / 2
    riders = [
        (
            "person",
            np.array([middle + m * wide - body / 2, top, middle + m * wide + body / 2, bottom - 0.22 * high]),
        )
        for m in middles
    ]
    return ((user.label, machine), *riders)


def _area(rows: Floats) -> Floats:
    out: Floats = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
    return out


def _clear(row: Floats, nearer: Sequence[Floats]) -> float:
    """The share of a box that no nearer box covers, by a grid of 8 by 8 points."""
    over = [o for o in nearer if o[0] < row[2] and o[2] > row[0] and o[1] < row[3] and o[3] > row[1]]
    if not over:
        return 1.0
    x = row[0] + (np.arange(8) + 0.5) / 8 * (row[2] - row[0])
    y = row[1] + (np.arange(8) + 0.5) / 8 * (row[3] - row[1])
    covered = np.zeros((8, 8), bool)
    for o in over:
        covered |= ((x > o[0]) & (x < o[2]))[None, :] & ((y > o[1]) & (y < o[3]))[:, None]
    return 1.0 - 0.85 * float(covered.mean())  # a box is larger than what is in it


class Mover:
    """What the motion stage makes of it: regions around what moved and is not hidden; what touches is one."""

    def __init__(self) -> None:
        self.rows: dict[int, Floats] = {}
        """By road user, where it was when it last moved."""

    def regions(self, sights: Sequence[Sight]) -> tuple[Box, ...]:
        """The regions of one frame."""
        rows = {sight.user.name: self.rows.get(sight.user.name, sight.row) for sight in sights}
        found: list[Floats] = []
        for sight in sights:
            was = rows[sight.user.name]
            if float(abs(sight.row - was).max()) < SHIFT:
                continue
            rows[sight.user.name] = sight.row
            if sight.clear >= SHOWN:
                found.append(np.concatenate([np.minimum(was, sight.row)[:2], np.maximum(was, sight.row)[2:]]))
        self.rows = rows
        return tuple(box(row) for row in _joined(found))


def _joined(rows: list[Floats]) -> list[Floats]:
    """Boxes that share ground made one, until none do."""
    apart: list[Floats] = []
    for row in rows:
        one = row
        while touching := [o for o in apart if (o[:2] < one[2:]).all() and (one[:2] < o[2:]).all()]:
            apart = [o for o in apart if not any(o is each for each in touching)]
            both = np.array([one, *touching])
            one = np.concatenate([both.min(axis=0)[:2], both.max(axis=0)[2:]])
        apart.append(one)
    return apart


class Detector:
    """Makes detections of sights; keeps the slow errors of each part."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.rng = np.random.default_rng(seed)
        self.faults = faults
        self.drift: dict[tuple[int, int], Floats] = {}

    def detect(self, sights: Sequence[Sight]) -> tuple[Detection, ...]:
        """The detections of one frame."""
        found: list[Detection] = []
        drift: dict[tuple[int, int], Floats] = {}
        for sight in sights:
            for n, (label, row) in enumerate(sight.parts):
                key = sight.user.name, n
                drift[key] = 0.9 * self.drift.get(key, np.zeros(4)) + 0.44 * self.rng.normal(size=4)
                one = self._one(label, row, sight.clear, drift[key])
                if one is not None:
                    found.append(one)
        self.drift = drift
        found += [self._ghost() for _ in range(int(self.rng.poisson(self.faults.false)))]
        return tuple(found)

    def _one(self, label: str, row: Floats, clear: float, drift: Floats) -> Detection | None:
        faults = self.faults
        high_px = (row[3] - row[1]) * FRAME.height_px
        chance = (
            (1 - faults.miss)
            * float(np.clip((1 - faults.cover * (1 - clear) - 0.2) / 0.4, 0, 1))
            * float(np.clip((high_px - 6) / 8, 0, 1))
        )
        if self.rng.random() >= chance:
            return None
        if self.rng.random() < faults.flip:
            label = FLIPS[label]
        size = np.array([row[2] - row[0], row[3] - row[1]] * 2)
        worse = 1.0 if clear > 0.7 else 2.0
        moved = clipped(row + size * (faults.jitter * worse * self.rng.normal(size=4) + faults.drift * drift))
        if moved[2] - moved[0] < 0.002 or moved[3] - moved[1] < 0.002:
            return None
        score = float(np.clip(self.rng.normal(0.55 + 0.35 * clear, 0.08), 0.12, 0.99))
        return Detection(label, score, box(moved))

    def _ghost(self) -> Detection:
        high = self.rng.uniform(0.04, 0.2)
        x, y = self.rng.uniform(0.1, 0.9), self.rng.uniform(0.25, 0.95)
        label = str(self.rng.choice(["person", "car", "motorcycle"]))
        row = clipped(np.array([x - high / 3, y - high, x + high / 3, y]))
        return Detection(label, float(self.rng.uniform(0.3, 0.7)), box(row))
