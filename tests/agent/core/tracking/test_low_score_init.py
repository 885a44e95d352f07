"""agent.core.tracking.low_score_init"""

from __future__ import annotations

import numpy as np

from agent.core.geometry import as_array
from agent.core.tracking import low_score_init
from agent.core.types import WHOLE, Box

CAR = Box(0.4, 0.4, 0.5, 0.5)
ELSEWHERE = Box(0.7, 0.7, 0.8, 0.8)
NOTHING = np.zeros((0, 4))


def test_a_box_is_on_motion_where_a_region_covers_a_part_of_it() -> None:
    moves = low_score_init.on_motion(as_array([CAR, ELSEWHERE]), as_array([Box(0.45, 0.35, 0.6, 0.6)]))

    assert moves.tolist() == [True, False]


def test_where_no_region_is_nothing_moves() -> None:
    assert not low_score_init.on_motion(as_array([CAR]), NOTHING).any()


def test_a_region_of_half_the_view_is_no_motion_of_anyone() -> None:
    regions = as_array([WHOLE, Box(0, 0, 0.5, 1), Box(0, 0, 0.5, 0.9)])

    assert low_score_init.unexplained(regions, NOTHING).tolist() == [False, False, True]


def test_what_moves_where_a_track_is_speaks_for_nobody_else_unless_it_is_much_more() -> None:
    regions = as_array([Box(0.39, 0.39, 0.51, 0.51), Box(0.3, 0.4, 0.6, 0.6), ELSEWHERE])

    assert low_score_init.unexplained(regions, as_array([CAR])).tolist() == [False, True, True]


def test_where_the_scene_is_unknown_a_region_that_has_somebody_is_nobody_elses() -> None:
    with_its_light, alone = Box(0.35, 0.35, 0.7, 0.6), Box(0.48, 0.4, 0.7, 0.6)
    regions = as_array([with_its_light, alone, ELSEWHERE, WHOLE])

    assert low_score_init.unclaimed(regions, as_array([CAR])).tolist() == [False, True, True, False]
    assert low_score_init.unclaimed(regions, NOTHING).tolist() == [True, True, True, False]
    assert low_score_init.unclaimed(NOTHING, as_array([CAR])).tolist() == []


def test_a_part_and_a_double_of_what_is_known_begin_nothing() -> None:
    part, double = Box(0.42, 0.42, 0.46, 0.46), Box(0.44, 0.4, 0.54, 0.5)
    boxes = as_array([part, double, ELSEWHERE])

    assert low_score_init.newborn(boxes, [0, 1, 2], as_array([CAR])) == [2]


def test_of_two_hints_at_one_place_the_better_one_begins_a_candidate() -> None:
    boxes = as_array([CAR, Box(0.41, 0.4, 0.51, 0.5), ELSEWHERE])

    assert low_score_init.newborn(boxes, [0, 1, 2], NOTHING) == [0, 2]
    assert low_score_init.newborn(boxes, [1, 2], NOTHING) == [1, 2]
