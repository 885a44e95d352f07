"""agent.core.rules.kinds.wrong_way"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from agent.core.rules.kinds import wrong_way
from agent.core.rules.kinds.wrong_way import Against
from agent.core.rules.settings import WrongWayRule
from agent.core.types import Box, Instant, Size, Track

RULE = WrongWayRule(id="wrong", zone="road", direction_deg=0)
FRAME = Size(1000, 1000)


def sight(second: float, y: float, speed: float) -> Track:
    at = Instant(second, second)
    box = Box(0.48, y - 0.08, 0.52, y)
    return Track("one", "motorcycle", 0.8, 0.9, box, (0.0, speed), at, at, seen=True, confirmed=True)


def follow(sights: Iterable[Track]) -> Against | None:
    now: Against | None = None
    last: Track | None = None
    for each in sights:
        now = wrong_way.update(now, last or each, each, RULE, FRAME)
        last = each
    return now


@pytest.mark.parametrize("hidden_s", [0.1, 0.5, 1.0])
def test_who_was_on_his_way_before_he_was_hidden_goes_on_the_wrong_way(hidden_s: float) -> None:
    first = [sight(0.1 * n, 0.3 + 0.01 * n, 0.1) for n in range(4)]
    then = [sight(0.3 + hidden_s + 0.1 * n, 0.33 + 0.1 * hidden_s + 0.01 * n, 0.1) for n in range(8)]
    now = follow([*first, *then])

    assert now is not None
    assert now.wrong


@pytest.mark.parametrize("hidden_s", [0.1, 0.5, 1.0])
def test_who_stood_and_is_elsewhere_after_he_was_hidden_did_not_go_there(hidden_s: float) -> None:
    stood = [sight(0.1 * n, 0.3, 0.0) for n in range(10)]
    slid = [sight(1.0 + hidden_s + 0.1 * n, y, 0.02) for n, y in enumerate((0.36, 0.38, 0.39, 0.39, 0.39))]
    now = follow([*stood, *slid])

    assert now is not None
    assert now.reached < RULE.min_distance
    assert not now.wrong


def test_the_right_way_begins_anew() -> None:
    down = [sight(0.1 * n, 0.3 + 0.01 * n, 0.1) for n in range(6)]
    up = [sight(0.6 + 0.1 * n, 0.35 - 0.02 * n, -0.2) for n in range(6)]

    assert follow([*down, *up]) == Against((0.5, pytest.approx(0.25)))
