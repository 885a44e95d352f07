"""agent.core.rules.kinds.facts"""

from __future__ import annotations

from agent.core.rules import trajectory
from agent.core.rules.context import RuleContext, RuleMemory
from agent.core.rules.kinds import facts
from agent.core.rules.settings import LineRule, RuleSettings, StoppedVehicleRule
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.rules.zones import Zone
from agent.core.types import Box, Instant, Motion, Size, Track

FRAME = Size(1000, 1000)
SETTINGS = RuleSettings(
    zones=(Zone(id="square", polygon=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))),), rules=()
)
STOPPED = StoppedVehicleRule(id="stopped", zone="square", min_s=10, keep_s=5, remember_s=100)
LINE = LineRule(id="line", start=(0.0, 0.5), end=(1.0, 0.5), count_every_s=10)


def instant(second: float) -> Instant:
    return Instant(second, second)


def parked(second: int, name: str, since: int, x: float = 0.5) -> Trajectory:
    """A car that has been standing in the zone since a while."""
    trip: Trajectory | None = None
    for each in range(since, second + 1):
        box = Box(x - 0.05, 0.4, x + 0.05, 0.5)
        at = instant(each)
        track = Track(name, "car", 0.8, 0.9, box, (0.0, 0.0), instant(since), at, seen=True, confirmed=True)
        trip = trajectory.update(trip, track, None, FrameContext(at, FRAME, SETTINGS))
    assert trip is not None
    return trip


def view(second: int, *journeys: Trajectory, told: tuple[str, ...] = ()) -> RuleContext:
    opened = frozenset(("stopped", subject) for subject in told)
    return RuleContext(instant(second), FRAME, Motion((), 0.0), journeys, opened, SETTINGS)


def test_a_late_frame_does_not_shift_the_counting_intervals() -> None:
    memory, counts = RuleMemory(), []
    for second in (3, 8, 13, 20, 31, 41, 49, 50):
        memory, closed = facts.close_interval(LINE, memory, instant(second))
        counts += closed

    assert [(c.start.wall_s, c.end.wall_s) for c in counts] == [(3, 13), (13, 20), (20, 31), (31, 41), (41, 50)]


def test_a_line_that_does_not_count_keeps_no_tally() -> None:
    silent = LINE.model_copy(update={"count_every_s": 0.0})
    memory, counts = facts.close_interval(silent, RuleMemory(tally={("car", "in"): 3}), instant(5))

    assert (memory.tally, counts) == ({}, ())
