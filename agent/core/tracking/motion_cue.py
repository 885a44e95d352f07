"""Motion cue: between two looks what moves leads the tracks; where a walker's region goes, the walker goes.

Motion is known on every frame, the detector's word only on some. A region belongs to a track if it has about
its size and the two have no other partner: a region around a whole queue says nothing about one car. At a look
it is noted where the region's middle is beside the detected one: shadows and a lagging background make it off
by as much a moment later, so that the shift of the region is the shift of the road user. Without that note a
region is a rough guess of the place and the size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import Floats, containment, iou
from agent.core.tracking import kalman
from agent.core.tracking.kalman import Belief, Noise

STIRRED = 0.2
"""Something moves over a track when this share of its box moves."""

FITS = 0.4
"""A region leads a track when they overlap (IoU) at least so much."""

VAGUE = (4.0, 4.0, 12.0, 12.0)
"""Doubt in a region as it is: its middle is roughly the object's, its size is a guess."""

SHIFTED = (1.5, 1.5, np.inf, np.inf)
"""Doubt in the shift of a region since the last look: nearly a detection, but it tells no size."""

Offset = tuple[float, float] | None
"""The middle of a track's region less that of its detection, in fractions of the frame; None: not known."""


def stirs(boxes: Floats, regions: Floats) -> NDArray[np.bool_]:
    """Which of the regions (M, 4) move over which of the boxes (N, 4), as left, top, right, bottom: (N, M)."""
    out: NDArray[np.bool_] = containment(boxes, regions) >= STIRRED
    return out


def own(boxes: Floats, regions: Floats, stirred: NDArray[np.bool_]) -> dict[int, Floats]:
    """By row of the boxes, the one region that is its own, (4,), centre and size; `stirred` as from `stirs`."""
    if not stirred.any():
        return {}
    single = (np.sum(stirred, axis=0) == 1)[None, :] & (np.sum(stirred, axis=1) == 1)[:, None]
    rows, columns = np.nonzero(single & (iou(boxes, regions) >= FITS))
    return dict(zip(rows.tolist(), kalman.centred(regions[columns]), strict=True))


def offset(region: Floats, measured: Floats) -> Offset:
    """The note of a look: both are (4,), centre and size."""
    x, y = (region[:2] - measured[:2]).tolist()
    return x, y


def led(belief: Belief, leaders: dict[int, Floats], offsets: Sequence[Offset], noise: Noise) -> Belief:
    """The belief after its tracks were led: `leaders` are regions by row, (4,) as centre and size."""
    if not leaders:
        return belief
    target = np.array(list(leaders.values()))
    doubt = np.array([VAGUE if offsets[row] is None else SHIFTED for row in leaders])
    target[:, :2] -= np.array([offsets[row] or (0.0, 0.0) for row in leaders])
    rows = np.array(list(leaders), np.intp)
    return kalman.update(belief, rows, target, doubt, noise, detections=False)
