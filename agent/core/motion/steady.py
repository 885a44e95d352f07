"""Steady: by how many pixels the view has moved since the scene was learned, and the frame moved back.

A pole sways in the wind and shakes when lorries pass. Some tenths of a working pixel the neighbourhood test of
background.py bears; beyond, every edge differs, its limits widen, and who passes before them is lost. So the
means of all columns and of all rows are laid over those of the scene's usual view (grey projection: Ratakonda,
"Real-time digital video stabilization for multi-media applications", ISCAS 1998), and the shift that fits best
is taken if far fewer pixels differ with it than without: what goes by in the view shifts nothing.

It costs a fifth of the motion stage, so a view that holds still is asked only once a second, and only where
much of it differs from the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box, Plane

Profile = NDArray[np.float32]

REACH_PX = 8
"""Working pixels: a twentieth of the view's height, more than any pole sways."""
_ASK_S = 1.0
_SHAKY_S = 10.0
"""A view that was seen to shake is asked in every frame for so long."""
_DIFFERS, _STIRS = 8, 0.03
"""Luma steps from the usual view, and the share of pixels that differ so, from which a shift is looked for."""
_CELL_PX, _BETTER = 16, 0.7
"""With a shift, so many of the pixels of a part of the view that differed still do, at most: it is better."""
_MANY, _TIMES = 8, 4
"""So many parts must be better, and so many times as many as are worse. Counted together, the pixels that
differ say less: where a tree swings while the pole sways, most of them are leaves, with any shift."""
_COARSE = (1, 31)
_MOST = 6.0
"""Luma steps: a column in which a vehicle stands counts no more than this."""


@dataclass(frozen=True, slots=True)
class Steady:
    """Where the view is, beside the learned scene."""

    x: int = 0
    y: int = 0
    """What the frame shows at (x, y) is at (0, 0) in the scene, in working pixels."""
    asked_s: float = float("-inf")
    shaky_s: float = float("-inf")
    """The mono_s when a shift was last looked for, and last found."""


def steadied(known: Steady, plane: Plane, usual: Plane, at_s: float) -> tuple[Steady, Plane]:
    """Where the view is in this frame, and its plane, (H, W), moved back; `usual` is the scene's usual view.

    What the frame does not show at its border is taken from the usual view.
    """
    if not shaky(known, at_s) and at_s - known.asked_s < _ASK_S:
        return known, plane
    known = replace(known, x=0, y=0, asked_s=at_s)
    if min(plane.shape) <= 4 * REACH_PX:
        return known, plane
    unlike = _unlike(plane, usual)
    if cv2.countNonZero(unlike) < _STIRS * plane.size:
        return known, plane
    x, y = (_offset(plane, usual, axis) for axis in (0, 1))
    if not (x or y):
        return known, plane
    # At the border that a shift uncovers the view as it is says neither that it is better nor worse: taken for
    # usual there, a lamp that fills the view would look like a shake.
    if not _explains(unlike, _unlike(_moved(plane, plane, x, y), usual)):
        return known, plane
    return replace(known, x=x, y=y, shaky_s=at_s), _moved(plane, usual, x, y)


def shaky(known: Steady, at_s: float) -> bool:
    """Whether the view was seen to shake within the last seconds; moved back, it trembles by half a pixel."""
    return at_s - known.shaky_s <= _SHAKY_S


def shift(known: Steady, shape: tuple[int, ...]) -> tuple[float, float]:
    """How far to the right and down the frame shows the scene, in fractions of a view of this shape."""
    return known.x / shape[1], known.y / shape[0]


def in_frame(known: Steady, boxes: tuple[Box, ...], shape: tuple[int, ...]) -> tuple[Box, ...]:
    """Boxes of the scene, in fractions of a view of this shape, (H, W), where the frame shows them."""
    if not (known.x or known.y):
        return boxes
    x, y = shift(known, shape)
    return tuple(
        Box(
            min(1.0, max(0.0, box.left + x)),
            min(1.0, max(0.0, box.top + y)),
            min(1.0, max(0.0, box.right + x)),
            min(1.0, max(0.0, box.bottom + y)),
        )
        for box in boxes
    )


def mask_in_frame(known: Steady, mask: Plane) -> Plane:
    """A mask of the scene, (H, W), where the frame shows it."""
    if not (known.x or known.y):
        return mask
    return _moved(mask, np.zeros_like(mask), -known.x, -known.y)


def _moved(plane: Plane, beyond: Plane, x: int, y: int) -> Plane:
    """What the plane shows at (x, y) at (0, 0); where it shows nothing, what `beyond` does."""
    height, width = plane.shape
    moved = beyond.copy()
    moved[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)] = plane[
        max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)
    ]
    return moved


def _unlike(plane: Plane, usual: Plane) -> Plane:
    differs = cv2.threshold(cv2.absdiff(plane, usual), _DIFFERS, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(differs, np.uint8)


def _explains(before: Plane, after: Plane) -> bool:
    """Whether a shift is why pixels differ, 255 in both planes, (H, W): far more of the view is better with it.

    A shift makes every edge of a view that holds still worse, whatever passes before it.
    """
    size = max(1, before.shape[1] // _CELL_PX), max(1, before.shape[0] // _CELL_PX)
    was, now = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) / 255 for each in (before, after))
    better = int(np.count_nonzero((was > _STIRS) & (now <= _BETTER * was)))
    worse = int(np.count_nonzero(now > was + _STIRS))
    return better >= max(_MANY, _TIMES * worse)


def _offset(plane: Plane, usual: Plane, axis: int) -> int:
    """By how many columns (`axis` 0) or rows (1) the plane lies beyond the usual view."""
    now, was = _profile(plane, axis), _profile(usual, axis)
    windows = np.lib.stride_tricks.sliding_window_view(now, len(was) - 2 * REACH_PX)
    unlike = np.minimum(np.abs(windows - was[REACH_PX:-REACH_PX]), _MOST).mean(axis=1)
    return int(np.argmin(unlike)) - REACH_PX


def _profile(plane: Plane, axis: int) -> Profile:
    """The means of all columns or rows, (W,) or (H,), without what is broad in them, such as other light."""
    means = cv2.reduce(plane, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).reshape(-1, 1)
    return np.asarray(means - cv2.blur(means, _COARSE), np.float32).ravel()
