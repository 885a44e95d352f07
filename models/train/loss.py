"""What training makes smaller: YOLOX's losses on labelled pictures, and the distance to the base on others.

Labels are never complete. What nobody looked for, or could not have labelled, is no mistake of the network:
`Doubt` says where silence in the labels means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.train.assignment import Assignment, assign, joint
from models.train.grid import Grid, areas, common_areas, overlaps, paired_overlaps

BOX_WEIGHT = 5.0
"""Of the boxes' loss beside the two others (yolo_head.py of the authors)."""
UNASKED = 0.1
"""From this score of the base on, a place may hold something that nobody looked for."""
MISSED = 0.5
"""From this score of the base on, an object that has no label was more likely forgotten than imagined."""
_COVERED = 0.3
"""Overlap with a label from which a box of the base is of that object."""
_SWALLOWED = 0.5
"""Share of a box within an ignored one from which it is a part of it."""
_QUIET = 0.02
"""Below this score of the base its boxes and labels teach nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is in one labelled picture, in pixels of the network's input."""

    boxes: Tensor
    """(N, 4)."""
    labels: Tensor
    """(N,) index of the network's label."""
    ignored: Tensor
    """(M, 4) neither right nor wrong."""
    asked: Tensor
    """(L,) of each label whether the annotators looked for it."""
    least_px: float
    """Side of a square as large as the smallest objects that they labelled."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Parts of the loss, of numbers that can be compared from step to step."""

    box: Tensor
    object: Tensor
    label: Tensor

    @property
    def total(self) -> Tensor:
        """What is made smaller."""
        return BOX_WEIGHT * self.box + self.object + self.label


def labelled_loss(logits: Tensor, teacher: Tensor, targets: Sequence[Target], grid: Grid) -> Losses:
    """Of labelled pictures; `logits` and the base's `teacher` are (B, P, 5 + L), the latter's scores 0..1."""
    boxes = grid.boxes(logits)
    box, label, objects, found = [], [], [], 0
    for picture, target in enumerate(targets):
        rows = logits[picture]
        scores = joint(rows[:, 4].detach(), rows[:, 5:].detach()) * target.asked
        chosen = assign(boxes[picture].detach(), scores, target.boxes, target.labels, grid)
        found += len(chosen.places)
        box.append(_box_loss(boxes[picture], chosen, target))
        label.append(_label_loss(rows[:, 5:], chosen, target))
        doubtful = doubt(boxes[picture].detach(), teacher[picture], target, grid)
        wanted = torch.zeros_like(rows[:, 4])
        wanted[chosen.places] = 1.0
        doubtful[chosen.places] = False
        each = functional.binary_cross_entropy_with_logits(rows[:, 4], wanted, reduction="none")
        objects.append((each * ~doubtful).sum())
    count = max(found, 1)
    return Losses(
        torch.stack(box).sum() / count, torch.stack(objects).sum() / count, torch.stack(label).sum() / count
    )


def doubt(boxes: Tensor, teacher: Tensor, target: Target, grid: Grid) -> Tensor:
    """(P,) where no label is no proof that nothing is there.

    Inside an ignored box; where the base sees what nobody looked for; where it is sure of an object that has
    no label; and where the network means something smaller than all that was labelled.
    """
    doubtful = areas(boxes).sqrt() < target.least_px
    scores = teacher[:, 4:5] * teacher[:, 5:]
    doubtful |= (scores * ~target.asked).amax(1) > UNASKED
    sure = (scores * target.asked).amax(1) > MISSED
    if sure.any():
        seen = grid.boxes(teacher)[sure]
        alone = torch.ones(len(seen), dtype=torch.bool, device=boxes.device)
        if len(target.boxes):
            alone = overlaps(seen, target.boxes).amax(1) < _COVERED
        doubtful |= _within(boxes, grid, seen[alone])
    return doubtful | _within(boxes, grid, target.ignored)


def rehearsal_loss(logits: Tensor, teacher: Tensor, grid: Grid) -> Losses:
    """Distance to the base's own outputs (B, P, 5 + L) on pictures without labels: zero where nothing changed.

    Each place's object score is learned as it is; box and labels by how likely the base finds something there.
    """
    weight = teacher[..., 4] * teacher[..., 5:].amax(-1)
    weight = weight * (weight > _QUIET)
    count = teacher[..., 4].sum().clamp(min=1.0)
    sure = weight.sum().clamp(min=1.0)
    objects = _divergence(logits[..., 4], teacher[..., 4]).sum() / count
    labels = (_divergence(logits[..., 5:], teacher[..., 5:]).sum(-1) * weight).sum() / sure
    same = paired_overlaps(grid.boxes(logits), grid.boxes(teacher))
    return Losses(((1 - same.square()) * weight).sum() / sure, objects, labels)


def _box_loss(boxes: Tensor, chosen: Assignment, target: Target) -> Tensor:
    same = paired_overlaps(boxes[chosen.places], target.boxes[chosen.objects])
    return (1 - same.square()).sum()


def _label_loss(logits: Tensor, chosen: Assignment, target: Target) -> Tensor:
    """Labels that nobody looked for say neither yes nor no."""
    wanted = functional.one_hot(target.labels[chosen.objects], logits.shape[1]) * chosen.overlaps[:, None]
    each = functional.binary_cross_entropy_with_logits(logits[chosen.places], wanted, reduction="none")
    return torch.as_tensor((each * target.asked).sum())


def _within(boxes: Tensor, grid: Grid, around: Tensor) -> Tensor:
    """(P,) whether a place's middle, or most of the box that it means, lies in one of these boxes (M, 4)."""
    if len(around) == 0:
        return torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    x, y = grid.centres[:, None, 0], grid.centres[:, None, 1]
    left, top, right, bottom = around.T
    middle = (x > left) & (x < right) & (y > top) & (y < bottom)
    part = common_areas(boxes, around) / areas(boxes)[:, None].clamp(min=1e-9)
    return torch.as_tensor((middle | (part > _SWALLOWED)).any(1))


def _divergence(logits: Tensor, chance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of two chances, the first as a logit."""
    inside = chance.clamp(1e-7, 1 - 1e-7)
    entropy = -inside * inside.log() - (1 - inside) * torch.log1p(-inside)
    return (functional.binary_cross_entropy_with_logits(logits, inside, reduction="none") - entropy).clamp(
        min=0
    )
