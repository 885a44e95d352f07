"""What training makes smaller: YOLOX's losses on labelled pictures, and the distance to the base on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.train.learning.assignment import Assignment, assign, joint
from models.train.learning.doubt import LabelDoubt, LearningTarget, doubts
from models.train.learning.grid import Grid, paired_overlaps

BOX_WEIGHT = 5.0
"""Of the boxes' loss beside the two others (yolo_head.py of the authors)."""
_QUIET = 0.02
"""Below this score of the base its boxes and labels teach nothing."""


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


def labelled_loss(logits: Tensor, teacher: Tensor, targets: Sequence[LearningTarget], grid: Grid) -> Losses:
    """Of labelled pictures; `logits` and the base's `teacher` are (B, P, 5 + L), the latter's scores 0..1."""
    parts = [
        _of_picture(mine, base, target, grid)
        for mine, base, target in zip(logits, teacher, targets, strict=True)
    ]
    count = max(sum(found for _, found in parts), 1)
    return Losses(
        torch.stack([one.box for one, _ in parts]).sum() / count,
        torch.stack([one.object for one, _ in parts]).sum() / count,
        torch.stack([one.label for one, _ in parts]).sum() / count,
    )


def _of_picture(logits: Tensor, teacher: Tensor, target: LearningTarget, grid: Grid) -> tuple[Losses, int]:
    """Sums over the places of one picture, and how many of them shall find something."""
    boxes = grid.boxes(logits)
    said = torch.cat([logits[:, :4], logits[:, 4:].sigmoid()], 1).detach()
    scores = joint(said[:, 4], said[:, 5:]) * target.asked
    chosen = assign(boxes.detach(), scores, target.boxes, target.labels, grid)
    doubt = doubts(said, teacher, target, grid)
    same = paired_overlaps(boxes[chosen.places], target.boxes[chosen.objects])
    return Losses(
        (1 - same.square()).sum(),
        _object_loss(logits[:, 4], teacher, chosen, doubt),
        _label_loss(logits[:, 5:], teacher, chosen, target),
    ), len(chosen.places)


def _object_loss(logits: Tensor, teacher: Tensor, chosen: Assignment, doubt: LabelDoubt) -> Tensor:
    """One where an object is, as before where the base sees what nobody looked for, else nothing."""
    wanted = torch.where(doubt.kept, teacher[:, 4], 0.0)
    wanted[chosen.places] = 1.0
    counts = ~doubt.silent
    counts[chosen.places] = True
    each = _divergence(logits, wanted)
    return torch.as_tensor((each * counts).sum())


def _label_loss(logits: Tensor, teacher: Tensor, chosen: Assignment, target: LearningTarget) -> Tensor:
    """How well its box covers the object, for the object's label; what nobody looked for stays as it was."""
    wanted = functional.one_hot(target.labels[chosen.objects], logits.shape[1]) * chosen.overlaps[:, None]
    before = teacher[chosen.places, 4:5] * teacher[chosen.places, 5:]
    wanted = torch.where(target.asked, wanted, before)
    return torch.as_tensor(_divergence(logits[chosen.places], wanted).sum())


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


def _divergence(logits: Tensor, chance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of two chances, the first as a logit; cross-entropy less what must remain."""
    inside = chance.clamp(1e-7, 1 - 1e-7)
    entropy = -inside * inside.log() - (1 - inside) * torch.log1p(-inside)
    each = functional.binary_cross_entropy_with_logits(logits, inside, reduction="none")
    return (each - entropy).clamp(min=0)
