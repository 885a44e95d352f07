"""agent.core.attention.crops"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.attention.crops import Closeness, Wish, cover, holds, sized, tiles
from agent.core.types import WHOLE, Box, Reason, Size

FIELD, HD = Size(416, 416), Size(1280, 720)
CLOSE = Closeness(object_share=0.6, small_px=64, enlarge=2.0, enough_px=28)


def wish(box: Box, reason: Reason = Reason.MOTION) -> Wish:
    size, largest_px = sized(box, HD, FIELD, CLOSE)
    return Wish(box, size, largest_px, reason)


@pytest.mark.parametrize(
    ("side_px", "crop_px"),
    [(16, 208), (32, 208), (48, 312), (64, 416), (200, 416), (499.2, 832)],
)
def test_a_crop_is_small_for_small_objects_the_field_for_middling_and_large_for_large_ones(
    side_px: float, crop_px: int
) -> None:
    box = Box(0.1, 0.1, 0.1 + side_px / HD.width_px, 0.1 + side_px / HD.height_px)

    assert sized(box, HD, FIELD, CLOSE)[0] == Size(crop_px, crop_px)


def test_the_largest_crop_that_an_object_may_share_still_shows_it_large_enough() -> None:
    box = Box(0.1, 0.1, 0.1 + 112 / HD.width_px, 0.2)

    assert sized(box, HD, FIELD, CLOSE)[1] == pytest.approx(4 * FIELD.width_px)


def test_two_that_are_near_share_a_crop_which_is_for_motion_if_one_of_them_is() -> None:
    near = [wish(Box(0.50, 0.5, 0.53, 0.55), Reason.TRACK), wish(Box(0.55, 0.5, 0.58, 0.55))]

    (crop,) = cover(near, HD, 4)

    assert crop.reason is Reason.MOTION
    assert all(holds(crop.box, each.box) for each in near)


def test_over_budget_crops_get_coarser_and_nothing_is_left_out() -> None:
    corners = [wish(Box(x, y, x + 0.03, y + 0.05)) for x in (0.02, 0.95) for y in (0.02, 0.9)]
    assert len(cover(corners, HD, 4)) == 4

    (crop,) = cover(corners, HD, 1)

    assert all(holds(crop.box, each.box) for each in corners)


def test_a_frame_that_is_hardly_larger_than_the_field_has_no_tiles() -> None:
    assert tiles(Size(640, 360), FIELD, 2.0, 1.3) == (WHOLE,)


@settings(max_examples=60, deadline=None)
@given(st.integers(900, 4000), st.integers(400, 3000), st.floats(1, 3))
def test_tiles_cover_a_large_frame_and_none_is_shrunk_more_than_allowed(
    width_px: int, height_px: int, shrink: float
) -> None:
    frame = Size(width_px, height_px)
    whole, *parts = tiles(frame, FIELD, shrink, 1.0)

    assert whole == WHOLE
    for part in parts:
        assert part.width * frame.width_px <= FIELD.width_px * shrink + 1e-6
        assert part.height * frame.height_px <= FIELD.height_px * shrink + 1e-6
    for n in range(40) if parts else ():
        x, y = n % 8 / 8, n // 8 / 5
        assert any(holds(part, Box(x, y, x + 0.01, y + 0.01)) for part in parts)
