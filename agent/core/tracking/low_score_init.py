"""Track initiation by low scores: none proves anything, but several that go somewhere together do.

A small detector scores what everybody sees below its bar: a cyclist in plain view, and at night every vehicle.
Its weak detections are as often a signpost, a shadow or a part of something known. What tells them apart is
time: a low score is taken only where something moves and where nothing known is, and a candidate that lives by
low scores alone is shown to nobody before it has gone a good part of its own size. A signpost does not travel,
and what passes it takes its own way.

This is track before detect, as core/motion/track_before_detect.py does it for motion; ByteTrack (Zhang et al.
2022) uses weak detections for tracks that are known already.
"""

from __future__ import annotations

import numpy as np

from agent.core.geometry import Floats, area, containment, iou
from agent.core.tracking.association import Mask
from agent.core.tracking.motion_cue import stirs

WIDE = 0.5
"""A region of so much of the view is a change of light, or says that it is not known what moves."""

EXPLAINED = 0.5
"""A region that overlaps a track or a strong detection so much (IoU) is its own motion, and nobody else's."""

COVERED = 0.5
"""A weak detection of which so much lies in something known is a part of it."""

BESIDE = 0.3
"""One that overlaps something known so much (IoU) is its double."""


def unexplained(regions: Floats, known: Floats) -> Mask:
    """Which regions (N, 4) may be the motion of someone who is not among the known boxes (M, 4): (N,)."""
    out: Mask = (area(regions) < WIDE) & ~np.any(iou(regions, known) >= EXPLAINED, axis=1)
    return out


def unclaimed(regions: Floats, known: Floats) -> Mask:
    """In which of the regions (N, 4) of a view that is not known yet none of the known boxes (M, 4) is: (N,).

    Where the scene is unknown a region holds a car and the light before it, which a detector takes for a car
    as well: nobody else is told of a region that has somebody.
    """
    out: Mask = (area(regions) < WIDE) & ~np.any(containment(known, regions) >= COVERED, axis=0)
    return out


def on_motion(boxes: Floats, regions: Floats) -> Mask:
    """On which of the boxes (N, 4) something moves: (N,); `regions` is (M, 4), as left, top, right, bottom."""
    out: Mask = np.any(stirs(boxes, regions), axis=1)
    return out


def parts(boxes: Floats, known: Floats) -> Mask:
    """Which of the boxes (N, 4) are parts or doubles of which of the known ones (M, 4): (N, M)."""
    out: Mask = (containment(boxes, known) >= COVERED) | (iou(boxes, known) > BESIDE)
    return out


def newborn(boxes: Floats, free: list[int], known: Floats) -> list[int]:
    """Which of the free rows of the boxes (N, 4), best first, begin a candidate: those apart from all else."""
    kept: list[int] = []
    for row in free:
        if not parts(boxes[[row]], np.concatenate([known, boxes[kept]])).any():
            kept.append(row)
    return kept
