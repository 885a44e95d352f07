"""agent.core.motion.regions"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.motion.regions import around, clean, merged, moves, things
from agent.core.types import Box, Plane

SHAPE = (90, 160)


def mask_of(*windows: tuple[int, int, int, int]) -> Plane:
    """255 within each window: top, left, bottom, right."""
    mask = np.zeros(SHAPE, np.uint8)
    for top, left, bottom, right in windows:
        mask[top:bottom, left:right] = 255
    return mask


def test_specks_are_wiped_away_and_the_windscreen_of_a_car_belongs_to_it() -> None:
    raw = mask_of((20, 30, 50, 80), (5, 5, 6, 6))
    raw[30:38, 50:62] = 0

    mask, outlines = clean(raw)

    assert len(outlines) == 1
    assert mask[34, 56] == 255
    assert mask[5, 5] == 0


def test_nothing_has_no_outlines() -> None:
    mask, outlines = clean(mask_of())

    assert not mask.any()
    assert outlines == ()


def test_only_what_is_large_enough_counts_and_the_largest_comes_first() -> None:
    mask, outlines = clean(mask_of((10, 10, 40, 60), (60, 10, 75, 30), (60, 100, 66, 106)))

    found = things(mask, outlines, 100 / mask.size, 32)

    assert [each.area_px for each in found] == pytest.approx([1500, 300], rel=0.1)
    assert len(things(mask, outlines, 0.0001, 1)) == 2  # twice as many as asked for


def test_what_did_not_change_within_the_second_stands_and_what_a_tremble_explains_is_no_thing() -> None:
    window = (20, 30, 50, 80)
    mask, outlines = clean(mask_of(window))
    (thing,) = things(mask, outlines, 0.001, 32)
    here, nowhere = mask_of(window), mask_of()

    assert moves(thing, here, here)
    assert not moves(thing, nowhere, here)
    assert not moves(thing, here, nowhere)


def test_parts_that_touch_and_fill_their_common_box_are_one_thing() -> None:
    upper, lower, away = Box(0.2, 0.2, 0.3, 0.3), Box(0.2, 0.3, 0.3, 0.4), Box(0.7, 0.7, 0.8, 0.8)

    assert set(merged([upper, lower, away], 8)) == {Box(0.2, 0.2, 0.3, 0.4), away}


def test_two_that_are_near_corner_to_corner_stay_two() -> None:
    assert len(merged([Box(0.2, 0.2, 0.3, 0.3), Box(0.3, 0.3, 0.4, 0.4)], 8)) == 2


fractions = st.floats(0, 1)
boxes = st.builds(
    lambda a, b, c, d: Box(min(a, b), min(c, d), max(a, b), max(c, d)),
    fractions, fractions, fractions, fractions,
)  # fmt: skip


@given(st.lists(boxes, max_size=12), st.integers(1, 5))
def test_merged_boxes_are_at_most_as_many_as_asked_for_largest_first_and_hold_what_was_there(
    found: list[Box], most: int
) -> None:
    every, some = merged(found, 100), merged(found, most)

    assert some == every[:most]
    assert [each.area for each in every] == sorted((each.area for each in every), reverse=True)
    assert all(any(around(whole, box) == whole for whole in every) for box in found)
