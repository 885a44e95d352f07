"""A labelled picture as a box's network sees it: a part of a frame, its boxes moved with it.

A box seldom looks at a whole frame: attention cuts crops out of it, and a full scan looks at overlapping
tiles (agent/core/attention). Objects are learned at the sizes that they have there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from agent.core.types import Image, Size
from agent.detectors.card import Card
from agent.detectors.letterbox import fitted, place

Floats = NDArray[np.float32]

WHOLE_SHARE, TILE_SHARE = 0.35, 0.8
"""Up to here of a chance 0..1 a view is the whole frame, then up to here a tile, then any part."""
TILE = (0.42, 0.62)
"""Of the frame, as a tile of a full scan or a crop of attention."""
ANY = (0.2, 1.0)
MOSAIC_SHARE = 0.25
MOSAIC_PART = (0.25, 0.6)
"""Of the frame in each part of a mosaic, so that nothing in it is smaller than on a whole frame."""
AIMED = 0.7
"""Of the parts that are chosen around an object: the sky teaches little."""
LEFT = 0.35
"""An object of which less is left in a view is neither right nor wrong there."""
GONE = 0.05
LEAST_PX = 4.0
"""Side of a square as large as the smallest object that shall be learned, in the network's input."""


@dataclass(frozen=True, slots=True)
class LabelledView:
    """A picture of the network's input with its objects.

    Attributes:
        picture: (height, width, 3), BGR, of the input's size.
        boxes: (N, 4) left, top, right, bottom in pixels of it.
        labels: (N,) index of the network's label; -1 for what the network has no label for.
        ignored: (N,) whether finding it is neither right nor wrong.
        frame_px: How wide the whole frame would be at the size at which the picture shows a part of it.
    """

    picture: Image
    boxes: Floats
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    frame_px: float
    shown: tuple[int, int, int, int] | None = None
    """Left, top, right, bottom of what is picture and no padding; None: all of it."""


def whole(view: LabelledView, card: Card) -> LabelledView:
    """All of a frame, letterboxed."""
    return _brought_in(view, card)


def drawn(view: LabelledView, card: Card, chance: Generator) -> LabelledView:
    """All of a frame, a tile, or anything larger than a fifth; mirrored every other time."""
    share = chance.random()
    if share >= WHOLE_SHARE:
        low, high = TILE if share < TILE_SHARE else ANY
        view = _cut(view, _window(view, chance.uniform(low, high), card, chance))
    return _brought_in(mirrored(view) if chance.random() < 0.5 else view, card)


def mosaic(
    views: tuple[LabelledView, LabelledView, LabelledView, LabelledView], card: Card, chance: Generator
) -> LabelledView:
    """Four parts of four frames around a common corner (Bochkovskiy et al., 2020, arXiv:2004.10934)."""
    field = card.field
    x, y = (
        round(chance.uniform(0.35, 0.65) * field.width_px),
        round(chance.uniform(0.35, 0.65) * field.height_px),
    )
    picture = np.full((field.height_px, field.width_px, 3), card.pad, np.uint8)
    parts = []
    for place_, (left, top, right, bottom) in enumerate(
        [
            (0, 0, x, y),
            (x, 0, field.width_px, y),
            (0, y, x, field.height_px),
            (x, y, field.width_px, field.height_px),
        ]
    ):
        size = Size(right - left, bottom - top)
        frame = views[place_]
        part = _cut(frame, _window(frame, chance.uniform(*MOSAIC_PART), card, chance, size))
        part = _scaled(part, size)
        part = mirrored(part) if chance.random() < 0.5 else part
        picture[top:bottom, left:right] = part.picture
        parts.append(replace(part, boxes=part.boxes + np.array([left, top, left, top], np.float32)))
    return _without_the_tiny(
        LabelledView(
            picture,
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.ignored for part in parts]),
            min(part.frame_px for part in parts),
        )
    )


def mirrored(view: LabelledView) -> LabelledView:
    """Left and right exchanged."""
    boxes = view.boxes.copy()
    boxes[:, [0, 2]] = view.picture.shape[1] - view.boxes[:, [2, 0]]
    return replace(view, picture=np.ascontiguousarray(view.picture[:, ::-1]), boxes=boxes)


