"""agent.core.motion.regions"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.motion.regions import around, changing, clean, merged, moves, things
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


HIGH, WIDE = SHAPE
LIMIT = np.full((HIGH, WIDE), 6, np.uint8)
MIN_AREA, MOST_BOXES = 0.0004, 32


def view(left: int = 0, top: int = 30, side: int = 20, grey: int = 80) -> Plane:
    """A grey street with a bright block on it; none where its side is 0."""
    plane = np.full((HIGH, WIDE), grey, np.uint8)
    plane[top : top + side, left : left + side] = 200
    return plane


def changed(now: Plane, *earlier: Plane) -> tuple[Box, ...]:
    return changing(now, earlier, LIMIT, MIN_AREA, MOST_BOXES)


def test_of_two_frames_both_places_of_who_moves_are_told() -> None:
    boxes = changed(view(60), view(10))
    assert len(boxes) == 2
    assert {round(box.left * WIDE) for box in boxes} == {10, 60}


def test_of_three_frames_only_where_it_is_now() -> None:
    (box,) = changed(view(110), view(10), view(60))
    assert abs(box.left * WIDE - 110) <= 1
    assert abs(box.right * WIDE - 130) <= 1


def test_what_stands_does_not_change() -> None:
    assert changed(view(40), view(40), view(40)) == ()


def test_of_one_frame_nothing_is_known() -> None:
    assert changed(view(40)) == ()


def test_nothing_is_told_while_the_exposure_is_still_being_found() -> None:
    assert changed(view(60, grey=120), view(10), view(35, grey=100)) == ()


def test_a_place_that_does_not_count_has_a_limit_that_nothing_reaches() -> None:
    limit = LIMIT.copy()
    limit[:, 100:] = 255
    assert changing(view(110), (view(10), view(60)), limit, MIN_AREA, MOST_BOXES) == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 140), st.integers(0, 70), st.integers(0, 20)), min_size=1, max_size=4),
    st.integers(0, 200),
)
def test_boxes_lie_in_the_view_are_few_and_are_the_same_twice(
    places: list[tuple[int, int, int]], grey: int
) -> None:
    *earlier, now = (view(*place, grey) for place in places)
    boxes = changed(now, *earlier)
    assert boxes == changed(now, *earlier)
    assert len(boxes) <= MOST_BOXES
    for box in boxes:
        assert 0 <= box.left < box.right <= 1
        assert 0 <= box.top < box.bottom <= 1
    different = np.mean(np.abs(now.astype(int) - earlier[-1]) > 6) if earlier else 0.0
    assert different > 0 or not boxes
    assert different < 0.35 or len(earlier) > 1 or not boxes
