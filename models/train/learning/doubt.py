"""Where silence in the labels means nothing.

Labels are never complete: annotators look for some labels only, leave out what is far away, and forget. A
network that learns "nothing is here" of every object that has no label sees less and less, and is less sure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.train.learning.grid import Grid, areas, common_areas, overlaps

UNASKED = 0.1
"""From this score of the base on, a place may hold something that nobody looked for."""
MISSED = 0.3
"""From this score of the base on, an object that has no label was more likely forgotten than imagined."""
CONVINCED = 0.4
"""From this score of the network itself on, too: it has learned by then what is labelled elsewhere."""
_COVERED = 0.3
"""Overlap with a label from which a box is of that object."""
_SWALLOWED = 0.5
"""Share of a box within an ignored one from which it is a part of it."""


@dataclass(frozen=True, slots=True)
class LearningTarget:
    """A `TeachingTarget` as tensors, on the device that learns; see there."""

    boxes: Tensor
    labels: Tensor
    ignored: Tensor
    asked: Tensor
    least_px: float
    ruled_out: Tensor = field(default_factory=lambda: torch.zeros(0, 4))


@dataclass(frozen=True, slots=True)
class LabelDoubt:
    """Of the places (P,) of one picture."""

    silent: Tensor
    """No label is no proof that nothing is there."""
    kept: Tensor
    """Here the base sees what nobody looked for: what it says stays right."""


def doubts(output: Tensor, teacher: Tensor, target: LearningTarget, grid: Grid) -> LabelDoubt:
    """Of one picture; `output` and the base's `teacher` are (P, 5 + L), scores 0..1.

    Silence says nothing inside an ignored box, where the network means something smaller than all that was
    labelled, and where the base or the network itself is sure of an object that has no label. Where somebody
    has said that there is none, it says so, however sure they are: just such places are told as false alarms.
    """
    boxes = grid.boxes(output)
    silent = areas(boxes).sqrt() < target.least_px
    for said, sure in ((teacher, MISSED), (output, CONVINCED)):
        certain = (said[:, 4:5] * said[:, 5:] * target.asked).amax(1) > sure
        silent |= _within(boxes, grid, _alone(grid.boxes(said)[certain], target.boxes))
    silent &= ~_within(boxes, grid, target.ruled_out)
    silent |= _within(boxes, grid, target.ignored)
    kept = (teacher[:, 4:5] * teacher[:, 5:] * ~target.asked).amax(1) > UNASKED
    return LabelDoubt(silent & ~kept, kept)


def _alone(seen: Tensor, labelled: Tensor) -> Tensor:
    """Those of the boxes (N, 4) that cover no labelled one (M, 4)."""
    if len(seen) == 0 or len(labelled) == 0:
        return seen
    return seen[overlaps(seen, labelled).amax(1) < _COVERED]


def _within(boxes: Tensor, grid: Grid, around: Tensor) -> Tensor:
    """(P,) whether a place's middle, or most of the box that it means, lies in one of these boxes (M, 4)."""
    if len(around) == 0:
        return torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    x, y = grid.centres[:, None, 0], grid.centres[:, None, 1]
    left, top, right, bottom = around.T
    middle = (x > left) & (x < right) & (y > top) & (y < bottom)
    part = common_areas(boxes, around) / areas(boxes)[:, None].clamp(min=1e-9)
    return torch.as_tensor((middle | (part > _SWALLOWED)).any(1))
