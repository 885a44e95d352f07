"""agent.core.geometry"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.core.geometry import (
    area,
    as_array,
    containment,
    crosses,
    giou,
    inside,
    intersection,
    iou,
    side,
)
from agent.core.types import Box

fractions = st.floats(0.0, 1.0, width=32)
points = st.tuples(fractions, fractions)
SQUARE = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]


@st.composite
def boxes(draw: st.DrawFn) -> np.ndarray:
    rows = draw(st.lists(st.tuples(fractions, fractions, fractions, fractions), max_size=5))
    ordered = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in rows]
    return np.array(ordered, float).reshape(-1, 4)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_between_nothing_and_one(a, b):
    overlap = iou(a, b)
    assert overlap.shape == (len(a), len(b))
    assert np.array_equal(overlap, iou(b, a).T)
    assert np.all((overlap >= 0) & (overlap <= 1 + 1e-12))
    assert np.all(giou(a, b) <= overlap + 1e-12)
    assert np.all(giou(a, b) >= -1 - 1e-12)


@given(boxes())
def test_a_box_overlaps_itself_wholly_and_one_without_area_overlaps_nothing(a):
    whole = np.where(area(a) > 0, 1.0, 0.0)
    assert np.allclose(np.diag(iou(a, a)), whole)
    assert np.allclose(np.diag(containment(a, a)), whole)


def test_overlaps_of_known_boxes():
    a = as_array([Box(0.0, 0.0, 0.4, 0.4)])
    b = as_array([Box(0.2, 0.0, 0.6, 0.4), Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.0, 1.0, 0.4)])
    assert intersection(a, b)[0] == pytest.approx([0.08, 0.01, 0.0])
    assert iou(a, b)[0] == pytest.approx([1 / 3, 1 / 16, 0.0])
    assert containment(a, b)[0] == pytest.approx([0.5, 1 / 16, 0.0])
    assert containment(b, a)[:, 0] == pytest.approx([0.5, 1.0, 0.0])
    assert giou(a, b)[0] == pytest.approx([1 / 3, 1 / 16, -0.2])


def test_no_boxes_are_an_array_of_no_rows():
    assert as_array([]).shape == (0, 4)
    assert iou(as_array([]), as_array([Box(0, 0, 1, 1)])).shape == (0, 1)


@pytest.mark.parametrize(
    ("point", "within"),
    [((0.5, 0.5), True), ((0.1, 0.5), False), ((0.9, 0.5), False), ((0.5, 0.9), False), ((0.2, 0.5), True)],
)
def test_a_square_holds_its_middle_and_its_left_edge(point, within):
    assert inside(point, SQUARE) is within


def test_the_notch_of_a_horseshoe_is_outside():
    horseshoe = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.7, 1.0), (0.7, 0.3), (0.3, 0.3), (0.3, 1.0), (0.0, 1.0)]
    assert not inside((0.5, 0.6), horseshoe)
    assert inside((0.1, 0.6), horseshoe)
    assert inside((0.5, 0.1), horseshoe)


@given(points, st.floats(0.05, 0.95))
def test_two_halves_of_a_square_share_no_point_and_miss_none(point, cut):
    assume(0 < point[0] < 1 and 0 < point[1] < 1)
    left = [(0.0, 0.0), (cut, 0.0), (cut, 1.0), (0.0, 1.0)]
    right = [(cut, 0.0), (1.0, 0.0), (1.0, 1.0), (cut, 1.0)]
    assert inside(point, left) != inside(point, right)


def test_a_line_or_a_point_holds_nothing():
    assert not inside((0.5, 0.5), [])
    assert not inside((0.5, 0.5), [(0.5, 0.5)])
    assert not inside((0.5, 0.5), [(0.0, 0.0), (1.0, 1.0)])


def test_above_a_line_to_the_right_is_its_left_hand():
    assert side((0.5, 0.2), (0.1, 0.5), (0.9, 0.5)) == pytest.approx(0.3)
    assert side((0.5, 0.9), (0.1, 0.5), (0.9, 0.5)) == pytest.approx(-0.4)
    assert side((0.2, 0.5), (0.5, 0.9), (0.5, 0.1)) == pytest.approx(0.3)  # walking up, left is left
    assert side((0.3, 0.3), (0.5, 0.5), (0.5, 0.5)) == 0.0


@given(points, points, points)
def test_the_side_changes_sign_with_the_direction_of_the_line(point, a, b):
    assert side(point, a, b) == pytest.approx(-side(point, b, a), abs=1e-9)


def test_a_walk_crosses_a_gate_but_not_the_line_beside_it():
    gate = ((0.2, 0.5), (0.8, 0.5))
    assert crosses((0.5, 0.4), (0.5, 0.6), *gate)
    assert crosses((0.5, 0.6), (0.5, 0.4), *gate)
    assert not crosses((0.9, 0.4), (0.9, 0.6), *gate)
    assert not crosses((0.5, 0.1), (0.5, 0.4), *gate)
    assert not crosses((0.3, 0.5), (0.6, 0.5), *gate)


def test_a_walk_that_rests_on_the_line_crosses_it_once():
    gate = ((0.2, 0.5), (0.8, 0.5))
    walk = [(0.5, 0.3), (0.5, 0.5), (0.52, 0.5), (0.52, 0.7)]
    assert sum(crosses(p, q, *gate) for p, q in pairwise(walk)) == 1
    turned = [(0.5, 0.7), (0.5, 0.5), (0.5, 0.7)]
    assert sum(crosses(p, q, *gate) for p, q in pairwise(turned)) == 0
