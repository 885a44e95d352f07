"""agent.core.rules.trajectory"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.rules import trajectory
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import Box, EndReason, Instant, Size, Track

SETTINGS = RuleSettings()


def context(second: float) -> FrameContext:
    return FrameContext(Instant(second, second), Size(1000, 1000), SETTINGS)


def track(x: float, y: float, second: float = 0.0, **more: object) -> Track:
    at = Instant(second, second)
    box = Box(x - 0.05, y - 0.1, x + 0.05, y)
    known = Track("one", "car", 0.8, 0.9, box, (0.0, 0.0), at, at, seen=True, confirmed=True)
    return replace(known, **more)  # type: ignore[arg-type]


def follow(places: list[tuple[float, float]], step_s: float = 0.5) -> Trajectory:
    trip: Trajectory | None = None
    for number, (x, y) in enumerate(places):
        trip = trajectory.update(trip, track(x, y, number * step_s), None, context(number * step_s))
    assert trip is not None
    return trip


def test_standing_still_is_measured_from_where_it_came_to_rest() -> None:
    driving = [(0.1 + 0.05 * n, 0.5) for n in range(8)]
    trip = follow([*driving, *[(0.45, 0.5)] * 40])

    assert 17 <= trajectory.still_s(trip, Instant(47 * 0.5, 0.0)) <= 20


def test_a_box_that_is_covered_for_a_moment_has_not_moved() -> None:
    trip = follow([*[(0.5, 0.5)] * 20, (0.5, 0.44), (0.5, 0.5), (0.56, 0.5), *[(0.5, 0.5)] * 20])

    assert trajectory.still_s(trip, Instant(20.0, 0.0)) == 20.0


@pytest.mark.parametrize(
    ("x", "stationary", "reason"),
    [(0.5, False, EndReason.LOST), (0.97, False, EndReason.LEFT), (0.97, True, EndReason.LOST)],
)
def test_who_moved_and_was_last_at_the_border_has_left(x: float, stationary: bool, reason: EndReason) -> None:
    trip = trajectory.update(None, track(x, 0.5), None, context(0.0))
    gone = trajectory.update(trip, track(x, 0.5, 0.5, stationary=stationary, ended=True), None, context(0.5))

    assert gone.reason is reason


def test_what_is_told_of_a_road_user_keeps_its_first_id() -> None:
    state = trajectory.state(follow([(0.5, 0.5), (0.51, 0.5)]))

    assert (state.track_id, state.label, state.path[0][0], state.ended) == ("one", "car", 0.0, None)
