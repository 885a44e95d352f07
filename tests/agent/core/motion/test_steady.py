"""agent.core.motion.steady"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.core.motion import steady
from agent.core.motion.steady import Steady
from agent.core.types import Box, Plane


def street(seed: int = 3) -> Plane:
    """A view of 144 rows with edges of all sizes."""
    chance = np.random.default_rng(seed)
    rough = cv2.resize(chance.uniform(60, 200, (18, 24)).astype(np.float32), (192, 144))
    fine = cv2.GaussianBlur(chance.normal(0, 40, (144, 192)).astype(np.float32), (3, 3), 0)
    return np.clip(rough + fine, 0, 255).astype(np.uint8)


def swayed(plane: Plane, x: int, y: int) -> Plane:
    """The view as a camera shows it that looks elsewhere by so many pixels."""
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return np.asarray(cv2.warpAffine(plane, move, plane.shape[::-1], borderMode=cv2.BORDER_REFLECT), np.uint8)


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, -2), (-5, 4), (7, 7)])
def test_a_view_that_swayed_is_moved_back(x: int, y: int) -> None:
    usual = street()
    known, plane = steady.steadied(Steady(), swayed(usual, x, y), usual, 100.0)
    assert (known.x, known.y) == (x, y)
    assert np.array_equal(plane, usual)


def test_a_view_that_swayed_while_somebody_passes_is_moved_back_all_the_same() -> None:
    usual = street()
    with_bus = usual.copy()
    with_bus[50:110, 40:130] = 30
    known, plane = steady.steadied(Steady(), swayed(with_bus, 3, -2), usual, 100.0)
    assert (known.x, known.y) == (3, -2)
    assert plane[80, 80] == 30


def test_a_view_that_swayed_is_moved_back_though_most_that_differs_are_leaves() -> None:
    usual = np.full((144, 192), 110, np.uint8)
    usual[:, 10::32] += 30
    usual[10::32] += 30
    now = swayed(usual, 3, -2)
    for plane, seed in (usual, 1), (now, 2):
        plane[:100, 96:] = in_a_gust(seed)
    known, moved = steady.steadied(Steady(), now, usual, 100.0)
    assert (known.x, known.y) == (3, -2)
    differing = [cv2.countNonZero((cv2.absdiff(each, usual) > 8).astype(np.uint8)) for each in (now, moved)]
    assert differing[1] > 0.7 * differing[0]


def in_a_gust(seed: int) -> Plane:
    """A crown of 100 rows and 96 columns."""
    grain = np.random.default_rng(seed).normal(0, 60, (100, 96)).astype(np.float32)
    return np.clip(120 + cv2.GaussianBlur(grain, (3, 3), 0), 0, 255).astype(np.uint8)


def test_who_passes_before_a_view_that_holds_still_moves_nothing() -> None:
    usual = street()
    for left in range(0, 150, 5):
        now = usual.copy()
        now[40:110, left : left + 40] = usual[40:110, :40]
        known, plane = steady.steadied(Steady(), now, usual, 100.0)
        assert (known.x, known.y) == (0, 0)
        assert plane is now


def test_other_light_moves_nothing() -> None:
    usual = street()
    darker = (usual * 0.6).astype(np.uint8)
    known, _ = steady.steadied(Steady(), darker, usual, 100.0)
    assert (known.x, known.y) == (0, 0)


def test_a_calm_view_is_asked_once_a_second_and_a_shaky_one_in_every_frame() -> None:
    usual = street()
    calm, _ = steady.steadied(Steady(), usual, usual, 100.0)
    assert steady.steadied(calm, swayed(usual, 4, 0), usual, 100.6)[0].x == 0
    shaky, _ = steady.steadied(calm, swayed(usual, 4, 0), usual, 101.1)
    assert shaky.x == 4
    assert steady.shaky(shaky, 111.0)
    assert not steady.shaky(shaky, 111.2)
    assert not steady.shaky(calm, 100.1)
    assert steady.steadied(shaky, swayed(usual, -3, 0), usual, 101.14)[0].x == -3


def test_the_shift_is_told_in_fractions_of_the_frame() -> None:
    assert steady.shift(Steady(x=4, y=-2), (100, 200)) == (0.02, -0.02)
    assert steady.shift(Steady(), (100, 200)) == (0.0, 0.0)


def test_boxes_and_masks_are_told_where_the_frame_shows_them() -> None:
    known, mask = Steady(x=4, y=-2), np.zeros((100, 200), np.uint8)
    mask[10:20, 30:50] = 255
    [box] = steady.in_frame(known, (Box(0.15, 0.1, 0.25, 0.2),), mask.shape)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.17, 0.08, 0.27, 0.18))
    there = steady.mask_in_frame(known, mask)
    assert np.array_equal(there[8:18, 34:54], mask[10:20, 30:50])
    assert cv2.countNonZero(there) == 200


def test_a_view_too_small_to_tell_stays_as_it_is() -> None:
    tiny = street()[:30, :30]
    assert steady.steadied(Steady(), swayed(tiny, 3, 0), tiny, 100.0)[0].x == 0


@pytest.mark.parametrize("grey", [16, 120, 235])
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_lamp_or_a_hand_that_fills_the_view_is_no_shake(grey: int, seed: int) -> None:
    covered = np.full((144, 192), grey, np.uint8)

    known, plane = steady.steadied(Steady(), covered, street(seed), 100.0)

    assert not steady.shaky(known, 100.0)
    assert np.array_equal(plane, covered)
