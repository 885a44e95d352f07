"""agent.core.motion.going"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.core.motion import going
from agent.core.motion.going import Going, GoingTrail
from agent.core.motion.regions import Thing

SHAPE = (144, 192)


def part(x: float, y: float, wide: int = 10, high: int = 8) -> Thing:
    left, top = round(x), round(y)
    corners = [(left, top), (left, top + high - 1), (left + wide - 1, top + high - 1), (left + wide - 1, top)]
    window = slice(top, top + high), slice(left, left + wide)
    outline = np.array(corners, np.int32).reshape(-1, 1, 2)
    return Thing(outline, np.full((high, wide), 255, np.uint8), window, wide * high)


def followed(places: Sequence[tuple[float, float]], step_s: float = 0.125) -> tuple[Going, GoingTrail]:
    """The trail of one part that is at these places one after the other."""
    known, own = Going(), []
    for index, (x, y) in enumerate(places):
        known, own = going.follow(known, [part(x, y)], index * step_s)
    return known, own[0]


@pytest.mark.parametrize("step_s", [0.04, 0.125, 0.25, 1.0])
def test_who_goes_on_along_a_line_has_gone_and_gone_far(step_s: float) -> None:
    long_s = max(3.0, 5 * step_s)
    _, trail = followed([(20 + 14 * n * step_s, 60) for n in range(round(long_s / step_s) + 1)], step_s)
    assert trail.gone
    assert trail.far


def test_a_leaf_that_swings_has_not_gone_far_and_comes_back() -> None:
    swing = [(80 + 8 * np.sin(2 * np.pi * 0.5 * n * 0.125), 60) for n in range(80)]
    for end in range(8, 80, 4):
        assert not followed(swing[:end])[1].far
    assert not followed(swing[:81])[1].gone


def test_what_is_elsewhere_in_each_frame_never_goes() -> None:
    _, trail = followed([(20 + n * 61 % 150, 20 + n * 37 % 100) for n in range(40)])
    assert not trail.gone
    assert len(trail.path) == 1


def test_the_plane_shows_where_those_are_and_were_who_go() -> None:
    known, _ = followed([(20 + 2 * n, 60) for n in range(20)])
    plane = going.pixels(known, SHAPE)
    assert plane is not None
    assert plane[64, 60] == 255
    assert plane[64, 40] == 255
    assert plane[64, 120] == 0
    assert going.pixels(followed([(50, 60)] * 20)[0], SHAPE) is None
