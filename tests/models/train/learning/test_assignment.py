"""models.train.learning.assignment"""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch
from torch import Tensor

from agent.core.types import Size
from models.train.learning.assignment import Assignment, assign, joint
from models.train.learning.grid import Grid, grid

LABELS = 2


def places() -> Grid:
    return grid(Size(64, 64), (8, 16), torch.device("cpu"))


def assigned(truth: list[list[float]], boxes: Tensor | None = None, scores: Tensor | None = None) -> Assignment:
    found = places()
    return assign(
        found.boxes(torch.zeros(80, 4)) if boxes is None else boxes,
        torch.full((80, LABELS), 0.1) if scores is None else scores,
        torch.tensor(truth).reshape(-1, 4),
        torch.zeros(len(truth), dtype=torch.long),
        found,
    )


def test_without_objects_no_place_shall_find_any() -> None:
    assert len(assigned([]).places) == 0


def test_every_object_has_a_place_near_its_middle() -> None:
    found = assigned([[8.0, 8.0, 24.0, 24.0], [40.0, 40.0, 56.0, 56.0]])

    assert set(found.objects.tolist()) == {0, 1}
    middles = places().centres[found.places]
    truth = torch.tensor([[16.0, 16.0], [48.0, 48.0]])[found.objects]
    assert ((middles - truth).abs().amax(1) <= 2.5 * 16).all()


def test_no_place_shall_find_two_objects() -> None:
    found = assigned([[8.0, 8.0, 40.0, 40.0], [10.0, 10.0, 42.0, 42.0]])

    assert len(found.places.unique()) == len(found.places)


def test_the_place_that_covers_it_best_and_is_surest_is_chosen() -> None:
    boxes, scores = places().boxes(torch.zeros(80, 4)), torch.full((80, LABELS), 0.1)
    boxes[18] = torch.tensor([8.0, 8.0, 24.0, 24.0])
    scores[18, 0] = 0.9

    found = assigned([[8.0, 8.0, 24.0, 24.0]], boxes, scores)

    assert 18 in found.places.tolist()
    assert float(found.overlaps[found.places == 18]) == pytest.approx(1.0)


def test_an_object_that_many_places_cover_well_gets_many() -> None:
    truth = [8.0, 8.0, 40.0, 40.0]
    boxes = torch.tensor(truth).expand(80, 4).clone()

    assert len(assigned([truth], boxes).places) == 10


def test_an_object_that_is_nowhere_near_a_place_gets_none() -> None:
    assert len(assigned([[900.0, 900.0, 910.0, 910.0]]).places) == 0


def test_a_score_is_the_geometric_mean() -> None:
    found = joint(torch.tensor([0.0]), torch.tensor([[2.0, 0.0]]))

    assert found[0].tolist() == pytest.approx([(0.5 * 0.8808) ** 0.5, 0.5], abs=1e-4)
