"""PicoDet and NanoDet: each side of a box as a distribution over distances.

Generalized Focal Loss (Li et al., 2020, arXiv:2006.04388): a side's distance from the place's centre, in cells,
is the mean of a softmax over 0..bins-1. PicoDet (arXiv:2111.00902) as PaddleDetection exports it without
post-processing gives per level a score output (places, labels) and a distance output (places, 4 * bins);
NanoDet-Plus gives one output (places, labels + 4 * bins). Scores are already 0..1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from pydantic import Field

from agent.core.types import Size
from agent.detectors.heads.found import Ask, Floats, Outputs, RawDetections, likely, misfit
from agent.settings.base import Settings


class DistributionHead(Settings):
    """Constants of a PicoDet or NanoDet head."""

    kind: Literal["picodet", "nanodet"] = Field(description="picodet or nanodet")
    strides: tuple[int, ...] = Field((8, 16, 32, 64), min_length=1, description="Pixels per cell.")
    bins: int = Field(8, ge=2, le=64, description="Length of each distribution; reg_max + 1.")
    centre: float = Field(0.5, ge=0, le=1, description="Centre in a cell: PicoDet 0.5, NanoDet-Plus 0.")

    def decode(self, outputs: Outputs, ask: Ask) -> RawDetections:
        """Every place and label that is likely enough."""
        scores, sides = self._split(outputs)
        centres, strides = _places(ask.field, self.strides, self.centre)
        if scores.shape != (len(centres), ask.labels):
            raise misfit(self.kind, f"scores for {len(centres)} places and {ask.labels} labels", outputs)
        rows, best, labels = likely(scores[:, ask.kept], ask)
        distances = _mean(sides[rows].reshape(-1, 4, self.bins)) * strides[rows, None]
        boxes = np.concatenate([centres[rows] - distances[:, :2], centres[rows] + distances[:, 2:]], axis=1)
        return RawDetections(boxes.astype(np.float32, copy=False), best, labels)

    def _split(self, outputs: Outputs) -> tuple[Floats, Floats]:
        """Scores (places, labels) and distances (places, 4 * bins) of all levels."""
        arrays = list(outputs.values())
        width = 4 * self.bins
        if len(arrays) == 1 and arrays[0].ndim == 2 and arrays[0].shape[1] > width:
            return arrays[0][:, :-width], arrays[0][:, -width:]
        levels = len(self.strides)
        sides = arrays[levels:]
        if len(arrays) != 2 * levels or any(a.ndim != 2 or a.shape[1] != width for a in sides):
            wanted = f"one output, or {levels} of scores and {levels} of (places, {width})"
            raise misfit(self.kind, wanted, outputs)
        return np.concatenate(arrays[:levels]), np.concatenate(sides)


def _mean(weights: Floats) -> Floats:
    """Mean bin (N, 4) of softmax distributions (N, 4, bins)."""
    powers = np.exp(weights - weights.max(axis=2, keepdims=True))
    mean: Floats = powers @ np.arange(weights.shape[2], dtype=np.float32) / powers.sum(axis=2)
    return mean


@lru_cache(maxsize=8)
def _places(field: Size, strides: tuple[int, ...], centre: float) -> tuple[Floats, Floats]:
    """Centres (N, 2) in pixels and strides (N,) of all places; levels that do not divide round up."""
    centres, widths = [], []
    for stride in strides:
        rows, columns = -(-field.height_px // stride), -(-field.width_px // stride)
        y, x = np.mgrid[:rows, :columns]
        centres.append((np.stack([x.ravel(), y.ravel()], axis=1) + centre) * stride)
        widths.append(np.full(rows * columns, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(widths).astype(np.float32)
