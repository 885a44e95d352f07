"""Decoded planes become a Frame: views, not copies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.cameras.picture import Layout
from agent.core.types import Frame, Instant, Plane


def frame(index: int, at: Instant, layout: Layout, planes: Sequence[memoryview]) -> Frame:
    """The frame over these planes: read-only views that live as long as the memory behind them."""
    views = [
        _view(plane, shape, stride)
        for plane, shape, stride in zip(planes, layout.shapes, layout.strides, strict=True)
    ]
    return Frame(index, at, views[0], views[1], views[2], layout.full_range)


def _view(plane: memoryview, shape: tuple[int, int], stride: int) -> Plane:
    view: Plane = np.ndarray(shape, np.uint8, buffer=plane, strides=(stride, 1))
    view.flags.writeable = False
    return view
