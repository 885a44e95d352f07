"""A coded pattern that lies under a privacy mask, and whoever looks for it in what was stored or sent.

The world beside it is grey. The pattern's cells are light or dark by a code, and green or magenta: where the
place of the mask in a picture is known, the code is read from the cells; where it is not, as in a crop, any
colour gives the pattern away. It keeps a margin from the edges of the mask, for a camera's own codec smears
what is under it into its neighbours before anybody could hide it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from agent.cameras.decode.decoded import Polygon

MASK: Polygon = ((0.05, 0.04), (0.97, 0.04), (0.95, 0.55), (0.3, 0.62), (0.05, 0.56))
"""Its own edges are slanted; the cells lie well inside."""
LEFT, TOP, RIGHT, BOTTOM = 0.125, 0.125, 0.875, 0.4375
"""Where the cells are, in fractions of the frame: every size that is a multiple of 32 by 32 has whole ones."""
ACROSS, DOWN = 24, 5
DARK, LIGHT = (150, 60, 150), (160, 255, 160)
"""Magenta and green, as RGB."""
FOUND = 0.5
"""So much of the cells' differences must follow the code (a correlation). By chance among 120 cells it is 0.5
once in 40 million pictures."""
FOUND_IN_A_ROW = 0.85
"""The same of one row of 24 cells, where a part of the pattern shows: once in 10 million rows."""
COLOURED = 14
"""Of a colour is what lies so far from grey, in levels: JPEG alone makes less."""
SPOTS = 0.002
"""So large a share of a crop of colour is no accident."""

Rgb = NDArray[np.uint8]
Signs = NDArray[np.float64]


@cache
def code(seed: int = 0) -> Signs:
    """(DOWN, ACROSS): 1 for a light cell, -1 for a dark one, as many of each."""
    signs = np.repeat([1.0, -1.0], ACROSS * DOWN // 2)
    return np.random.default_rng(seed).permutation(signs).reshape(DOWN, ACROSS)


def painted(world: Rgb, seed: int = 0) -> Rgb:
    """A picture of the world, (H, W, 3) RGB, with the pattern painted in."""
    picture = world.copy()
    top, bottom, left, right = _place(world.shape[0], world.shape[1])
    light = cv2.resize(code(seed), (right - left, bottom - top), interpolation=cv2.INTER_NEAREST) > 0
    picture[top:bottom, left:right] = np.where(light[..., None], np.uint8(LIGHT), np.uint8(DARK))
    return picture


@cache
def world(width: int, height: int, number: int, chance_seed: int = 7) -> Rgb:
    """A grey road with some texture, on which a white square moves from picture to picture."""
    chance = np.random.default_rng(chance_seed)
    road = 90 + chance.integers(-3, 4, (height, width, 1)) + np.zeros((1, 1, 3), int)
    side = height // 6
    left = (number * side // 4) % (width - side)
    road[height - 2 * side : height - side, left : left + side] = 240
    picture = np.clip(road, 0, 255).astype(np.uint8)
    picture.setflags(write=False)
    return picture


def picture_of(rgb: Rgb, pixel_format: str) -> VideoFrame:
    """The picture in a pixel format."""
    return VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)


@dataclass
class Searcher:
    """Looks for the pattern in pictures of all kinds, and counts."""

    seed: int = 0
    looked: int = 0
    found: dict[str, int] = field(default_factory=dict)
    """Kind of what was looked at -> in how many pictures of it the pattern was."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Kind -> how many pictures."""
    _sums: dict[str, Signs] = field(default_factory=dict)

    def whole(self, kind: str, luma: NDArray[np.uint8]) -> bool:
        """Whether the code is in a picture of the whole view, (H, W), of any size."""
        cells = cells_of(luma)
        self._sums[kind] = self._sums.get(kind, np.zeros((DOWN, ACROSS))) + cells
        return self._note(kind, shows(cells, self.seed))

    def crop(self, kind: str, bgr: NDArray[np.uint8]) -> bool:
        """Whether there is any colour in a picture of some part of the view, (H, W, 3)."""
        spread = bgr.max(axis=2).astype(int) - bgr.min(axis=2)
        return self._note(kind, float((spread > COLOURED).mean()) > SPOTS)

    def in_mean(self) -> dict[str, float]:
        """Of each kind of whole views, how much of the mean of all its pictures follows the code.

        What is too faint in one picture adds up in many.
        """
        return {kind: likeness(total, self.seed) for kind, total in self._sums.items()}

    @property
    def leaks(self) -> dict[str, str]:
        """What the pattern was found in."""
        faint = {kind: f"in the mean ({like:.2f})" for kind, like in self.in_mean().items() if like > FOUND}
        seen = {kind: f"{count} of {self.kinds[kind]}" for kind, count in self.found.items() if count}
        return faint | seen

    def _note(self, kind: str, found: bool) -> bool:
        self.looked += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.found[kind] = self.found.get(kind, 0) + found
        return found


def shows(cells: Signs, seed: int = 0) -> bool:
    """Whether the cells follow the code, all together or those of one row."""
    rows = zip(cells, code(seed), strict=True)
    return likeness(cells, seed) > FOUND or any(_like(*row) > FOUND_IN_A_ROW for row in rows)


def likeness(cells: Signs, seed: int = 0) -> float:
    """How much of the differences between the cells follows the code: 1 all, 0 none."""
    return _like(cells, code(seed))


def _like(cells: Signs, signs: Signs) -> float:
    one, other = cells - cells.mean(), signs - signs.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return 0.0 if size < 1e-9 else float((one * other).sum() / size)


def luma_of(frame: VideoFrame) -> NDArray[np.uint8]:
    """The brightness of a decoded picture, (H, W)."""
    return np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)


def grey_of(images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """The brightness of pictures, (H, W, 3) BGR."""
    return [np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8) for image in images]


def _place(height: int, width: int) -> tuple[int, int, int, int]:
    return round(TOP * height), round(BOTTOM * height), round(LEFT * width), round(RIGHT * width)


def cells_of(luma: NDArray[np.uint8]) -> Signs:
    """(DOWN, ACROSS): the mean of each cell's middle."""
    height, width = luma.shape
    top, bottom, left, right = _place(height, width)
    ys, xs = _middles(top, bottom, DOWN), _middles(left, right, ACROSS)
    sums = cv2.integral(luma[top:bottom, left:right], sdepth=cv2.CV_64F)
    corners = sums[np.ix_(_edges(ys, top), _edges(xs, left))]
    each = np.diff(np.diff(corners, axis=0)[::2], axis=1)[:, ::2]
    sizes = np.outer([rows.stop - rows.start for rows in ys], [columns.stop - columns.start for columns in xs])
    return np.asarray(each / sizes, np.float64)


def _edges(cells: Sequence[slice], start: int) -> list[int]:
    return [edge - start for cell in cells for edge in (cell.start, cell.stop)]


def _middles(start: int, end: int, cells: int) -> list[slice]:
    size = (end - start) / cells
    return [slice(round(start + (n + 0.25) * size), round(start + (n + 0.75) * size)) for n in range(cells)]
