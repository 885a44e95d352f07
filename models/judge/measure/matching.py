"""Found boxes beside labelled ones of one picture and one label: which was found, which box was wrong.

As Pascal VOC and COCO do it: the likeliest box first takes the labelled one that it overlaps most, from an
overlap (IoU) of 0.5 on, and each is found once. A box of which half lies in an ignored one counts neither way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_IOU = 0.5
WRONG, UNCOUNTED = -1, -2
"""Instead of an object's row: the box is a false alarm; it lies in an ignored box."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]


def match(boxes: Floats, objects: Floats, ignored: Flags) -> Rows:
    """For each box the row of the object that it found, or WRONG, or UNCOUNTED.

    Args:
        boxes: (N, 4) left, top, right, bottom, likeliest first.
        objects: (M, 4) labelled boxes in the same unit.
        ignored: (M,) those that nobody has to find.
    """
    owners = np.full(len(boxes), WRONG, np.intp)
    if not len(boxes) or not len(objects):
        return owners
    near = overlaps(boxes, objects, ignored)
    swallowed: Flags = np.asarray((near[:, ignored] >= LEAST_IOU).any(axis=1), np.bool_)
    free = np.where(ignored[None, :], 0.0, near)
    for row in range(len(boxes)):
        best = int(free[row].argmax())
        if free[row, best] >= LEAST_IOU:
            owners[row] = best
            free[:, best] = 0.0
        elif swallowed[row]:
            owners[row] = UNCOUNTED
    return owners


def overlaps(boxes: Floats, objects: Floats, ignored: Flags) -> Floats:
    """Overlap (N, M) of each box with each object: IoU; with an ignored one, the share of the box inside it."""
    low = np.maximum(boxes[:, None, :2], objects[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], objects[None, :, 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=2)
    own, others = _areas(boxes)[:, None], _areas(objects)[None, :]
    whole = np.where(ignored[None, :], own, own + others - common)
    return np.asarray(common / np.where(whole > 0, whole, np.inf))


def _areas(boxes: Floats) -> Floats:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None).prod(axis=1))
