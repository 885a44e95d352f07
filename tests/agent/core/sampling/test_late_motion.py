"""agent.core.sampling.late_motion"""

from __future__ import annotations

import numpy as np

from agent.core.sampling.late_motion import WIDTH_PX, changed, small
from agent.core.types import Box, Plane
from tests.support.sampled_frames import at, grey

ROAD = np.full((90, WIDTH_PX), 100, np.uint8)


def road_with(*places: tuple[int, int]) -> Plane:
    """The empty road with somebody of 4 by 10 pixels at each place (left, top)."""
    picture = ROAD.copy()
    for left, top in places:
        picture[top : top + 10, left : left + 4] = 160
    return picture


def test_the_small_picture_has_the_shape_of_the_frame() -> None:
    assert small(grey(at(0), width=640, height=360)).shape == (90, WIDTH_PX)


def test_who_has_gone_on_until_a_moment_later_is_found_where_he_was() -> None:
    found = changed(road_with((40, 30)), road_with((60, 30)), ())

    assert found is not None
    was = Box(40 / WIDTH_PX, 30 / 90, 44 / WIDTH_PX, 40 / 90)
    assert any(
        box.left <= was.left and box.top <= was.top and box.right >= was.right and box.bottom >= was.bottom
        for box in found
    )


def test_what_is_explained_and_what_stays_is_not_found() -> None:
    everything = Box(0.0, 0.2, 1.0, 0.6)

    assert changed(road_with((40, 30)), road_with((60, 30)), (everything,)) == ()
    assert changed(road_with((40, 30)), road_with((40, 30)), ()) == ()


def test_noise_is_nobody() -> None:
    noise = np.random.default_rng(1).normal(0, 2, ROAD.shape)
    noisy = np.clip(ROAD + noise, 0, 255).astype(np.uint8)

    assert changed(ROAD, noisy, ()) == ()


def test_where_the_light_changes_nobody_can_say() -> None:
    assert changed(ROAD, ROAD + np.uint8(20), ()) is None
    assert changed(ROAD, ROAD[:80], ()) is None
