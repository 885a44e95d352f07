"""From a mask of changed pixels to the boxes of what moves."""

from __future__ import annotations

import cv2
import numpy as np

from agent.core.types import Box, Plane

_SPECK = 5
_GAP = np.ones((7, 7), np.uint8)
_NEAR = np.ones((5, 5), np.uint8)
_NEAR_FRACTION = 0.015


def clean(raw: Plane) -> Plane:
    """Without specks, with gaps closed and holes filled: a dark windscreen belongs to its car."""
    if not cv2.countNonZero(raw):
        return raw
    mask = cv2.morphologyEx(cv2.medianBlur(raw, _SPECK), cv2.MORPH_CLOSE, _GAP)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED), np.uint8)


def boxes(mask: Plane, moved: Plane, before: Plane | None, min_area: float, most: int) -> tuple[Box, ...]:
    """Boxes around what is large enough, changes now and was there `before`; largest first.

    `moved` is 255 where a pixel differs from a second ago: a thing without such pixels stands. `before` is the
    mask of the previous frame, or None when that is too long ago: rain, snow and insects are in one frame only.
    """
    if not cv2.countNonZero(mask):
        return ()
    count, places, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = facts[:, cv2.CC_STAT_AREA]
    keep = areas >= max(4.0, min_area * mask.size)
    keep[0] = False
    if keep.any():
        keep &= np.bincount(places[moved > 0], minlength=count) >= np.maximum(3, areas * 0.04)
    if before is not None and keep.any():
        near = cv2.dilate(before, _NEAR)
        keep &= np.bincount(places[near > 0], minlength=count) >= areas * 0.3
    chosen = np.flatnonzero(keep)
    chosen = chosen[np.argsort(-areas[chosen], kind="stable")][: 2 * most]
    height, width = mask.shape
    found = [
        Box(left / width, top / height, (left + wide) / width, (top + high) / height)
        for left, top, wide, high in facts[chosen, :4].tolist()
    ]
    return tuple(sorted(_merged(found), key=lambda box: -box.area)[:most])


def _merged(found: list[Box]) -> list[Box]:
    """Parts of one thing made one: boxes that overlap or nearly touch and fill their common box."""
    merged: list[Box] = []
    for box in found:
        new = box
        others = merged
        merged = []
        for other in others:
            if _near(new, other):
                new = around(new, other)
            else:
                merged.append(other)
        merged.append(new)
    return merged


def _near(one: Box, other: Box) -> bool:
    gap_x = max(one.left, other.left) - min(one.right, other.right)
    gap_y = max(one.top, other.top) - min(one.bottom, other.bottom)
    if max(gap_x, gap_y) > _NEAR_FRACTION:
        return False
    return (gap_x < 0 and gap_y < 0) or one.area + other.area >= 0.6 * around(one, other).area


def around(one: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
