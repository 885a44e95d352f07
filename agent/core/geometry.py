"""Overlap, point in polygon, which side of a line: the plane geometry that the stages share.

Points are (x, y) and boxes (left, top, right, bottom), all in one unit: pixels or fractions of the frame.
y points down. Fractions of a wide frame are not square, so distances in fractions differ by direction;
signs, insides, crossings and overlaps do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box

Floats = NDArray[np.float64]
Point = tuple[float, float]


def as_array(boxes: Sequence[Box]) -> Floats:
    """The boxes as rows of left, top, right, bottom: (N, 4), also for no boxes."""
    rows = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.array(rows, np.float64).reshape(-1, 4)


def area(boxes: Floats) -> Floats:
    """Areas of (N, 4) boxes as (N,); 0 for an inverted box."""
    out: Floats = np.maximum(0.0, boxes[:, 2] - boxes[:, 0]) * np.maximum(0.0, boxes[:, 3] - boxes[:, 1])
    return out


def intersection(a: Floats, b: Floats) -> Floats:
    """Area that every pair of boxes shares: a is (N, 4), b is (M, 4), the result (N, M)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    out: Floats = np.maximum(0.0, width) * np.maximum(0.0, height)
    return out


def iou(a: Floats, b: Floats) -> Floats:
    """Overlap of every pair of boxes: intersection over union.

    a is (N, 4) and b is (M, 4). Returns (N, M) in [0, 1]. A box without area overlaps nothing.
    """
    shared = intersection(a, b)
    return _ratio(shared, area(a)[:, None] + area(b)[None, :] - shared)


def giou(a: Floats, b: Floats) -> Floats:
    """Generalised overlap of every pair: IoU less the share of the hull that neither covers (Rezatofighi 2019).

    Returns (N, M) in [-1, 1]: negative when the boxes are apart, and the more so the farther.
    """
    shared = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    width = np.maximum(a[:, None, 2], b[None, :, 2]) - np.minimum(a[:, None, 0], b[None, :, 0])
    height = np.maximum(a[:, None, 3], b[None, :, 3]) - np.minimum(a[:, None, 1], b[None, :, 1])
    hull = width * height
    return _ratio(shared, union) - _ratio(hull - union, hull)


def containment(a: Floats, b: Floats) -> Floats:
    """Share of each box of `a` that lies in each box of `b`: (N, M) in [0, 1]; 0 for a box without area."""
    return _ratio(intersection(a, b), np.broadcast_to(area(a)[:, None], (len(a), len(b))))


def inside(point: Point, polygon: Sequence[Point]) -> bool:
    """Does the point lie in the polygon? Even-odd rule; the last corner joins the first.

    Fewer than three corners hold nothing. Each point of the plane lies in exactly one of the polygons that
    tile it: a left or upper edge belongs to the polygon, a right or lower one to its neighbour.
    Source: W. Randolph Franklin's PNPOLY.
    """
    x, y = point
    within = False
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
            within = not within
    return within


def side(point: Point, start: Point, end: Point) -> float:
    """Signed distance from the point to the endless line through start and end; 0 where they coincide.

    Positive on the left hand of someone who walks over the picture from start to end:

        (0, 0) ────────▶ x            positive
           │        start ───────────────────────────▶ end
           ▼ y                        negative
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy)
    if length == 0.0:
        return 0.0
    # y points down, so the cross product that is positive on the left in school is negative here.
    return (dy * (point[0] - start[0]) - dx * (point[1] - start[1])) / length


def crosses(p: Point, q: Point, a: Point, b: Point) -> bool:
    """Do the segments p-q and a-b cross?

    A point on the line counts as lying on its right (`side` <= 0). So a walk p, q, r that stops on the line
    in q and goes on crosses once, and one that turns back in q crosses twice or never. Collinear segments
    never cross.
    """
    if (side(p, a, b) > 0) == (side(q, a, b) > 0):
        return False
    return (side(a, p, q) > 0) != (side(b, p, q) > 0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """The quotient, and 0 where the whole is nothing."""
    out: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return out
