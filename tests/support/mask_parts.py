"""Parts of a mask, as motion cuts them out."""

from __future__ import annotations

import numpy as np

from agent.core.motion.regions import Thing


def part(x: float, y: float, wide: int = 10, high: int = 8) -> Thing:
    """A full rectangle with its upper left corner at (x, y), in pixels."""
    left, top = round(x), round(y)
    corners = [(left, top), (left, top + high - 1), (left + wide - 1, top + high - 1), (left + wide - 1, top)]
    window = slice(top, top + high), slice(left, left + wide)
    outline = np.array(corners, np.int32).reshape(-1, 1, 2)
    return Thing(outline, np.full((high, wide), 255, np.uint8), window, wide * high)
