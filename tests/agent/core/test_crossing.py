"""agent.core.crossing"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.crossing import IN, OUT, Line, Passage, band, finish, step
from agent.core.types import Instant

LINE = Line((0.2, 0.5), (0.8, 0.5), 0.05)
"""From left to right: `in` goes down, `out` goes up."""

inside_band = st.floats(-0.0499, 0.0499)
along = st.floats(0.25, 0.75)


def pass_by(points: list[tuple[float, float]], ends: bool = True) -> list[str]:
    passage, told = Passage(), []
    for number, point in enumerate(points):
        passage, direction = step(passage, point, LINE, Instant(float(number), 0.0))
        told += [direction] if direction else []
    if ends:
        passage, direction = finish(passage)
        told += [direction] if direction else []
    return told


@given(st.lists(st.tuples(along, inside_band), min_size=1, max_size=60))
def test_trembling_within_the_band_never_counts(steps: list[tuple[float, float]]) -> None:
    assert pass_by([(x, 0.5 + dy) for x, dy in steps]) == []


@given(
    st.lists(st.tuples(along, st.floats(0.06, 0.4)), min_size=1, max_size=5),
    st.lists(st.tuples(along, inside_band), max_size=60),
    st.lists(st.tuples(along, st.floats(0.06, 0.4)), min_size=1, max_size=5),
    st.booleans(),
)
def test_from_far_to_far_counts_once_whatever_lies_between(
    before: list[tuple[float, float]],
    between: list[tuple[float, float]],
    after: list[tuple[float, float]],
    down: bool,
) -> None:
    sign = 1 if down else -1
    points = [(x, 0.5 - sign * d) for x, d in before]
    points += [(x, 0.5 + dy) for x, dy in between]
    points += [(x, 0.5 + sign * d) for x, d in after]

    assert pass_by(points) == [IN if down else OUT]


@given(st.lists(st.tuples(along, st.floats(-0.3, 0.3)), max_size=80))
def test_directions_alternate_between_the_ends(steps: list[tuple[float, float]]) -> None:
    told = pass_by([(x, 0.5 + dy) for x, dy in steps])

    assert all(a != b for a, b in pairwise(told))


def test_who_goes_around_an_end_is_not_counted() -> None:
    assert pass_by([(0.9, 0.3), (0.9, 0.48), (0.9, 0.52), (0.9, 0.7), (0.9, 0.8)]) == []
    assert pass_by([(0.5, 0.4), (0.75, 0.46), (0.85, 0.48), (0.85, 0.52), (0.7, 0.6), (0.5, 0.7)]) == []


def test_a_u_turn_counts_in_then_out_only_after_the_whole_band_was_left() -> None:
    over = [(0.5, 0.3), (0.5, 0.6), (0.5, 0.62)]

    assert pass_by([*over, (0.5, 0.53), (0.5, 0.47), (0.5, 0.6)]) == [IN]
    assert pass_by([*over, (0.5, 0.53), (0.5, 0.4), (0.5, 0.3)]) == [IN, OUT]


def test_one_stray_box_on_the_other_side_is_not_a_crossing() -> None:
    assert pass_by([(0.5, 0.3), (0.5, 0.35), (0.5, 0.7), (0.5, 0.36), (0.5, 0.37)]) == []


def test_a_track_that_ends_with_its_first_sighting_beyond_has_crossed() -> None:
    assert pass_by([(0.5, 0.3), (0.5, 0.7)], ends=False) == []
    assert pass_by([(0.5, 0.3), (0.5, 0.7)], ends=True) == [IN]


def test_who_begins_in_the_band_has_not_come_from_anywhere() -> None:
    assert pass_by([(0.5, 0.5), (0.5, 0.6), (0.5, 0.7)]) == []


@pytest.mark.parametrize(
    ("size", "half"),
    [(0.01, 0.008), (0.2, 0.05), (2.0, 0.06)],
)
def test_the_band_grows_with_the_box_between_bounds(size: float, half: float) -> None:
    assert band(size, 0.25, 0.008) == pytest.approx(half)
