"""Tells light from things: exposure steps of the whole view, and soft light that only passes over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Plane

_EVERY_PX = 6
_BINS = 8
_CLOSE = 6
"""Luma steps within which a grey counts as explained by the curve; twice the noise of a compressed stream."""


def tone_curve(usual: Plane, plane: Plane) -> Plane | None:
    """How the camera now renders each grey of the `usual` view: 256 values, or None when that explains nothing.

    Automatic exposure, gain and a cloud before the sun change all greys by one smooth curve, things do not.
    The curve is the median change in each of eight groups of equally many pixels of similar grey: a coarse
    comparagram (Mann, "Comparametric equations", IEEE TIP 2000). It is taken only if it explains most pixels,
    and many more than no curve at all.
    """
    was = usual[::_EVERY_PX, ::_EVERY_PX].ravel().astype(np.int16)
    now = plane[::_EVERY_PX, ::_EVERY_PX].ravel().astype(np.int16)
    order = np.argsort(was, kind="stable")
    order = order[: order.size // _BINS * _BINS]
    if not order.size:
        return None
    greys = was[order].reshape(_BINS, -1)
    change = np.median(now[order].reshape(_BINS, -1) - greys, axis=1)
    if np.abs(change).max() < 2:
        return None
    every = np.arange(256)
    ends = every + np.interp(every, np.median(greys, axis=1), change)
    curve = np.maximum.accumulate(np.clip(ends, 0, 255)).round().astype(np.uint8)
    explained = _share(now - curve[was]), _share(now - was)
    return curve if explained[0] >= 0.6 and explained[0] >= explained[1] + 0.15 else None


def _share(error: NDArray[np.int16]) -> float:
    return float(np.mean(np.abs(error) <= _CLOSE))


def middle(first: Plane, second: Plane, third: Plane) -> Plane:
    """The median of three planes, pixel by pixel."""
    low, high = cv2.min(first, second), cv2.max(first, second)
    return np.asarray(cv2.max(low, cv2.min(high, third)), np.uint8)
