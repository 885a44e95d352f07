"""agent.core.rules.context"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.rules import trajectory
from agent.core.rules.context import RuleContext, fact_about
from agent.core.rules.kinds.zone import ZoneRule
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import EndReason, Track
from tests.support.rule_camera import FRAME, STILL, RuleCamera, instant, rule_settings

SETTINGS = rule_settings()
RULE = ZoneRule(id="enter", zone="square")


def followed(x: float, *, seconds: int = 3) -> Trajectory:
    camera = RuleCamera(SETTINGS)
    trip: Trajectory | None = None
    for second in range(seconds):
        camera.second = float(second)
        trip = trajectory.update(trip, camera.track(x, 0.5, f"at-{x}"), None, frame_at(second))
    assert trip is not None
    return trip


def frame_at(second: float) -> FrameContext:
    return FrameContext(instant(second), FRAME, SETTINGS)


def gone(trip: Trajectory, **more: object) -> Trajectory:
    track: Track = replace(trip.track, ended=True, **more)
    return trajectory.update(trip, track, None, frame_at(3))


def test_inside_a_zone_is_who_entered_it_and_has_not_left_the_picture() -> None:
    there, elsewhere = followed(0.5), followed(0.1)
    left = replace(gone(there), reason=EndReason.LEFT)
    context = RuleContext(instant(3), FRAME, STILL, (there, elsewhere, left), frozenset(), SETTINGS)

    assert context.inside("square") == [there]


@pytest.mark.parametrize("alive", [True, False])
def test_only_who_is_still_followed_may_start_an_event(alive: bool) -> None:
    trip = followed(0.5)
    fact = fact_about(RULE, trip if alive else gone(trip), None)

    assert fact.may_start is alive
    assert fact.since == trip.started
    assert fact.key == ("enter", "at-0.5", 0)
