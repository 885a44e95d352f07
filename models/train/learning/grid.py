"""The places of a YOLOX network, and boxes: what its numbers mean in pixels of its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from agent.core.types import Size

_MOST_LOG = 8.0
"""Of a width or height in cells: what is larger is no box yet, and its exponential would be no number."""


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells of all strides, row by row, as the head `yolox` counts them.

    Attributes:
        centres: (P, 2) x and y of each cell's middle in pixels of the input.
        strides: (P,) pixels per cell.
    """

    centres: Tensor
    strides: Tensor

    def boxes(self, output: Tensor) -> Tensor:
        """Boxes (…, P, 4) left, top, right, bottom in pixels, of outputs (…, P, 4 and more)."""
        stride = self.strides[:, None]
        corner = self.centres - stride / 2
        middle = output[..., :2] * stride + corner
        half = output[..., 2:4].clamp(max=_MOST_LOG).exp() * stride / 2
        return torch.cat([middle - half, middle + half], -1)


def grid(field: Size, strides: Sequence[int], device: torch.device) -> Grid:
    """The places of an input of this size."""
    centres, widths = [], []
    for stride in strides:
        rows, columns = field.height_px // stride, field.width_px // stride
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centres.append((torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride)
        widths.append(torch.full((rows * columns,), float(stride)))
    return Grid(torch.cat(centres).to(device), torch.cat(widths).to(device))


def areas(boxes: Tensor) -> Tensor:
    """Area (…) of boxes (…, 4), none below zero."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def common_areas(one: Tensor, other: Tensor) -> Tensor:
    """Area (N, M) that each of boxes (N, 4) shares with each of (M, 4)."""
    low = torch.maximum(one[:, None, :2], other[None, :, :2])
    high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    return (high - low).clamp(min=0).prod(-1)


def overlaps(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union (N, M), 0..1."""
    common = common_areas(one, other)
    return common / (areas(one)[:, None] + areas(other)[None, :] - common).clamp(min=1e-9)


def paired_overlaps(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union (…) of boxes (…, 4) with their counterparts."""
    low = torch.maximum(one[..., :2], other[..., :2])
    high = torch.minimum(one[..., 2:], other[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    return common / (areas(one) + areas(other) - common).clamp(min=1e-9)
