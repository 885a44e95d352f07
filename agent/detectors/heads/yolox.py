"""YOLOX (Ge et al., 2021, arXiv:2107.08430), as its own export script writes it.

One output (places, 5 + labels): x, y, width and height relative to the place's cell, then the object's score
and the labels' scores, both already 0..1. The places are all cells of all strides, row by row.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from pydantic import Field

from agent.core.types import Size
from agent.detectors.heads.found import Ask, Floats, Outputs, RawDetections, corners, likely, misfit
from agent.settings.base import Settings


class YoloxHead(Settings):
    """Constants of a YOLOX head."""

    kind: Literal["yolox"] = Field(description="yolox")
    strides: tuple[int, ...] = Field((8, 16, 32), min_length=1, description="Pixels per cell.")

    def decode(self, outputs: Outputs, ask: Ask) -> RawDetections:
        """Every place whose object score times label score is high enough."""
        output = next(iter(outputs.values()))
        cells, strides = _grid(ask.field, self.strides)
        if output.shape != (len(cells), 5 + ask.labels):
            raise misfit(self.kind, f"({len(cells)}, 5 + {ask.labels} labels)", outputs)
        # A product never exceeds its factor, so most places are dropped before their labels are read.
        places = np.flatnonzero(output[:, 4] >= ask.lowest)
        rows = output[places]
        chosen, scores, labels = likely(rows[:, 5 + ask.kept] * rows[:, 4:5], ask)
        rows, places = rows[chosen], places[chosen]
        stride = strides[places, None]
        boxes = corners((rows[:, :2] + cells[places]) * stride, np.exp(rows[:, 2:4]) * stride)
        return RawDetections(boxes, scores, labels)


@lru_cache(maxsize=8)
def _grid(field: Size, strides: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Cell coordinates (N, 2) as x, y and stride (N,) of every place."""
    cells, widths = [], []
    for stride in strides:
        rows, columns = field.height_px // stride, field.width_px // stride
        y, x = np.mgrid[:rows, :columns]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        widths.append(np.full(rows * columns, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(widths).astype(np.float32)
