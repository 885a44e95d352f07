"""agent.core.motion.track_before_detect"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from agent.core.motion import background, track_before_detect
from agent.core.motion.track_before_detect import Faint, Sight
from agent.core.types import Box, Plane

HEIGHT, WIDTH = 144, 192
STEP_S = 0.125
MIN_AREA = 0.0004
LIMIT = 10
"""Luma steps from which a lone pixel counts; what is drawn here is below it."""
Spot = tuple[float, float, int, int]
"""Left, top, wide, high, in pixels."""


def picture(spots: Iterable[Spot], luma: int = 7) -> Plane:
    plane = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left, top, wide, high in spots:
        plane[round(top) : round(top) + high, round(left) : round(left) + wide] = luma
    return plane


def regions_of(
    looks: Iterable[Iterable[Spot]],
    step_s: float = STEP_S,
    earlier: Iterable[Spot] = (),
    counts: Plane | None = None,
    usual: int = 0,
) -> list[tuple[Box, ...]]:
    """The regions of each look at a black scene with these spots; a second ago it showed `earlier`."""
    known, every = Faint((), (), 0.0), []
    limit = np.full((HEIGHT, WIDTH), LIMIT, np.uint8)
    for index, spots in enumerate(looks):
        plane = picture(spots)
        scene = background.begin(np.full_like(plane, usual))
        sight = Sight(plane, scene, picture(earlier), plane, limit, counts)
        known = track_before_detect.look(known, sight, index * step_s, MIN_AREA)
        every.append(known.regions)
    return every


def going(count: int = 12, pace_px: float = 1.5, wide: int = 8, high: int = 6) -> list[list[Spot]]:
    return [[(40 + pace_px * index, 70.0, wide, high)] for index in range(count)]


@pytest.mark.parametrize("step_s", [0.1, 0.125, 0.2])
def test_what_goes_straight_on_is_told_where_it_is_after_half_a_second(step_s: float) -> None:
    every = regions_of(going(pace_px=12 * step_s), step_s)
    assert not any(every[:5])
    assert all(len(regions) == 1 for regions in every[6:])
    x, y = every[-1][0].center
    assert x * WIDTH == pytest.approx(40 + 12 * step_s * 11 + 4, abs=1.5)
    assert y * HEIGHT == pytest.approx(73, abs=1.5)


def test_who_went_his_length_and_farther_than_what_flits_has_left() -> None:
    limit = np.full((HEIGHT, WIDTH), LIMIT, np.uint8)
    for pace_px, left in ((0.8, False), (2.5, True)):
        known = Faint((), (), 0.0)
        for index, spots in enumerate(going(pace_px=pace_px)):
            plane = picture(spots)
            sight = Sight(plane, background.begin(picture(())), picture(()), plane, limit, None)
            known = track_before_detect.look(known, sight, index * STEP_S, MIN_AREA)
        assert len(known.regions) == 1
        assert known.left == (known.regions if left else ())


def test_what_stays_in_its_place_is_not_told() -> None:
    chance = np.random.default_rng(3)
    trembling = [[(40 + chance.uniform(-2, 2), 70 + chance.uniform(-2, 2), 8, 6)] for _ in range(40)]
    assert not any(regions_of(trembling))


def test_what_strays_from_its_line_is_not_told() -> None:
    swinging = [[(40 + 1.5 * index, 70 + 3.0 * (-1) ** index, 8, 6)] for index in range(20)]
    assert not any(regions_of(swinging))


def test_drops_that_fall_anywhere_are_not_told() -> None:
    chance = np.random.default_rng(4)
    rain = [
        [(float(chance.integers(0, 180)), float(chance.integers(0, 130)), 4, 8) for _ in range(12)]
        for _ in range(400)
    ]
    assert sum(bool(regions) for regions in regions_of(rain)) <= 2


def test_a_shadow_whose_rim_creeps_leaves_no_place_and_is_not_told() -> None:
    creeping = [[(40.0, 70.0, 16 + index, 8)] for index in range(12)]
    assert not any(regions_of(creeping))


def test_a_part_of_another_length_is_another_part() -> None:
    torn = [[(60 + 2.0 * index - long / 2, 70.0, long, 6)] for index, long in enumerate((8, 24) * 10)]
    assert not any(regions_of(torn))


def test_a_long_thing_is_followed_at_two_of_its_lengths_a_second_and_nothing_is_at_ten() -> None:
    assert any(regions_of(going(wide=20, pace_px=4.75)))
    assert not any(regions_of(going(wide=8, pace_px=10)))


def test_a_trail_ends_when_nothing_was_seen_of_it_for_long() -> None:
    before, after = going(5), going(9)[5:]
    missing: list[list[Spot]] = [[] for _ in range(4)]
    assert any(regions_of(before + after))
    assert not any(regions_of(before + missing + after))


def test_what_did_not_change_for_a_second_is_not_told() -> None:
    way = going()
    every = [regions_of(way[:7], earlier=way[6])[-1], regions_of(way[:7])[-1]]
    assert [bool(regions) for regions in every] == [False, True]


def test_what_has_the_greys_of_its_neighbours_in_the_scene_is_not_told() -> None:
    assert any(regions_of(going()))
    assert not any(regions_of(going(), usual=5))


def test_nothing_is_told_where_motion_does_not_count() -> None:
    counts = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert not any(regions_of(going(), counts=counts))


def test_what_is_smaller_than_counts_or_large_enough_for_a_single_frame_is_not_told() -> None:
    assert not any(regions_of(going(wide=2, high=2)))
    assert not any(regions_of(going(pace_px=5, wide=40, high=30)))


def test_trails_are_bounded_however_much_there_is_to_see() -> None:
    chance = np.random.default_rng(5)
    known = Faint((), (), 0.0)
    limit = np.full((HEIGHT, WIDTH), LIMIT, np.uint8)
    scene = background.begin(picture(()))
    for index in range(40):
        plane = picture(
            (float(chance.integers(0, 180)), float(chance.integers(0, 130)), 5, 5) for _ in range(90)
        )
        sight = Sight(plane, scene, np.zeros_like(plane), plane, limit, None)
        known = track_before_detect.look(known, sight, index * STEP_S, MIN_AREA)
        assert len(known.trails) <= 32
        assert all(len(trail) <= 12 for trail in known.trails)
