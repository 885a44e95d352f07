"""agent.core.motion.going"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.core.motion import going
from agent.core.motion.going import Going, GoingTrail
from tests.support.mask_parts import part

SHAPE = (144, 192)


def followed(places: Sequence[tuple[float, float]], step_s: float = 0.2) -> tuple[Going, GoingTrail]:
    """The trail of one part that is at these places one after the other."""
    known = Going()
    for index, (x, y) in enumerate(places):
        known = going.follow(known, [part(x, y)], index * step_s)
    return known, next(trail for trail in known.trails if trail.seen_s == known.at_s)


@pytest.mark.parametrize("step_s", [0.04, 0.2, 0.25, 1.0])
def test_who_goes_on_along_a_line_has_gone_and_gone_far(step_s: float) -> None:
    long_s = max(3.0, 5 * step_s)
    _, trail = followed([(20 + 14 * n * step_s, 60) for n in range(round(long_s / step_s) + 1)], step_s)
    assert trail.gone
    assert trail.far


def test_a_line_that_is_perfect_to_the_last_digit_is_a_line() -> None:
    known = Going()
    for n in range(40):
        known = going.follow(known, [part(12 + 5 * n - 5, 60)], 110.0 + 0.2 * n)
    assert known.trails[0].far


def test_a_leaf_that_swings_has_not_gone_far_and_comes_back() -> None:
    swing = [(80 + 8 * np.sin(2 * np.pi * 0.5 * n * 0.2), 60) for n in range(51)]
    for end in range(5, 51, 2):
        assert not followed(swing[:end])[1].far
    assert not followed(swing[:51])[1].gone


def test_what_is_elsewhere_in_each_look_never_goes() -> None:
    _, trail = followed([(20 + n * 61 % 150, 20 + n * 37 % 100) for n in range(40)])
    assert not trail.gone
    assert len(trail.path) == 1


def test_two_that_meet_keep_their_trails() -> None:
    known = Going()
    for n in range(15):
        known = going.follow(known, [part(20 + 6 * n, 60), part(140 - 6 * n, 75)], n * 0.2)
    seen = [trail for trail in known.trails if trail.seen_s == known.at_s]
    assert len(seen) == 2
    assert all(trail.far and len(trail.path) == 15 for trail in seen)


def test_the_plane_shows_where_those_are_and_were_who_go() -> None:
    known, _ = followed([(20 + 4 * n, 60) for n in range(15)])
    plane = going.pixels(known, SHAPE)
    assert plane is not None
    assert plane[64, 80] == 255
    assert plane[64, 50] == 255
    assert plane[64, 120] == 0
    far = going.pixels(known, SHAPE, far=True)
    assert far is not None
    assert far[64, 80] == 255
    assert far[64, 50] == 0
    assert going.pixels(followed([(50, 60)] * 20)[0], SHAPE) is None
