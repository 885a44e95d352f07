"""Lasting: the parts of the mask without what flits before them.

An insect near the lens or at a lamp flies many of its own lengths a second, a road user one or two, four at
the most. So a pixel of a road user is one a moment later as well, or lies beside one; that of an insect is not.
What differs from the scene now and a tenth of a second ago, or a little more, is the road user alone: insects
that cross him make no part of him, and most that cross nobody are no part at all.

Two frames that must both show a pixel are the least M of N of radar's binary integration (Harrington, IRE
Transactions on Information Theory 1955).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from agent.core.motion.regions import Thing, clean, things
from agent.core.types import Plane

_MOMENT_S, _LONG_S = 0.1, 0.5
"""How long ago a look must be, and may be: at 25 frames a second an insect is beside where it just was."""
_BESIDE = np.ones((5, 5), np.uint8)
_WHOLE = 2.0
"""A part is shown whole, with its rim that is new in this frame, unless it is so much larger: others cross."""

Looks = Iterable[tuple[float, Plane]]
"""(mono_s, what differed from the scene then, (H, W)), the latest first."""


def parts(
    raw: Plane, whole: Sequence[Thing], looks: Looks, at_s: float, min_area: float, most: int
) -> list[Thing]:
    """What of the parts of a mask was there a moment ago too, largest first.

    `raw` is what differs from the scene, 255 or 0, and `whole` the parts of it once it is cleaned; without a
    look of that moment they are given back. Parts below `min_area` (a fraction of the view) do not count.
    """
    before = next((plane for then_s, plane in looks if _MOMENT_S <= at_s - then_s <= _LONG_S), None)
    if before is None or not whole:
        return list(whole)
    both = np.asarray(cv2.bitwise_and(raw, cv2.dilate(before, _BESIDE)), np.uint8)
    found: list[Thing] = []
    for part in things(*clean(both), min_area, most):
        mine = next((each for each in whole if _holds(each, part)), part)
        shown = mine if mine.area_px <= _WHOLE * part.area_px else part
        if not any(each is shown for each in found):
            found.append(shown)
    return sorted(found, key=lambda each: -each.area_px)


def _holds(whole: Thing, part: Thing) -> bool:
    (rows, columns), (its_rows, its_columns) = whole.window, part.window
    return bool(
        rows.start <= its_rows.start
        and its_rows.stop <= rows.stop
        and columns.start <= its_columns.start
        and its_columns.stop <= columns.stop
    )