def painted(view: LabelledView, paint: Callable[[Image, Floats], Image]) -> LabelledView:
    """The view with something done to its pixels, but not to its padding, which is always the card's grey."""
    if view.shown is None:
        return replace(view, picture=paint(view.picture, view.boxes))
    left, top, right, bottom = view.shown
    picture = view.picture.copy()
    picture[top:bottom, left:right] = paint(
        picture[top:bottom, left:right], view.boxes - np.array([left, top, left, top], np.float32)
    )
    return replace(view, picture=picture)


def _window(
    view: LabelledView, share: float, card: Card, chance: Generator, shape: Size | None = None
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a part of the frame, of the input's shape or of the frame's."""
    high, wide = view.picture.shape[:2]
    width, height = share * wide, share * high
    shape = shape or (card.field if chance.random() < 0.5 else None)
    if shape is not None:
        side = np.sqrt(width * height / (shape.width_px * shape.height_px))
        side = min(side, wide / shape.width_px, high / shape.height_px)
        width, height = side * shape.width_px, side * shape.height_px
    x, y = chance.uniform(0, wide), chance.uniform(0, high)
    if len(view.boxes) and chance.random() < AIMED:
        left, top, right, bottom = view.boxes[chance.integers(len(view.boxes))]
        x = (left + right) / 2 + chance.uniform(-0.4, 0.4) * width
        y = (top + bottom) / 2 + chance.uniform(-0.4, 0.4) * height
    left = int(np.clip(x - width / 2, 0, wide - width))
    top = int(np.clip(y - height / 2, 0, high - height))
    return left, top, left + max(8, int(width)), top + max(8, int(height))


def _cut(view: LabelledView, window: tuple[int, int, int, int]) -> LabelledView:
    left, top, right, bottom = window
    picture = view.picture[top:bottom, left:right]
    high, wide = picture.shape[:2]
    moved = view.boxes - np.array([left, top, left, top], np.float32)
    boxes = np.clip(moved, 0, np.array([wide, high, wide, high], np.float32))
    share = _areas(boxes) / np.maximum(_areas(moved), 1e-6)
    kept = share > GONE
    return replace(
        view,
        picture=picture,
        boxes=boxes[kept],
        labels=view.labels[kept],
        ignored=(view.ignored | (share < LEFT))[kept],
    )


def _scaled(view: LabelledView, size: Size) -> LabelledView:
    high, wide = view.picture.shape[:2]
    across, down = size.width_px / wide, size.height_px / high
    how = cv2.INTER_AREA if down < 0.5 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(view.picture, (size.width_px, size.height_px), interpolation=how), np.uint8)
    boxes = view.boxes * np.array([across, down, across, down], np.float32)
    return replace(view, picture=picture, boxes=boxes, frame_px=view.frame_px * float(np.sqrt(across * down)))


def _brought_in(view: LabelledView, card: Card) -> LabelledView:
    """As agent/detectors/letterbox.py does it on a box."""
    high, wide = view.picture.shape[:2]
    at = place(Size(wide, high), card.field, card.resize)
    across, down = at.width_px / wide, at.height_px / high
    boxes = view.boxes * np.array([across, down, across, down], np.float32)
    boxes += np.array([at.left_px, at.top_px, at.left_px, at.top_px], np.float32)
    picture = fitted(view.picture, card.field, at, card.pad)
    frame_px = view.frame_px * float(np.sqrt(across * down))
    shown = (at.left_px, at.top_px, at.left_px + at.width_px, at.top_px + at.height_px)
    return _without_the_tiny(replace(view, picture=picture, boxes=boxes, frame_px=frame_px, shown=shown))


def _without_the_tiny(view: LabelledView) -> LabelledView:
    """What is too small to be learned is not learned, nor is finding it wrong."""
    return replace(view, ignored=view.ignored | (np.sqrt(_areas(view.boxes)) < LEAST_PX))


def _areas(boxes: Floats) -> Floats:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1), np.float32)
