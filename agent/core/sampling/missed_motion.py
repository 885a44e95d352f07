"""What goes by and is not found: moving regions without a detection, followed from frame to frame. Pure.

A region counts as missed only where the detector looked, and only once it has gone half of its own height: a
branch in the wind moves for ever and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import as_array, containment
from agent.core.types import Box, Crop, Detection, Instant, Motion, Track

TOUCHED = 0.1
"""Share of a region that a detection or a track covers, from which it is no longer one that nobody found."""
LOOKED = 0.8
"""Share of a region that must lie in one crop, else the detector saw a part of it."""
FOLLOWS = 0.2
"""Share of the smaller of two regions that they have in common, from which they are the same."""
TRAVEL = 0.5
"""Of its height; less is no way that a road user goes."""
LOOKS = 3
"""The detector must have looked so often: one look proves little."""
LINGER_S = 5.0
"""So long after it was last seen somebody may stand where something moved: nobody knows when it left."""
MOST = 32
"""Followed at one time; the smallest of more are left out."""


@dataclass(frozen=True, slots=True)
class MissedMotion:
    """Something that moves and that nobody has found yet."""

    box: Box
    first_box: Box
    since: Instant
    last: Instant
    looks: int = 0
    used: bool = False
    """A frame was kept because of it."""

    def due(self, at: Instant, missed_s: float, height: float) -> bool:
        """Whether it has gone by long enough, far enough and is large enough."""
        if self.used or self.looks < LOOKS or self.last != at or self.box.height < height:
            return False
        (x, y), (was_x, was_y) = self.box.center, self.first_box.center
        far = max(abs(x - was_x), abs(y - was_y)) >= TRAVEL * self.box.height
        return far and at.since(self.since) >= missed_s


def follow(
    known: Sequence[MissedMotion],
    at: Instant,
    motion: Motion,
    crops: Sequence[Crop],
    found: Sequence[Detection],
    tracks: Sequence[Track],
) -> tuple[MissedMotion, ...]:
    """Those that are there now, and those that went at most LINGER_S ago.

    What is found at last, or followed as a track, is no longer among them.
    """
    if not motion.regions and not known:
        return ()
    boxes = [each.box for each in found] + [each.box for each in tracks if not each.ended]
    regions = as_array(motion.regions[:MOST])
    free = ~_covered(regions, as_array(boxes), TOUCHED)
    looked = _covered(regions, as_array([crop.box for crop in crops]), LOOKED)
    owners = _owners(regions, known)
    now: list[MissedMotion] = []
    for row in np.flatnonzero(free).tolist():
        box, owner = motion.regions[row], owners[row]
        before = known[owner] if owner >= 0 else MissedMotion(box, box, at, at)
        now.append(replace(before, box=box, last=at, looks=before.looks + int(looked[row])))
    gone = set(range(len(known))) - set(owners)
    return (*now, *(known[k] for k in sorted(gone) if 0 <= at.since(known[k].last) <= LINGER_S))[: 2 * MOST]


def _covered(regions: NDArray[np.float64], boxes: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Which regions (N, 4) lie to this share in one of the boxes (M, 4)."""
    if not len(boxes) or not len(regions):
        return np.zeros(len(regions), np.bool_)
    return np.asarray(containment(regions, boxes).max(axis=1) >= share)


def _owners(regions: NDArray[np.float64], known: Sequence[MissedMotion]) -> list[int]:
    """For each region the place of what it was before, each at most once; -1: it is new."""
    owners = [-1] * len(regions)
    if not known or not len(regions):
        return owners
    boxes = as_array([each.box for each in known])
    shared = np.maximum(containment(regions, boxes), containment(boxes, regions).T)
    for row, column in zip(*np.unravel_index(np.argsort(-shared, axis=None), shared.shape), strict=True):
        if shared[row, column] < FOLLOWS:
            break
        if owners[row] < 0 and int(column) not in owners:
            owners[row] = int(column)
    return owners
