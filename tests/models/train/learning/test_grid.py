"""models.train.learning.grid"""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch

from agent.core.types import Size
from models.train.learning.grid import areas, common_areas, grid, overlaps, paired_overlaps


def test_cells_are_counted_row_by_row_stride_by_stride() -> None:
    found = grid(Size(32, 16), (8, 16), torch.device("cpu"))

    assert found.centres[:5].tolist() == [[4, 4], [12, 4], [20, 4], [28, 4], [4, 12]]
    assert found.centres[8:].tolist() == [[8, 8], [24, 8]]
    assert found.strides.tolist() == [8.0] * 8 + [16.0] * 2


def test_an_output_of_nothing_is_a_box_of_one_cell_around_its_corner() -> None:
    found = grid(Size(32, 16), (8,), torch.device("cpu"))

    assert found.boxes(torch.zeros(8, 4))[1].tolist() == [4, -4, 12, 4]


def test_a_size_that_is_no_box_yet_is_still_a_number() -> None:
    found = grid(Size(8, 8), (8,), torch.device("cpu"))

    assert torch.isfinite(found.boxes(torch.full((1, 4), 1e4))).all()


def test_boxes_share_what_they_share() -> None:
    one = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 1.0, 1.0]])
    other = torch.tensor([[5.0, 0.0, 15.0, 10.0], [20.0, 20.0, 30.0, 30.0]])

    assert areas(one).tolist() == [100, 1]
    assert common_areas(one, other).tolist() == [[50, 0], [0, 0]]
    assert overlaps(one, other)[0].tolist() == pytest.approx([1 / 3, 0])
    assert paired_overlaps(one, one).tolist() == pytest.approx([1, 1])


def test_a_box_that_is_inside_out_has_no_area() -> None:
    assert areas(torch.tensor([[5.0, 5.0, 1.0, 1.0]])).tolist() == [0]
