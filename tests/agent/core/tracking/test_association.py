"""agent.core.tracking.association"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.geometry import iou
from agent.core.tracking import association
from agent.core.tracking.association import pair, size_likeness, widened_iou

matrices = st.integers(0, 4).flatmap(
    lambda rows: st.integers(0, 4).flatmap(
        lambda columns: st.lists(
            st.lists(st.floats(-1, 1), min_size=columns, max_size=columns), min_size=rows, max_size=rows
        ).map(lambda values: np.array(values, float).reshape(rows, columns))
    )
)


def best(likeness: np.ndarray, least: float) -> float:
    """The largest sum, by trying everything."""
    wide = np.where(likeness >= least, likeness, 0.0)
    wide = wide if wide.shape[0] <= wide.shape[1] else wide.T
    orders = permutations(range(wide.shape[1]), wide.shape[0])
    return max((sum(wide[i, j] for i, j in enumerate(order)) for order in orders), default=0.0)


@given(matrices)
def test_the_pairing_is_one_to_one_and_every_pair_is_good_enough(likeness):
    pairs = pair(likeness, 0.3)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(likeness[i, j] >= 0.3 for i, j in pairs)


@given(matrices)
def test_no_pair_that_is_good_enough_is_left_over(likeness):
    pairs = pair(likeness, 0.3)
    rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
    left = [
        likeness[i, j]
        for i in range(likeness.shape[0])
        for j in range(likeness.shape[1])
        if i not in rows and j not in columns
    ]
    assert all(value < 0.3 for value in left)


@given(matrices)
def test_no_other_pairing_has_a_larger_sum(likeness):
    pairs = pair(likeness, 0.3)
    assert sum(likeness[i, j] for i, j in pairs) == pytest.approx(best(likeness, 0.3))


def test_one_track_too_many_pushes_nobody_on_to_his_neighbours_place():
    # The first track came from elsewhere; behind the queue somebody stands who has none yet.
    queue = np.array([[0.55, 0.0, 0.0], [0.9, 0.55, 0.0], [0.0, 0.9, 0.55]])
    assert pair(queue, 0.2) == [(1, 0), (2, 1)]


def test_the_sum_decides_and_not_the_single_best_pair():
    likeness = np.array([[0.9, 0.8], [0.8, 0.1]])
    assert pair(likeness, 0.05) == [(0, 1), (1, 0)]
    assert sum(likeness[i, j] for i, j in pair(likeness, 0.05)) == pytest.approx(best(likeness, 0.05))


def test_without_a_margin_it_is_the_plain_overlap_and_with_one_near_beats_far():
    track = np.array([[0.1, 0.1, 0.2, 0.3]])
    found = np.array([[0.15, 0.1, 0.25, 0.3], [0.21, 0.1, 0.31, 0.3], [0.31, 0.1, 0.41, 0.3]])
    none = np.zeros((1, 2))
    assert np.allclose(widened_iou(track, found, none), iou(track, found))
    overlap = widened_iou(track, found, np.full((1, 2), 0.05))[0]
    assert overlap[0] > overlap[1] > overlap[2] == 0.0


def test_size_tells_the_near_from_the_far():
    track = np.array([[0.1, 0.1, 0.2, 0.3]])
    found = np.array([[0.6, 0.6, 0.7, 0.8], [0.1, 0.1, 0.15, 0.2], [0.1, 0.1, 0.1, 0.3]])
    assert size_likeness(track, found)[0] == pytest.approx([1.0, 0.5, 0.0])


def test_a_detection_that_the_border_cuts_is_as_long_as_its_track_or_as_it_is_seen():
    believed = np.array([[0.9, 0.5, 0.3, 0.2]] * 3)
    measured = np.array([[0.95, 0.5, 0.1, 0.2], [0.8, 0.5, 0.4, 0.2], [0.5, 0.5, 0.25, 0.2]])
    whole, doubt = association.completed(measured, believed)
    assert whole[0].tolist() == pytest.approx([1.05, 0.5, 0.3, 0.2])
    assert np.array_equal(whole[1:], measured[1:])
    assert doubt[0].tolist() == [1, 1, np.inf, 1]
    assert doubt[1].tolist() == [association.ENTERING, 1, np.inf, 1]
    assert doubt[2].tolist() == [1, 1, 1, 1]


def test_a_first_sight_at_the_border_says_little_of_the_middle_and_less_of_the_side():
    doubt = association.first_doubt(np.array([[0.05, 0.5, 0.1, 0.2], [0.5, 0.5, 0.1, 0.2]]))
    assert doubt[0].tolist() == [association.ENTERING, 1, association.UNKNOWN, 1]
    assert doubt[1].tolist() == [1, 1, 1, 1]
