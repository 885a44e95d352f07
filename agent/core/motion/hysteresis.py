"""Hysteresis: a part of the mask with what around it differs less surely from the scene.

Where a picture never rests, before leaves for one, the values of a pixel are far from each other, and so its
limit is wide: of a car that goes by there only pieces reach it. Whoever asked less of every pixel there would
be told each leaf. So less is asked only around what is told already, as an edge is followed from where it is
strong (thresholding with hysteresis: Canny, IEEE TPAMI 1986).

Less is: farther from the remembered values than a quiet pixel may be, however much these differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.motion.regions import Thing, clean, things
from agent.core.types import Plane

Floats = NDArray[np.float32]

NOISE = 8.0
"""Luma steps. A pixel whose values differ more mostly shows several things in turn, such as leaf and sky."""
_AROUND = 0.4
"""Of the longer side of a part: what is farther from it is told by itself, or is no part of it."""
_LEAST_PX = 2
_QUIET = 0.1
"""Share of noisy pixels up to which the limits around a part are narrow anyway."""


@dataclass(frozen=True, slots=True)
class Differing:
    """One frame beside the scene. All planes are (H, W)."""

    far: Plane
    """How far each pixel is from the scene, in luma steps."""
    limit: Plane
    """From where on it is no scene."""
    noise: Floats
    """How much of the limit is the pixel's own noise."""
    counts: Plane | None
    """255 where motion counts; None where it counts everywhere."""


def grown(part: Thing, seen: Differing) -> Thing:
    """The part with what differs less surely, is joined to it and lies close around it.

    Where hardly a pixel is noisier than `NOISE`, the part itself.
    """
    window = _around(part, seen.far.shape)
    noisy = np.count_nonzero(seen.noise[window] > NOISE)
    if noisy <= _QUIET * seen.far[window].size:
        return part
    own = _placed(part, window)
    filled, outlines = clean(np.asarray(cv2.bitwise_or(own, _beyond(window, seen)), np.uint8))
    joined = own.copy()
    for each in things(filled, outlines, 0.0, len(outlines)):
        if cv2.countNonZero(cv2.bitwise_and(each.pixels, own[each.window])):
            np.bitwise_or(joined[each.window], each.pixels, out=joined[each.window])
    return _thing(joined, window)


def _beyond(window: tuple[slice, slice], seen: Differing) -> Plane:
    """What differs there by more than the limit would be if no pixel were noisier than `NOISE`."""
    excess = np.maximum(seen.noise[window] - np.float32(NOISE), np.float32(0))
    limit = cv2.subtract(seen.limit[window], excess, dtype=cv2.CV_8U)
    differs = cv2.compare(seen.far[window], limit, cv2.CMP_GT)
    if seen.counts is not None:
        differs = cv2.bitwise_and(differs, seen.counts[window])
    return np.asarray(differs, np.uint8)


def _around(part: Thing, shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = part.window
    more = _LEAST_PX + round(_AROUND * max(rows.stop - rows.start, columns.stop - columns.start))
    return (
        slice(max(0, rows.start - more), min(shape[0], rows.stop + more)),
        slice(max(0, columns.start - more), min(shape[1], columns.stop + more)),
    )


def _placed(part: Thing, window: tuple[slice, slice]) -> Plane:
    """The part in a larger window."""
    rows, columns = window
    placed = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    top, left = part.window[0].start - rows.start, part.window[1].start - columns.start
    high, wide = part.pixels.shape
    placed[top : top + high, left : left + wide] = part.pixels
    return placed


def _thing(pixels: Plane, window: tuple[slice, slice]) -> Thing:
    """What is 255 in a window, as a part of the whole mask."""
    rows, columns = window
    origin = (columns.start, rows.start)
    outlines, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=origin)
    left, top, wide, high = cv2.boundingRect(pixels)
    return Thing(
        outline=np.asarray(max(outlines, key=len), np.int32),
        pixels=np.ascontiguousarray(pixels[top : top + high, left : left + wide]),
        window=(
            slice(rows.start + top, rows.start + top + high),
            slice(columns.start + left, columns.start + left + wide),
        ),
        area_px=int(cv2.countNonZero(pixels)),
    )
