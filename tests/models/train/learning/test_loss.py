"""models.train.learning.loss"""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch
from torch import Tensor

from agent.core.types import Size
from models.train.learning.doubt import LearningTarget
from models.train.learning.grid import Grid, grid
from models.train.learning.loss import labelled_loss, rehearsal_loss

SQUARE = [16.0, 16.0, 40.0, 40.0]
SECOND_UNASKED = (True, False, True)


def places() -> Grid:
    return grid(Size(64, 64), (8, 16), torch.device("cpu"))


def target(boxes: list[list[float]], asked: tuple[bool, ...] = (True, True, True)) -> LearningTarget:
    return LearningTarget(
        torch.tensor(boxes).reshape(-1, 4),
        torch.zeros(len(boxes), dtype=torch.long),
        torch.zeros(0, 4),
        torch.tensor(asked),
        0.0,
    )


def silent() -> Tensor:
    """Outputs of a base that sees nothing."""
    return torch.zeros(1, 80, 8)


def gradient(teacher: Tensor, of: LearningTarget) -> Tensor:
    logits = torch.zeros(1, 80, 8, requires_grad=True)
    labelled_loss(logits, teacher, [of], places()).total.backward()
    assert logits.grad is not None
    return logits.grad


def test_the_distance_to_oneself_is_nothing_and_to_others_something() -> None:
    logits = torch.randn(2, 80, 8, generator=torch.Generator().manual_seed(0))
    teacher = torch.cat([logits[..., :4], logits[..., 4:].sigmoid()], -1)

    assert float(rehearsal_loss(logits, teacher, places()).total) == pytest.approx(0.0, abs=1e-3)
    assert float(rehearsal_loss(logits + 0.5, teacher, places()).total) > 0.1


def test_without_objects_every_place_learns_that_nothing_is_there() -> None:
    grad = gradient(silent(), target([]))

    assert (grad[0, :, 4] > 0).all()
    assert float(grad[..., 5:].abs().sum()) == 0.0


def test_where_an_object_is_score_and_label_rise() -> None:
    grad = gradient(silent(), target([SQUARE]))[0]
    chosen = grad[:, 4] < 0

    assert 1 <= int(chosen.sum()) <= 10
    assert float(grad[~chosen, 5:].abs().sum()) == 0.0
    assert (grad[chosen, 6:] > 0).all()


def test_a_label_that_nobody_looked_for_stays_as_the_base_has_it() -> None:
    teacher = silent()
    teacher[..., 4], teacher[..., 6] = 1.0, 0.5

    grad = gradient(teacher, target([SQUARE], SECOND_UNASKED))

    assert float(grad[..., 6].abs().sum()) == pytest.approx(0.0, abs=1e-6)
    assert float(grad[..., 5].abs().sum()) > 0.0


def test_where_the_base_sees_what_nobody_looked_for_its_score_is_kept() -> None:
    teacher = silent()
    teacher[0, 10, 4], teacher[0, 10, 6] = 0.5, 0.9

    grad = gradient(teacher, target([], SECOND_UNASKED))

    assert float(grad[0, 10, 4]) == pytest.approx(0.0, abs=1e-6)
    assert float(grad[0, 11, 4]) > 0.0


def test_the_loss_of_several_pictures_counts_their_objects_alike() -> None:
    logits, teacher = torch.zeros(2, 80, 8), torch.zeros(2, 80, 8)

    one = labelled_loss(logits[:1], teacher[:1], [target([SQUARE])], places()).total
    two = labelled_loss(logits, teacher, [target([SQUARE]), target([SQUARE])], places()).total

    assert float(one) == pytest.approx(float(two), rel=1e-4)
