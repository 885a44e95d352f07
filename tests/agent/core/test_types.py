"""agent.core.types"""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from agent.core.types import Box, Frame, Instant, Size


def test_durations_do_not_know_of_steps_of_the_wall_clock() -> None:
    before, after = Instant(10.0, 1_770_000_000.0), Instant(12.5, 0.0)

    assert after.since(before) == 2.5
    assert before < after


def test_a_box_stands_on_the_middle_of_its_lower_edge() -> None:
    box = Box(0.2, 0.1, 0.6, 0.5)

    assert box.foot == pytest.approx((0.4, 0.5))
    assert box.center == pytest.approx((0.4, 0.3))
    assert (box.width, box.height, box.area) == pytest.approx((0.4, 0.4, 0.16))


def test_an_inverted_box_has_no_area() -> None:
    assert Box(0.6, 0.5, 0.2, 0.1).area == 0
    assert Box(0.6, 0.1, 0.2, 0.5).area == 0


def test_a_box_comes_nearer_to_another_one_by_a_share_of_the_way() -> None:
    here, there = Box(0.0, 0.1, 0.4, 0.5), Box(0.4, 0.5, 0.6, 0.6)

    assert (here.towards(there, 0.0), here.towards(there, 1.0)) == (here, there)
    quarter = here.towards(there, 0.25)
    assert (quarter.left, quarter.top, quarter.right, quarter.bottom) == pytest.approx((0.1, 0.2, 0.45, 0.525))


def test_the_size_of_a_frame_is_that_of_its_luma() -> None:
    luma, chroma = np.zeros((90, 160), np.uint8), np.zeros((45, 80), np.uint8)

    assert Frame(0, Instant(0.0, 0.0), luma, chroma, chroma).size == Size(160, 90)


def test_what_crosses_a_stage_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Box(0.0, 0.0, 1.0, 1.0).left = 0.5  # type: ignore[misc]
