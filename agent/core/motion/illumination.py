"""Illumination changes told from foreground: exposure steps of the view, soft light that passes over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.downscale import half
from agent.core.types import Plane

Floats = NDArray[np.float32]
Fine = NDArray[np.int16]

_EVERY_PX = 6
_BINS = 8
_SOFT_PX = (5, 5)
_SURE = 0.36
_OUTLINE = np.ones((3, 3), np.uint8)
_SHARP = 0.38
_BLACK = 16
"""Luma of what has no light at all."""
_GAIN = 0.15
"""Share of the view that a tone curve must explain above what no curve explains."""
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
    if was.size < _BINS:
        return None
    same = _share(now - was)
    if same > 1 - _GAIN:  # no curve could explain so many more; most frames end here
        return None
    order = np.argsort(was, kind="stable")
    order = order[: order.size // _BINS * _BINS]
    greys = was[order].reshape(_BINS, -1)
    middle = greys.shape[1] // 2
    change = np.sort(now[order].reshape(_BINS, -1) - greys, axis=1)[:, middle]
    if np.abs(change).max() < 2:
        return None
    every, known = np.arange(256), np.maximum(1.0, greys[:, middle])
    ends = every + np.interp(every, known, change)
    # Brighter than the brightest group a gain goes on as a factor. Darker than the darkest one it may be a
    # gain or a veil of stray light, so the curve goes midway between a factor and a step.
    ends = np.where(every > known[-1], every * (1 + change[-1] / known[-1]), ends)
    ends = np.where(every < known[0], every + change[0] * (1 + every / known[0]) / 2, ends)
    curve = np.maximum.accumulate(np.clip(ends, 0, 255)).round().astype(np.uint8)
    explained = _share(now - curve[was])
    return curve if explained >= 0.6 and explained >= same + _GAIN else None


def strength(usual: Plane, curve: Plane) -> float:
    """By which share of its light the middle one of all pixels of the usual view changes with a tone curve.

    0: not at all; 0.5: to a half, or by a half.
    """
    was = usual[::_EVERY_PX, ::_EVERY_PX].ravel().astype(np.int16)
    change = np.abs(curve[was].astype(np.int16) - was) / np.maximum(was - _BLACK, _BLACK)
    # NumPy's median loads its masked arrays, which a box would keep: 2 MB.
    return float(np.partition(change, change.size // 2)[change.size // 2])


def _share(error: NDArray[np.int16]) -> float:
    return int(np.count_nonzero(np.abs(error) <= _CLOSE)) / error.size


def sharp(was: Fine, now: Fine, change: float) -> bool:
    """Surely a thing: its outline has edges of its own, many as strong as the mean `change` inside.

    `was` and `now` (N,) are the `fine` parts of the usual and the present view along the outline. What is left
    of `now` after fitting `was` to it by one factor is 0.4 to 1.3 of the change for most things on
    real clips, 0.05 to 0.28 for beams. Cheap, so it spares most things the finer test of `only_light`.
    """
    before, after = was.astype(np.float32), now.astype(np.float32)
    factor = float(before @ after) / (float(before @ before) + 1)
    return _strongest(np.abs(after - before * np.float32(factor))) >= _SURE * change


def only_light(edge: Floats, change: float) -> bool:
    """What became brighter or darker did so softly: a beam, its reflection, a cloud's shadow.

    Soft light keeps what is fine in the picture; a thing brings edges of its own. So `edge`, what is
    `unexplained` along the outline (N,), where a thing's edge must be, is compared with the mean `change`
    inside. Measured on the real clips: 0.44 to 2 of the change for things, 0.06 to 0.36 for beams.
    """
    return _strongest(edge) < _SHARP * change


def _strongest(edge: Floats) -> float:
    """The mean of the largest quarter: a thing need not stand out all around."""
    quarter = np.sort(edge)[-max(1, edge.size // 4) :]
    return float(quarter.sum()) / quarter.size


def fine(plane: Plane) -> Fine:
    """The plane at half its size without its local mean, (H / 2, W / 2), in luma steps.

    Soft light is as soft at half the size, and every step costs a quarter.
    """
    small = half(plane)
    return np.asarray(cv2.subtract(small, cv2.blur(small, _SOFT_PX), dtype=cv2.CV_16S), np.int16)


def unexplained(usual: Fine, plane: Fine) -> Floats:
    """The `fine` part of a plane that is no multiple of the fine part of the usual one, in luma steps.

    (H / 2, W / 2). The usual one is fitted to the present by one factor for each neighbourhood: the local form
    of the ratio test of shadow removal (Jacques et al., SIBGRAPI 2005).
    """
    was, now = usual.astype(np.float32), plane.astype(np.float32)
    factor = cv2.blur(was * now, _SOFT_PX) / (cv2.blur(was * was, _SOFT_PX) + 1)
    return np.asarray(cv2.dilate(np.abs(now - was * factor), _OUTLINE), np.float32)
