"""models.train.learning.doubt"""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch
from torch import Tensor

from agent.core.types import Size
from models.train.learning.doubt import LearningTarget, doubts
from models.train.learning.grid import Grid, grid

ALL = (True, True, True)


def places() -> Grid:
    return grid(Size(64, 64), (8, 16), torch.device("cpu"))


def target(
    boxes: list[list[float]], ignored: list[list[float]], asked: tuple[bool, ...] = ALL, least: float = 0.0
) -> LearningTarget:
    return LearningTarget(
        torch.tensor(boxes).reshape(-1, 4),
        torch.zeros(len(boxes), dtype=torch.long),
        torch.tensor(ignored).reshape(-1, 4),
        torch.tensor(asked),
        least,
    )


def nothing() -> Tensor:
    """The output of a network that sees nothing."""
    return torch.zeros(80, 8)


def sees(place: int, label: int, score: float) -> Tensor:
    """The output of one that sees something at one place."""
    output = nothing()
    output[place, 4], output[place, 5 + label] = 1.0, score
    return output


def test_where_nobody_sees_anything_silence_means_nothing_is_there() -> None:
    found = doubts(nothing(), nothing(), target([], []), places())

    assert not found.silent.any()
    assert not found.kept.any()


def test_inside_an_ignored_box_nothing_is_wrong() -> None:
    found = doubts(nothing(), nothing(), target([], [[0.0, 0.0, 32.0, 32.0]]), places())

    assert torch.equal(found.silent, (places().centres < 32).all(1))


def test_what_the_base_is_sure_of_was_forgotten_rather_than_imagined() -> None:
    base = sees(10, 0, 0.9)
    box = places().boxes(base)[10].tolist()

    assert doubts(nothing(), base, target([], []), places()).silent[10]
    assert not doubts(nothing(), base, target([box], []), places()).silent.any()


def test_where_somebody_has_said_that_nothing_is_there_silence_says_so_however_sure_the_base_is() -> None:
    base = sees(10, 0, 0.9)
    box = places().boxes(base)[10]
    ruled_out = replace(target([], [], least=1e6), ruled_out=box[None])

    assert doubts(nothing(), base, target([], []), places()).silent[10], (
        "without it the false alarm teaches nothing"
    )
    found = doubts(base, base, ruled_out, places())
    assert not found.silent[10]
    assert found.silent[-1], "elsewhere silence means what it meant"
    inside = replace(ruled_out, ignored=torch.tensor([[0.0, 0.0, 64.0, 64.0]]))
    assert doubts(base, base, inside, places()).silent[10], "of an ignored region nobody says anything"


def test_what_nobody_looked_for_stays_as_it_is_also_where_something_else_is_ruled_out() -> None:
    base = sees(10, 1, 0.9)
    ruled_out = replace(target([], [], (True, False, True)), ruled_out=places().boxes(base)[10][None])

    assert doubts(nothing(), base, ruled_out, places()).kept[10]


def test_what_the_network_itself_is_sure_of_may_have_been_forgotten_too() -> None:
    assert doubts(sees(10, 0, 0.5), nothing(), target([], []), places()).silent[10]
    assert not doubts(sees(10, 0, 0.3), nothing(), target([], []), places()).silent.any()


def test_what_is_smaller_than_all_that_was_labelled_is_not_wrong() -> None:
    found = doubts(nothing(), nothing(), target([], [], least=10.0), places())

    assert torch.equal(found.silent, places().strides == 8)


def test_what_nobody_looked_for_stays_as_the_base_sees_it() -> None:
    found = doubts(nothing(), sees(10, 1, 0.9), target([], [], (True, False, True)), places())

    assert found.kept.nonzero().flatten().tolist() == [10]
    assert not found.silent.any()
