"""agent.core.motion.lasting"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.motion import lasting
from agent.core.motion.regions import Thing, clean, things
from agent.core.types import Plane

SHAPE = (120, 160)
MIN_AREA, MOST = 0.0004, 32
Spot = tuple[int, int, int, int]
"""Left, top, wide, high, in pixels."""


def raw(*spots: Spot) -> Plane:
    plane = np.zeros(SHAPE, np.uint8)
    for left, top, wide, high in spots:
        plane[top : top + high, left : left + wide] = 255
    return plane


def parts(now: Plane, looks: Iterable[tuple[float, Plane]], at_s: float = 100.0) -> list[Thing]:
    whole = things(*clean(now), MIN_AREA, MOST)
    return lasting.parts(now, whole, looks, at_s, MIN_AREA, MOST)


def window(thing: Thing) -> Spot:
    rows, columns = thing.window
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


WALKER, WALKED = (60, 40, 12, 24), (62, 40, 12, 24)
INSECT, FLOWN = (20, 20, 8, 6), (90, 70, 8, 6)


def test_who_walks_lasts_and_an_insect_does_not() -> None:
    found = parts(raw(WALKED, FLOWN), [(99.875, raw(WALKER, INSECT))])
    assert [window(each) for each in found] == [WALKED]


def test_an_insect_that_crosses_somebody_is_no_part_of_him() -> None:
    streak = (30, 50, 110, 6)
    found = parts(raw(WALKED, streak), [(99.875, raw(WALKER))])
    assert len(found) == 1
    left, _, wide, _ = window(found[0])
    assert left >= WALKED[0] - 4
    assert left + wide <= WALKED[0] + WALKED[2] + 4


def test_somebody_nothing_is_before_is_shown_whole_with_what_is_new_of_him() -> None:
    bicycle, later = (40, 40, 16, 12), (47, 40, 16, 12)
    assert [window(each) for each in parts(raw(later), [(99.875, raw(bicycle))])] == [later]


@pytest.mark.parametrize("ago_s", [0.04, 0.6])
def test_a_look_too_soon_or_too_long_ago_says_nothing(ago_s: float) -> None:
    found = parts(raw(WALKED, FLOWN), [(100 - ago_s, raw(WALKER))])
    assert {window(each) for each in found} == {WALKED, FLOWN}


def test_of_several_looks_the_latest_that_is_old_enough_says_what_lasts() -> None:
    looks = [(99.96, raw(FLOWN)), (99.88, raw(WALKER)), (99.6, raw(FLOWN))]
    assert [window(each) for each in parts(raw(WALKED, FLOWN), looks)] == [WALKED]


spots = st.lists(
    st.tuples(st.integers(0, 130), st.integers(0, 90), st.integers(4, 30), st.integers(4, 30)), max_size=6
)


@given(now=spots, before=spots)
def test_nothing_is_told_that_the_mask_does_not_show(now: list[Spot], before: list[Spot]) -> None:
    mask, _ = clean(raw(*now))
    for each in parts(raw(*now), [(99.8, raw(*before))]):
        beside = cv2.bitwise_and(each.pixels, cv2.bitwise_not(mask[each.window]))
        assert cv2.countNonZero(beside) == 0
