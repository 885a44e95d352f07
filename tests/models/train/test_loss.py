"""models.train.loss"""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch

from agent.core.types import Size
from models.train.grid import Grid, grid
from models.train.loss import Target, doubt, labelled_loss, rehearsal_loss


def places() -> Grid:
    return grid(Size(64, 64), (8, 16), torch.device("cpu"))


def target(
    boxes: list[list[float]], ignored: list[list[float]], asked: list[bool], least: float = 0.0
) -> Target:
    return Target(
        torch.tensor(boxes).reshape(-1, 4),
        torch.zeros(len(boxes), dtype=torch.long),
        torch.tensor(ignored).reshape(-1, 4),
        torch.tensor(asked),
        least,
    )


def silent() -> torch.Tensor:
    """Outputs of a base that sees nothing."""
    return torch.zeros(1, 80, 8)


def test_the_distance_to_oneself_is_nothing() -> None:
    logits = torch.randn(2, 80, 8, generator=torch.Generator().manual_seed(0))
    teacher = torch.cat([logits[..., :4], logits[..., 4:].sigmoid()], -1)

    assert float(rehearsal_loss(logits, teacher, places()).total) == pytest.approx(0.0, abs=1e-3)


def test_a_label_that_nobody_looked_for_has_no_gradient() -> None:
    logits = torch.zeros(1, 80, 8, requires_grad=True)
    asked = target([[16.0, 16.0, 40.0, 40.0]], [], [True, False, True])

    labelled_loss(logits, silent(), [asked], places()).total.backward()

    assert logits.grad is not None
    assert float(logits.grad[..., 6].abs().sum()) == 0.0
    assert float(logits.grad[..., 5].abs().sum()) > 0.0


def test_inside_an_ignored_box_nothing_is_wrong() -> None:
    grid_ = places()
    boxes = grid_.boxes(torch.zeros(80, 8))

    found = doubt(boxes, silent()[0], target([], [[0.0, 0.0, 32.0, 32.0]], [True] * 3), grid_)

    inside = (grid_.centres < 32).all(1)
    assert torch.equal(found, inside)


def test_what_the_base_is_sure_of_was_forgotten_rather_than_imagined() -> None:
    grid_, teacher = places(), silent()[0]
    teacher[10, 4] = teacher[10, 5] = 0.9

    unlabelled = doubt(grid_.boxes(teacher), teacher, target([], [], [True] * 3), grid_)
    box = grid_.boxes(teacher)[10].tolist()
    labelled = doubt(grid_.boxes(teacher), teacher, target([box], [], [True] * 3), grid_)

    assert bool(unlabelled[10])
    assert not labelled.any()


def test_what_is_smaller_than_all_that_was_labelled_is_not_wrong() -> None:
    grid_ = places()

    found = doubt(grid_.boxes(torch.zeros(80, 8)), silent()[0], target([], [], [True] * 3, 10.0), grid_)

    assert torch.equal(found, grid_.strides == 8)
