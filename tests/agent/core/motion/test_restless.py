"""agent.core.motion.restless"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from agent.core.motion import restless
from agent.core.motion.restless import RestlessLook, RestlessPlaces
from agent.core.types import Box, Plane
from tests.support.mask_parts import part

SHAPE = (120, 160)
STEP_S = 0.2
NOTHING = np.zeros(SHAPE, np.uint8)
CROWN = NOTHING.copy()
CROWN[20:60, 20:80] = 255
IN_CROWN, BESIDE = part(40, 30), part(120, 90)
Look = Callable[[int], RestlessLook]
"""The number of a look -> what it sees."""


def look(raw: Plane, moved: Plane, strange: Plane) -> RestlessLook:
    """A second ago nothing differed from the scene."""
    return RestlessLook(
        raw=raw, then=NOTHING, moved=moved, strange=strange, tremble=None, parts=(), followed=()
    )


def learned(seen: Look, long_s: float, known: RestlessPlaces | None = None, first: int = 0) -> RestlessPlaces:
    known = known or restless.begin(SHAPE, 100.0)
    for number in range(first, first + round(long_s / STEP_S)):
        known = restless.look(known, seen(number), 100 + number * STEP_S)
    return known


def speckled(number: int) -> Plane:
    """A tenth of the crown, another one each time."""
    plane = NOTHING.copy()
    plane[20:60, 20 + number % 10 : 80 : 10] = 255
    return plane


def leaves(number: int) -> RestlessLook:
    return look(speckled(number), CROWN, CROWN)


def insects(number: int) -> RestlessLook:
    return look(CROWN if number % 4 < 2 else NOTHING, CROWN, CROWN)


def test_leaves_between_known_greys_sway_within_seconds() -> None:
    known = learned(leaves, 8)
    assert known.swaying is not None
    assert known.swaying[40, 50] == 255
    assert known.swaying[100, 140] == 0
    assert restless.tellable(known, [IN_CROWN, BESIDE], NOTHING.size) == [BESIDE]


def test_what_trembles_and_shows_nothing_odd_does_not_sway() -> None:
    assert learned(lambda _: look(NOTHING, CROWN, NOTHING), 20).swaying is None


def test_what_differed_from_the_scene_a_second_ago_does_not_sway() -> None:
    assert learned(lambda n: replace(leaves(n), then=CROWN), 20).swaying is None


def test_what_a_tremble_explains_does_not_sway() -> None:
    known = learned(lambda n: replace(leaves(n), tremble=CROWN), 8)
    assert known.swaying is None
    assert learned(lambda n: replace(leaves(n), tremble=NOTHING), 8).swaying is not None


def test_insects_make_a_place_where_small_things_are_not_told_and_large_ones_are() -> None:
    known = replace(learned(insects, 8), swaying=None)
    assert known.flitting is not None
    assert known.flitting[40, 50] == 255
    bus = part(25, 22, wide=50, high=35)
    assert restless.tellable(known, [bus, IN_CROWN], NOTHING.size) == [bus]


def test_who_goes_far_before_leaves_is_told_and_what_stays_is_not() -> None:
    known = learned(leaves, 8)
    walker = [part(22 + 4 * n, 40, wide=6) for n in range(12)]
    for n, each in enumerate(walker):
        seen = replace(leaves(40 + n), parts=(each, part(60, 22, wide=6)))
        known = restless.look(known, seen, 108 + n * STEP_S)
    assert restless.tellable(known, [walker[-1], part(60, 22, wide=6)], NOTHING.size) == [walker[-1]]


def test_the_mask_shows_what_is_told_and_nothing_else_of_the_leaves() -> None:
    known = learned(leaves, 8)
    mask = CROWN.copy()
    mask[100:110, 100:110] = 255
    shown = restless.shown(known, mask, [IN_CROWN])
    assert shown[104, 104] == 255
    assert shown[34, 44] == 255
    assert shown[50, 70] == 0


def test_faint_things_count_where_nothing_sways_and_where_things_flit_once_they_left() -> None:
    known = replace(learned(leaves, 8), flitting=None)
    in_crown, beside = Box(0.2, 0.25, 0.3, 0.35), Box(0.8, 0.8, 0.9, 0.9)
    assert not restless.calm(known, in_crown, left=True)
    assert restless.calm(known, beside, left=False)
    flits = replace(learned(insects, 8), swaying=None)
    assert not restless.calm(flits, in_crown, left=False)
    assert restless.calm(flits, in_crown, left=True)
    assert restless.calm(flits, beside, left=False)


def test_where_road_users_are_followed_no_place_is_restless() -> None:
    queue = (Box(0.1, 0.1, 0.6, 0.6),)
    assert learned(lambda n: replace(leaves(n), followed=queue), 20).swaying is None
    assert learned(lambda n: replace(insects(n), followed=queue), 20).flitting is None


def test_where_many_went_far_is_a_road_and_does_not_sway() -> None:
    known = restless.begin(SHAPE, 100.0)
    for n in range(300):
        parts = (part(10 + 5 * (n % 25), 40, wide=8),)
        known = restless.look(known, replace(leaves(n), parts=parts), 100 + n * STEP_S)
    assert known.roads[11, 25] >= 2
    assert known.swaying is None or known.swaying[44, 60] == 0


def test_a_place_is_calm_again_after_minutes() -> None:
    known = learned(insects, 8)
    assert known.flitting is not None
    assert learned(lambda _: look(NOTHING, NOTHING, NOTHING), 400, known, first=40).flitting is None


def test_a_view_in_which_nothing_happens_learns_nothing() -> None:
    known = learned(lambda _: look(NOTHING, NOTHING, NOTHING), 20)
    assert known.waiting == ()
    assert not known.share.any()
