"""A picture with its labels while it is cut, scaled, mirrored and painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Image, Size
from agent.detectors.card import Card
from agent.detectors.letterbox import fitted, place

Floats = NDArray[np.float32]

LEFT = 0.35
"""An object of which less is left in a view is neither right nor wrong there."""
GONE = 0.05
"""An object of which less is left is not there."""
RULED_OUT = -2
"""Instead of a label: somebody has said that nothing is there."""
LEAST_PX = 4.0
"""Side of a square as large as the smallest object that shall be learned, in the network's input."""


@dataclass(frozen=True, slots=True)
class LabelledView:
    """A picture with its objects.

    Attributes:
        picture: (height, width, 3), BGR.
        boxes: (N, 4) left, top, right, bottom in pixels of it.
        labels: (N,) index of the network's label; -1 for what the network has no label for, RULED_OUT for
            a place at which there is none.
        ignored: (N,) whether finding it is neither right nor wrong.
        frame_px: How wide the whole frame would be at the size at which the picture shows a part of it.
        shown: Left, top, right, bottom of what is picture and no padding; None: all of it.
    """

    picture: Image
    boxes: Floats
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    frame_px: float
    shown: tuple[int, int, int, int] | None = None


def bare(picture: Image) -> LabelledView:
    """A picture of which nothing is known."""
    return LabelledView(
        picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool), picture.shape[1]
    )


def cut(view: LabelledView, window: tuple[int, int, int, int]) -> LabelledView:
    """The part left, top, right, bottom; objects cut with it."""
    left, top, right, bottom = window
    picture = view.picture[top:bottom, left:right]
    high, wide = picture.shape[:2]
    moved = view.boxes - np.array([left, top, left, top], np.float32)
    boxes = np.clip(moved, 0, np.array([wide, high, wide, high], np.float32))
    share = areas(boxes) / np.maximum(areas(moved), 1e-6)
    kept = share > GONE
    return replace(
        view,
        picture=picture,
        boxes=boxes[kept],
        labels=view.labels[kept],
        ignored=(view.ignored | (share < LEFT))[kept],
    )


def scaled(view: LabelledView, size: Size) -> LabelledView:
    """In this size, whatever the shape."""
    high, wide = view.picture.shape[:2]
    across, down = size.width_px / wide, size.height_px / high
    how = cv2.INTER_AREA if down < 0.5 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(view.picture, (size.width_px, size.height_px), interpolation=how), np.uint8)
    boxes = view.boxes * np.array([across, down, across, down], np.float32)
    return replace(view, picture=picture, boxes=boxes, frame_px=view.frame_px * float(np.sqrt(across * down)))


def mirrored(view: LabelledView) -> LabelledView:
    """Left and right exchanged."""
    boxes = view.boxes.copy()
    boxes[:, [0, 2]] = view.picture.shape[1] - view.boxes[:, [2, 0]]
    return replace(view, picture=np.ascontiguousarray(view.picture[:, ::-1]), boxes=boxes)


def brought_in(view: LabelledView, card: Card) -> LabelledView:
    """In the network's input, as agent/detectors/letterbox.py does it on a box."""
    high, wide = view.picture.shape[:2]
    at = place(Size(wide, high), card.field, card.resize)
    across, down = at.width_px / wide, at.height_px / high
    boxes = view.boxes * np.array([across, down, across, down], np.float32)
    boxes += np.array([at.left_px, at.top_px, at.left_px, at.top_px], np.float32)
    picture = fitted(view.picture, card.field, at, card.pad)
    frame_px = view.frame_px * float(np.sqrt(across * down))
    shown = (at.left_px, at.top_px, at.left_px + at.width_px, at.top_px + at.height_px)
    return without_the_tiny(replace(view, picture=picture, boxes=boxes, frame_px=frame_px, shown=shown))


def without_the_tiny(view: LabelledView) -> LabelledView:
    """What is too small to be learned is not learned, nor is finding it wrong."""
    return replace(view, ignored=view.ignored | (np.sqrt(areas(view.boxes)) < LEAST_PX))


def painted(view: LabelledView, paint: Callable[[Image, Floats], Image]) -> LabelledView:
    """The view with something done to its pixels, but not to its padding, which is always the card's grey."""
    objects = view.boxes[view.labels != RULED_OUT]
    if view.shown is None:
        return replace(view, picture=paint(view.picture, objects))
    left, top, right, bottom = view.shown
    picture = view.picture.copy()
    picture[top:bottom, left:right] = paint(
        picture[top:bottom, left:right], objects - np.array([left, top, left, top], np.float32)
    )
    return replace(view, picture=picture)


def areas(boxes: Floats) -> Floats:
    """Area (N,) of boxes (N, 4), none below zero."""
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1), np.float32)
