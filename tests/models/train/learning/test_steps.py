"""models.train.learning.steps"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch

from agent.detectors.card import read_card
from agent.errors import ModelError
from models.train.learning.checkpoint import TrainingState
from models.train.learning.steps import LearningSteps, averaged, mixed
from models.train.pictures.batches import Batch
from models.train.pictures.teaching import TeachingTarget
from models.train.plan import Plan
from tests.support.small_yolox import FIELD_PX, write_small_yolox
from tests.support.squares import write_model


def learner(folder: Path) -> LearningSteps:
    base = write_small_yolox(folder)
    return LearningSteps(base, read_card(base.with_suffix(".yaml")), Plan(rate=3e-3))


def batch(labelled: int, others: int, seed: int = 0) -> Batch:
    """A bright square in each."""
    chance = np.random.default_rng(seed)
    pictures = chance.uniform(0, 80, (labelled + others, 3, FIELD_PX, FIELD_PX)).astype(np.float32)
    pictures[:, :, 16:40, 16:40] = 230
    square = TeachingTarget(
        np.array([[16, 16, 40, 40]], np.float32),
        np.array([1]),
        np.zeros((0, 4), np.float32),
        np.array([False, True, False]),
        0.0,
    )
    return Batch(pictures, (square,) * labelled)


def test_the_loss_falls(tmp_path: Path) -> None:
    learning = learner(tmp_path)

    losses = [learning.step(batch(4, 0), number, 200)[0] for number in range(80)]

    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])


def test_at_the_first_step_nothing_is_forgotten_yet(tmp_path: Path) -> None:
    mine, others = learner(tmp_path).step(batch(0, 4), 0, 200)

    assert (mine, others) == (0.0, pytest.approx(0.0, abs=1e-3))


def test_going_on_from_where_it_stood_is_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole, first, second = (learner(tmp_path / name) for name in ("whole", "first", "second"))
    standing = TrainingState("this", 20)
    for number in range(6):
        whole.step(batch(2, 1, number), number, 20)
    for number in range(3):
        first.step(batch(2, 1, number), number, 20)
    first.put_down(standing)
    second.take_up(standing)
    for number in range(3, 6):
        second.step(batch(2, 1, number), number, 20)

    for one, other in zip(whole.average, second.average, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_half_way_between_two_networks_lies_one(tmp_path: Path) -> None:
    found = mixed([torch.tensor([0.0, 2.0])], [torch.tensor([1.0, 4.0])], 0.5)

    assert found[0].tolist() == [0.5, 3.0]


def test_what_is_written_is_the_base_until_something_is_learned(tmp_path: Path) -> None:
    learning = learner(tmp_path)
    before = learning.exported(learning.base)
    learning.step(batch(2, 0), 0, 20)

    assert learning.exported(learning.base) == before
    assert learning.exported(learning.average) != before


def test_a_network_with_another_head_is_told(tmp_path: Path) -> None:
    base = write_model(tmp_path)
    card = read_card(base.with_suffix(".yaml"))

    with pytest.raises(ModelError):
        LearningSteps(base, card, Plan())


def test_numbers_that_run_away_are_told(tmp_path: Path) -> None:
    learning = learner(tmp_path)
    broken = batch(1, 0)
    broken.pictures[:] = np.inf

    with pytest.raises(ModelError, match="ran away at step 7"):
        learning.step(broken, 7, 20)


def test_networks_are_averaged_weight_by_weight_and_one_alone_stays_itself() -> None:
    one = [torch.tensor([0.0, 2.0]), torch.tensor([1.0])]
    other = [torch.tensor([2.0, 6.0]), torch.tensor([3.0])]

    assert [each.tolist() for each in averaged([one, other])] == [[1.0, 4.0], [2.0]]
    assert [each.tolist() for each in averaged([one])] == [[0.0, 2.0], [1.0]]
