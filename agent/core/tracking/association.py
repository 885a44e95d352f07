"""Data association: which detection belongs to which track, how alike they are, and the best pairing.

And what a detection says of its track where the border of the frame cuts it.

Everything here is unchanged when the picture is stretched in one direction, so boxes in fractions of the frame
do as well as boxes in pixels.
"""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import Floats, area

Pairs = list[tuple[int, int]]
Mask = NDArray[np.bool_]

BORDER = 0.01
"""A detection that comes so near to the frame's border is cut by it."""

ENTERING, UNKNOWN = 3.0, 5.0
"""How many times more doubtful the middle and the side of what comes into view are than of what is whole."""


def widened_iou(tracks: Floats, detections: Floats, margin: Floats) -> Floats:
    """Overlap of every pair after both boxes grew by the track's margin on every side: (N, M) in [0, 1].

    `tracks` is (N, 4) and `detections` (M, 4), as left, top, right, bottom; `margin` is (N, 2), for x and y.
    Boxes that are narrow, fast or seldom seen hardly overlap from one look to the next, and a bare IoU cannot
    tell the near one from the far one. Source: F. Yang et al., "Hard to track objects with irregular motions
    and similar appearances? Make it easier by buffering the matching space" (C-BIoU), WACV 2023; here the
    buffer follows from the uncertainty instead of being fixed.
    """
    grown_width = np.minimum(tracks[:, None, 2], detections[None, :, 2])
    grown_width -= np.maximum(tracks[:, None, 0], detections[None, :, 0])
    grown_width += 2 * margin[:, None, 0]
    grown_height = np.minimum(tracks[:, None, 3], detections[None, :, 3])
    grown_height -= np.maximum(tracks[:, None, 1], detections[None, :, 1])
    grown_height += 2 * margin[:, None, 1]
    shared = np.maximum(grown_width, 0.0) * np.maximum(grown_height, 0.0)
    wide = np.concatenate([tracks[:, :2] - margin, tracks[:, 2:] + margin], axis=1)
    sides = detections[:, 2:] - detections[:, :2]
    grown = (sides[None, :, 0] + 2 * margin[:, None, 0]) * (sides[None, :, 1] + 2 * margin[:, None, 1])
    union = area(wide)[:, None] + grown - shared
    out: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return out


def size_likeness(tracks: Floats, detections: Floats) -> Floats:
    """How alike every pair is in size, 0..1: root of the smaller over the larger, for width and height: (N, M).

    Both are (N, 4) and (M, 4), as left, top, right, bottom. Size is what a road user changes most slowly: it
    tells the one in front from the one behind, and a whole person from a part of him. Source of the idea:
    M. Yang et al., "Hybrid-SORT: weak cues matter for online multi-object tracking", AAAI 2024.
    """
    own, theirs = tracks[:, 2:] - tracks[:, :2], detections[:, 2:] - detections[:, :2]
    smaller = np.minimum(own[:, None, :], theirs[None, :, :])
    larger = np.maximum(own[:, None, :], theirs[None, :, :])
    ratio = np.divide(smaller, larger, out=np.zeros_like(larger), where=larger > 0)
    out: Floats = np.sqrt(np.maximum(ratio[:, :, 0] * ratio[:, :, 1], 0.0))
    return out


def pair(likeness: Floats, least: float) -> Pairs:
    """The pairing with the largest sum of likeness, of pairs that reach `least` (> 0) each.

    `likeness` is (N, M); a pair that must not be is 0 or less. Returns (row, column) in the order of the rows.
    A pair more is worth no more than its own likeness: else one track too many in a queue would push each of
    the others on to its neighbour's detection, for as many pairs as there can be.
    Source: R. Jonker and A. Volgenant 1987, as in the library lapx.
    """
    rows = np.flatnonzero((likeness >= least).any(axis=1))
    columns = np.flatnonzero((likeness >= least).any(axis=0))
    if not len(rows):
        return []
    few = np.ascontiguousarray(likeness[np.ix_(rows, columns)])
    most = float(np.max(few))
    # Who stays alone costs `most`, a pair so much less as it is alike, and more whoever must not be one.
    cost = np.where(few >= least, most - few, most + 1.0)
    _, of_row, _ = lap.lapjv(cost, extend_cost=True, cost_limit=most)
    return [(int(rows[i]), int(columns[j])) for i, j in enumerate(of_row) if j >= 0 and few[i, j] >= least]


def completed(measured: Floats, believed: Floats) -> tuple[Floats, Floats]:
    """Detections of tracks as they go on beyond the border, and the doubt in them: (K, 4), middle and size.

    `measured` and `believed` are (K, 4), too. A vehicle that leaves does not become narrow and turn back: the
    side that is cut is as long as was believed, unless it is seen to be longer. Then it comes into view, and
    where its middle is nobody knows.
    """
    whole, doubt = measured.copy(), np.ones_like(measured)
    for axis, (low, high) in enumerate(_cut(measured)):
        one = low ^ high
        more = np.where(one, np.maximum(believed[:, axis + 2] - measured[:, axis + 2], 0.0), 0.0)
        whole[:, axis] += np.where(high, more, -more) / 2
        whole[:, axis + 2] += more
        doubt[low | high, axis + 2] = np.inf
        doubt[one & (more <= 0.0), axis] = ENTERING
    return whole, doubt


def first_doubt(measured: Floats) -> Floats:
    """How doubtful first sights are: (N, 4); of what is cut only a part is seen, and how much nobody knows."""
    doubt = np.ones_like(measured)
    for axis, (low, high) in enumerate(_cut(measured)):
        doubt[low | high, axis] = ENTERING
        doubt[low | high, axis + 2] = UNKNOWN
    return doubt


def _cut(boxes: Floats) -> list[tuple[Mask, Mask]]:
    """For x and y, which of the boxes (N, 4), centre and size, are cut by the near and by the far border."""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    return [(low[:, axis] <= BORDER, high[:, axis] >= 1.0 - BORDER) for axis in (0, 1)]
