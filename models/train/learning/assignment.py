"""Which places of a network shall find which object: SimOTA (Ge et al., 2021, arXiv:2107.08430, section 2.4).

The constants are those of the authors' implementation (github.com/Megvii-BaseDetection/YOLOX, yolo_head.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.train.learning.grid import Grid, overlaps

RADIUS = 2.5
"""Cells around an object's middle from which it may be found though they lie outside of its box."""
BOX_WEIGHT = 3.0
_CANDIDATES = 10
"""An object gets as many places as its ten best overlaps sum up to."""
_FAR = 1e5
"""Cost of a place that is not both inside the box and near its middle."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The places that shall find something in one picture, (K,) each."""

    places: Tensor
    objects: Tensor
    """Index of the object that each shall find."""
    overlaps: Tensor
    """How well each covers it now, 0..1."""


@torch.no_grad()
def assign(boxes: Tensor, scores: Tensor, truth: Tensor, labels: Tensor, grid: Grid) -> Assignment:
    """Places for the objects of one picture, by what the network says of it now.

    Args:
        boxes: (P, 4) in pixels of the input.
        scores: (P, L) 0..1, as `joint` gives them.
        truth: (N, 4) boxes of the objects; N may be 0.
        labels: (N,) index of their labels.
        grid: The places.
    """
    device = boxes.device
    none = torch.zeros(0, dtype=torch.long, device=device)
    if len(truth) == 0:
        return Assignment(none, none, torch.zeros(0, device=device))
    inside, near = _positions(truth, grid)
    places = torch.nonzero((inside | near).any(0)).flatten()
    if len(places) == 0:
        return Assignment(none, none, torch.zeros(0, device=device))
    both = (inside & near)[:, places]
    found = overlaps(truth, boxes[places])
    wanted = functional.one_hot(labels, scores.shape[1]).to(scores.dtype)
    chance = scores[places].clamp(1e-7, 1 - 1e-7)
    # All labels but the object's say "no": their sum is the same for every object, so it is computed once.
    quiet = -torch.log1p(-chance)
    label_cost = quiet.sum(1)[None] + wanted @ (-chance.log() - quiet).T
    cost = label_cost - BOX_WEIGHT * (found + 1e-8).log() + _FAR * ~both
    taken = _dynamic_k(cost, found)
    several = taken.sum(0) > 1
    if several.any():
        best = cost[:, several].argmin(0)
        taken[:, several] = False
        taken[best, torch.nonzero(several).flatten()] = True
    objects, chosen = torch.nonzero(taken, as_tuple=True)
    return Assignment(places[chosen], objects, found[objects, chosen])


def joint(objects: Tensor, labels: Tensor) -> Tensor:
    """Scores (P, L), 0..1, of logits (P,) and (P, L): the geometric mean, as the authors weigh them."""
    return (objects.sigmoid()[:, None] * labels.sigmoid()).sqrt()


def _positions(truth: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """(N, P) each: the cell's middle lies in the box; it lies near the box's middle."""
    x, y = grid.centres[:, 0], grid.centres[:, 1]
    left, top, right, bottom = (side[:, None] for side in truth.unbind(1))
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    reach = RADIUS * grid.strides
    near = ((x - (left + right) / 2).abs() < reach) & ((y - (top + bottom) / 2).abs() < reach)
    return inside, near


def _dynamic_k(cost: Tensor, found: Tensor) -> Tensor:
    """(N, K) the cheapest places of each object, as many as its overlaps allow, at least one."""
    counts = found.topk(min(_CANDIDATES, found.shape[1]), dim=1).values.sum(1).int().clamp(min=1)
    ranks = cost.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
    return ranks < counts[:, None]
