"""Decoded planes become a Frame: views, not copies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.cameras.decode.decoded import Layout
from agent.core.types import Frame, Instant, Plane


def frame(index: int, at: Instant, layout: Layout, planes: Sequence[memoryview], lap: int = 0) -> Frame:
    """The frame over these planes: read-only views that live as long as the memory behind them."""
    return Frame(index, at, *views(layout, planes), layout.full_range, lap)


def views(layout: Layout, planes: Sequence[memoryview]) -> tuple[Plane, Plane, Plane]:
    """Luma, u and v, read-only, (H, W) and twice half of that, without the padding of their rows."""
    y, u, v = (
        _view(plane, shape, stride)
        for plane, shape, stride in zip(planes, layout.shapes, layout.strides, strict=True)
    )
    return y, u, v


def _view(plane: memoryview, shape: tuple[int, int], stride: int) -> Plane:
    view: Plane = np.ndarray(shape, np.uint8, buffer=plane, strides=(stride, 1))
    view.flags.writeable = False
    return view
