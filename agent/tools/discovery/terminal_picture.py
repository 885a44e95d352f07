"""A picture in a terminal: two pixels in each cell, the upper as the letter's colour, the lower behind it."""

from __future__ import annotations

import cv2
import numpy as np
from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style

from agent.core.types import Image

UPPER_HALF = "▀"


def half_blocks(image: Image, columns: int) -> Segments:
    """The picture, (H, W, 3) BGR, so many cells wide; rich draws it with the colours that the terminal has."""
    height, width = image.shape[:2]
    rows = max(1, round(columns * height / width / 2))
    small = np.asarray(cv2.resize(image, (columns, rows * 2), interpolation=cv2.INTER_AREA), np.uint8)
    cells: list[Segment] = []
    for row in range(rows):
        for above, below in zip(small[2 * row], small[2 * row + 1], strict=True):
            style = Style(color=_colour(above), bgcolor=_colour(below))
            cells.append(Segment(UPPER_HALF, style))
        cells.append(Segment.line())
    return Segments(cells)


def _colour(pixel: np.ndarray) -> Color:
    blue, green, red = (int(each) for each in pixel)
    return Color.from_rgb(red, green, blue)
