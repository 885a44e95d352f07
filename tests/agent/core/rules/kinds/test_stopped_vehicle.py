"""agent.core.rules.kinds.stopped_vehicle"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.rules import trajectory
from agent.core.rules.context import RuleContext, RuleMemory
from agent.core.rules.kinds import stopped_vehicle
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


def test_a_stopped_vehicle_out_of_sight_stands_on_for_a_while() -> None:
    memory, found = stopped_vehicle.stopped(STOPPED, RuleMemory(), view(12, parked(12, "one", 0)))
    assert [(each.subject, each.tellable) for each in found] == [("one", True)]

    memory, found = stopped_vehicle.stopped(STOPPED, memory, view(16, told=("one",)))
    assert [(each.subject, each.tellable) for each in found] == [("one", False)]

    memory, found = stopped_vehicle.stopped(STOPPED, memory, view(18))
    assert found == ()
    assert memory.places[0].journey.shot is None


def test_a_vehicle_found_again_in_its_place_goes_on_with_its_event() -> None:
    memory, _ = stopped_vehicle.stopped(STOPPED, RuleMemory(), view(12, parked(12, "one", 0)))
    memory, _ = stopped_vehicle.stopped(STOPPED, memory, view(13, told=("one",)))
    memory, found = stopped_vehicle.stopped(STOPPED, memory, view(40, parked(40, "two", 25)))
    assert [(each.subject, each.tellable) for each in found] == [("one", False)]

    memory, found = stopped_vehicle.stopped(STOPPED, memory, view(300, parked(300, "three", 280)))
    assert [(each.subject, each.tellable) for each in found] == [("three", True)]


def test_two_vehicles_side_by_side_are_two() -> None:
    pair = parked(12, "one", 0, 0.4), parked(12, "two", 0, 0.52)
    _, found = stopped_vehicle.stopped(STOPPED, RuleMemory(), view(12, *pair))

    assert [each.subject for each in found] == ["one", "two"]


def test_a_parked_car_whose_track_a_lorry_dragged_along_is_not_told_again() -> None:
    memory, _ = stopped_vehicle.stopped(STOPPED, RuleMemory(), view(12, parked(12, "one", 0)))
    dragged = parked(14, "one", 0)
    box = Box(0.7, 0.4, 0.8, 0.5)
    for second in (15, 16, 17):
        track = replace(dragged.track, box=box)
        dragged = trajectory.update(dragged, track, None, FrameContext(instant(second), FRAME, SETTINGS))
    memory, found = stopped_vehicle.stopped(STOPPED, memory, view(17, dragged, told=("one",)))
    assert found == ()

    memory, found = stopped_vehicle.stopped(STOPPED, memory, view(40, parked(40, "two", 20)))
    assert [(each.subject, each.tellable) for each in found] == [("one", False)]


def test_a_vehicle_that_drives_on_and_stops_elsewhere_has_stopped_twice() -> None:
    memory, first = stopped_vehicle.stopped(STOPPED, RuleMemory(), view(12, parked(12, "one", 0)))
    trip = parked(13, "one", 0)
    for second in range(14, 40):
        track = replace(trip.track, box=Box(0.25, 0.4, 0.35, 0.5))
        trip = trajectory.update(trip, track, None, FrameContext(instant(second), FRAME, SETTINGS))
        memory, second_stop = stopped_vehicle.stopped(STOPPED, memory, view(second, trip, told=("one",)))

    assert [each.key for each in first] == [("stopped", "one")]
    assert [(each.subject, each.tellable) for each in second_stop] == [("one@1", True)]


@pytest.mark.parametrize(("up", "cut", "stops"), [(0.03, 0.0, 2), (0.005, 0.0, 1), (0.0, 0.06, 1)])
def test_who_moves_up_has_stopped_twice_but_not_who_trembles_or_is_half_covered(
    up: float, cut: float, stops: int
) -> None:
    """A vehicle that moves up shifts all the edges of its box, one that is covered from below only one."""
    memory, found = stopped_vehicle.stopped(STOPPED, RuleMemory(), view(12, parked(12, "one", 0)))
    subjects = {each.subject for each in found if each.tellable}
    trip = parked(13, "one", 0)
    for second in range(14, 40):
        track = replace(trip.track, box=Box(0.45, 0.4 - up, 0.55, 0.5 - up - cut))
        trip = trajectory.update(trip, track, None, FrameContext(instant(second), FRAME, SETTINGS))
        memory, found = stopped_vehicle.stopped(STOPPED, memory, view(second, trip, told=tuple(subjects)))
        subjects |= {each.subject for each in found if each.tellable}

    assert len(subjects) == stops
