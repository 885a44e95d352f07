"""A frame as a box's network sees it: a part of it, its boxes moved with it.

A box seldom looks at a whole frame: attention cuts crops out of it, and a full scan looks at overlapping
tiles (agent/core/attention). Another camera hangs lower, or looks nearer: so objects are learned at many sizes,
not only at those that they have before this one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from agent.core.types import Size
from agent.detectors.card import Card
from models.train.pictures.labelled_view import (
    LabelledView,
    brought_in,
    cut,
    mirrored,
    scaled,
    without_the_tiny,
)

WHOLE_SHARE = 0.25
"""How often a view is the whole frame."""
PART = (0.2, 1.0)
"""Sides of any other view, of the frame's; each doubling as likely as the next."""
MOSAIC_SHARE = 0.25
MOSAIC_PART = (0.15, 0.6)
"""Of the frame in each part of a mosaic, so that nothing in it is smaller than on a whole frame."""
AIMED = 0.8
"""Of the parts that are chosen around an object: the sky teaches little."""


def whole(view: LabelledView, card: Card) -> LabelledView:
    """All of a frame, letterboxed."""
    return brought_in(view, card)


def drawn(view: LabelledView, card: Card, chance: Generator) -> LabelledView:
    """All of a frame, or anything larger than a fifth; mirrored every other time."""
    if chance.random() >= WHOLE_SHARE:
        view = cut(view, _window(view, _share(PART, chance), card, chance))
    return brought_in(mirrored(view) if chance.random() < 0.5 else view, card)


def mosaic(
    views: tuple[LabelledView, LabelledView, LabelledView, LabelledView], card: Card, chance: Generator
) -> LabelledView:
    """Four parts of four frames around a common corner (Bochkovskiy et al., 2020, arXiv:2004.10934)."""
    wide, high = card.field.width_px, card.field.height_px
    x, y = round(chance.uniform(0.35, 0.65) * wide), round(chance.uniform(0.35, 0.65) * high)
    places = ((0, 0, x, y), (x, 0, wide, y), (0, y, x, high), (x, y, wide, high))
    picture = np.full((high, wide, 3), card.pad, np.uint8)
    parts = []
    for frame, (left, top, right, bottom) in zip(views, places, strict=True):
        size = Size(right - left, bottom - top)
        part = scaled(cut(frame, _window(frame, _share(MOSAIC_PART, chance), card, chance, size)), size)
        part = mirrored(part) if chance.random() < 0.5 else part
        picture[top:bottom, left:right] = part.picture
        parts.append(replace(part, boxes=part.boxes + np.array([left, top, left, top], np.float32)))
    return without_the_tiny(
        LabelledView(
            picture,
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.ignored for part in parts]),
            min(part.frame_px for part in parts),
        )
    )


def _share(between: tuple[float, float], chance: Generator) -> float:
    return float(np.exp(chance.uniform(*np.log(between))))


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
        left, top, right, bottom = _aim(view, chance)
        x = (left + right) / 2 + chance.uniform(-0.4, 0.4) * width
        y = (top + bottom) / 2 + chance.uniform(-0.4, 0.4) * height
    left = int(np.clip(x - width / 2, 0, wide - width))
    top = int(np.clip(y - height / 2, 0, high - height))
    return left, top, left + max(8, int(width)), top + max(8, int(height))


def _aim(view: LabelledView, chance: Generator) -> tuple[float, float, float, float]:
    """A box of one of the labels here, each label as likely as the next."""
    label = chance.choice(np.unique(view.labels))
    places = np.flatnonzero(view.labels == label)
    left, top, right, bottom = view.boxes[chance.choice(places)]
    return float(left), float(top), float(right), float(bottom)
