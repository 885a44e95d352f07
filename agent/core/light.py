"""Tells light from things: exposure steps of the whole view, and soft light that only passes over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Plane

Fine = NDArray[np.float32]

_EVERY_PX = 6
_BINS = 8
_SOFT_PX = (5, 5)
_OUTLINE = np.ones((3, 3), np.uint8)
_SHARP = 0.38
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
    middle = greys.shape[1] // 2
    change = np.sort(now[order].reshape(_BINS, -1) - greys, axis=1)[:, middle]
    if np.abs(change).max() < 2:
        return None
    every, known = np.arange(256), np.maximum(1.0, greys[:, middle])
    ends = every + np.interp(every, known, change)
    # Beyond the brightest group a gain goes on as a factor.
    ends = np.where(every > known[-1], every * (1 + change[-1] / known[-1]), ends)
    curve = np.maximum.accumulate(np.clip(ends, 0, 255)).round().astype(np.uint8)
    explained = _share(now - curve[was]), _share(now - was)
    return curve if explained[0] >= 0.6 and explained[0] >= explained[1] + 0.15 else None


def _share(error: NDArray[np.int16]) -> float:
    return int(np.count_nonzero(np.abs(error) <= _CLOSE)) / error.size


def only_light(usual: Plane, plane: Plane, fine: Fine, thing: Plane) -> bool:
    """The pixels of `thing` (255) became brighter or darker softly: a beam, its reflection, a cloud's shadow.

    Soft light keeps what is fine in the picture; a thing brings edges of its own. So what is `unexplained` is
    looked at along the outline, where a thing's edge must be: a sharp quarter of it makes a thing.
    Measured on the real clips: 0.5 to 2 of the mean change for things, 0.13 to 0.45 for beams.
    """
    framed = cv2.copyMakeBorder(thing, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    outline = np.asarray(cv2.morphologyEx(framed, cv2.MORPH_GRADIENT, _OUTLINE), np.uint8)[1:-1, 1:-1]
    edge = np.sort(fine[outline > 0])
    if not edge.size:
        return False
    change = cv2.mean(cv2.absdiff(usual, plane), mask=thing)[0]
    quarter = edge[-max(1, edge.size // 4) :]
    return float(quarter.sum()) < _SHARP * change * quarter.size


def unexplained(usual: Plane, plane: Plane) -> Fine:
    """The fine part of `plane` that is no multiple of the fine part of `usual`, (H, W), in luma steps.

    Both views lose their local mean, and the usual one is fitted to the present one by one factor for each
    neighbourhood: the local form of the ratio test of shadow removal (Jacques et al., SIBGRAPI 2005). At half
    the size, because this is the dearest step of motion.
    """
    size = max(1, plane.shape[1] // 2), max(1, plane.shape[0] // 2)
    was = cv2.resize(usual, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    now = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    was -= cv2.blur(was, _SOFT_PX)
    now -= cv2.blur(now, _SOFT_PX)
    factor = cv2.blur(was * now, _SOFT_PX) / (cv2.blur(was * was, _SOFT_PX) + 1)
    left = cv2.dilate(np.abs(now - was * factor), _OUTLINE)
    return np.asarray(cv2.resize(left, plane.shape[::-1], interpolation=cv2.INTER_NEAREST), np.float32)
