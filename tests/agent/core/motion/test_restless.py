"""agent.core.motion.restless"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.core.motion import restless
from agent.core.motion.restless import RestlessPlaces
from agent.core.types import Plane

SHAPE = (120, 160)
STEP_S = 0.2
NOTHING = np.zeros(SHAPE, np.uint8)
CROWN = NOTHING.copy()
CROWN[20:60, 20:80] = 255
Look = Callable[[int], tuple[Plane, Plane, Plane, Plane | None]]
"""The number of a look -> what differs, what moved, what is strange, and where somebody goes."""


def learned(look: Look, long_s: float, known: RestlessPlaces | None = None) -> RestlessPlaces:
    known = known or restless.begin(SHAPE, 100.0)
    first = round((known.counted_s + 2) / STEP_S) if known.waiting else 0
    for number in range(first, first + round(long_s / STEP_S)):
        known = restless.learn(known, *look(number), 100 + number * STEP_S)
    return known


def speckled(number: int) -> Plane:
    """A tenth of the crown, another one each time."""
    plane = NOTHING.copy()
    plane[20:60, 20 + number % 10 : 80 : 10] = 255
    return plane


def test_leaves_between_known_greys_sway_within_seconds() -> None:
    known = learned(lambda n: (speckled(n), CROWN, CROWN, None), 8)
    assert known.swaying is not None
    assert known.swaying[40, 50] == 255
    assert known.swaying[100, 140] == 0


def test_what_trembles_and_shows_nothing_odd_does_not_sway() -> None:
    assert learned(lambda n: (NOTHING, CROWN, NOTHING, None), 20).swaying is None


def test_insects_make_a_place_where_things_flit() -> None:
    known = learned(lambda n: (CROWN if n % 2 else NOTHING, CROWN, CROWN, None), 8)
    assert known.flitting is not None
    assert known.flitting[40, 50] == 255


def test_where_somebody_goes_by_nothing_is_restless() -> None:
    known = learned(lambda n: (CROWN if n % 2 else NOTHING, CROWN, CROWN, CROWN), 20)
    assert known.swaying is None
    assert known.flitting is None


def test_a_place_is_calm_again_after_minutes() -> None:
    known = learned(lambda n: (CROWN if n % 2 else NOTHING, CROWN, CROWN, None), 8)
    assert known.flitting is not None
    assert learned(lambda n: (NOTHING, NOTHING, NOTHING, None), 400, known).flitting is None
