"""agent.core.rules.kinds.stopped_vehicle"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from agent.core.rules import trajectory
from agent.core.rules.context import RuleContext
from agent.core.rules.kinds import stopped_vehicle
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.lifecycle import Key
from agent.core.rules.places import Places
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.rules.zones import Zone
from agent.core.types import WHOLE, Box, EventKind, Instant, Motion, Phase, Size, Track
from tests.support.rule_camera import (
    RuleCamera,
    rule_settings,
    starts,
)

FRAME = Size(1000, 1000)
SETTINGS = RuleSettings(
    zones=(Zone(id="square", polygon=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))),), rules=()
)
ONE = Key("stopped", "one")
STOPPED = StoppedVehicleRule(id="stopped", zone="square", min_s=10, keep_s=5, remember_s=100)
NO_STOPPING = StoppedVehicleRule(id="stopped", zone="square", min_s=20)


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


def context(second: int, *trajectories: Trajectory, opened: Iterable[Key] = ()) -> RuleContext:
    return RuleContext(instant(second), FRAME, Motion((), 0.0), trajectories, frozenset(opened), SETTINGS)


def test_a_stopped_vehicle_out_of_sight_stands_on_for_a_while() -> None:
    memory, found = stopped_vehicle.evaluate(STOPPED, Places(), context(12, parked(12, "one", 0)))
    assert [(each.about, each.may_start) for each in found] == [("one", True)]

    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(16, opened=[ONE]))
    assert [(each.about, each.may_start) for each in found] == [("one", False)]

    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(18))
    assert found == ()
    assert memory.places[0].trajectory.shot is None


def test_a_vehicle_found_again_in_its_place_goes_on_with_its_event() -> None:
    memory, _ = stopped_vehicle.evaluate(STOPPED, Places(), context(12, parked(12, "one", 0)))
    memory, _ = stopped_vehicle.evaluate(STOPPED, memory, context(13, opened=[ONE]))
    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(40, parked(40, "two", 25)))
    assert [(each.about, each.may_start) for each in found] == [("one", False)]

    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(300, parked(300, "three", 280)))
    assert [(each.about, each.may_start) for each in found] == [("three", True)]


def test_two_vehicles_side_by_side_are_two() -> None:
    pair = parked(12, "one", 0, 0.4), parked(12, "two", 0, 0.52)
    _, found = stopped_vehicle.evaluate(STOPPED, Places(), context(12, *pair))

    assert [each.about for each in found] == ["one", "two"]


def test_a_parked_car_whose_track_a_lorry_dragged_along_is_not_told_again() -> None:
    memory, _ = stopped_vehicle.evaluate(STOPPED, Places(), context(12, parked(12, "one", 0)))
    dragged = parked(14, "one", 0)
    box = Box(0.7, 0.4, 0.8, 0.5)
    for second in (15, 16, 17):
        track = replace(dragged.track, box=box)
        dragged = trajectory.update(dragged, track, None, FrameContext(instant(second), FRAME, SETTINGS))
    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(17, dragged, opened=[ONE]))
    assert found == ()

    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(40, parked(40, "two", 20)))
    assert [(each.about, each.may_start) for each in found] == [("one", False)]


def test_a_parked_car_that_had_the_box_of_a_passing_lorry_at_last_is_not_told_again() -> None:
    standing = parked(12, "one", 0)
    memory, _ = stopped_vehicle.evaluate(STOPPED, Places(), context(12, standing))
    lorrys = replace(standing.track, box=Box(0.45, 0.33, 0.7, 0.6))
    standing = trajectory.update(standing, lorrys, None, FrameContext(instant(13), FRAME, SETTINGS))
    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(13, standing, opened=[ONE]))
    assert len(found) == 1, "it may be the car's own box, for nothing was seen to drive"

    memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(40, parked(40, "two", 20)))
    assert [(each.about, each.may_start) for each in found] == [("one", False)]


def test_a_vehicle_that_drives_on_and_stops_elsewhere_has_stopped_twice() -> None:
    memory, first = stopped_vehicle.evaluate(STOPPED, Places(), context(12, parked(12, "one", 0)))
    trip = parked(13, "one", 0)
    for second in range(14, 40):
        track = replace(trip.track, box=Box(0.25, 0.4, 0.35, 0.5))
        trip = trajectory.update(trip, track, None, FrameContext(instant(second), FRAME, SETTINGS))
        memory, second_stop = stopped_vehicle.evaluate(STOPPED, memory, context(second, trip, opened=[ONE]))

    assert [each.key for each in first] == [("stopped", "one", 0)]
    assert [(each.key, each.may_start) for each in second_stop] == [(("stopped", "one", 1), True)]


@pytest.mark.parametrize(("up", "cut", "stops"), [(0.03, 0.0, 2), (0.005, 0.0, 1), (0.0, 0.06, 1)])
def test_who_moves_up_has_stopped_twice_but_not_who_trembles_or_is_half_covered(
    up: float, cut: float, stops: int
) -> None:
    """A vehicle that moves up shifts all the edges of its box, one that is covered from below only one."""
    memory, found = stopped_vehicle.evaluate(STOPPED, Places(), context(12, parked(12, "one", 0)))
    keys = {each.key for each in found if each.may_start}
    trip = parked(13, "one", 0)
    for second in range(14, 40):
        track = replace(trip.track, box=Box(0.45, 0.4 - up, 0.55, 0.5 - up - cut))
        trip = trajectory.update(trip, track, None, FrameContext(instant(second), FRAME, SETTINGS))
        memory, found = stopped_vehicle.evaluate(STOPPED, memory, context(second, trip, opened=keys))
        keys |= {each.key for each in found if each.may_start}

    assert len(keys) == stops


def test_a_vehicle_that_stands_is_told_once_and_ends_when_it_drives_off() -> None:
    camera = RuleCamera(rule_settings(NO_STOPPING))
    for number in range(200):
        camera.see(camera.track(0.5 + 0.002 * (number % 2), 0.5), step_s=0.5)
    for number in range(20):
        camera.see(camera.track(0.5, 0.5 + number * 0.01), step_s=0.5)

    assert camera.story() == ["stopped_vehicle start", "stopped_vehicle update", "stopped_vehicle end left"]


def test_a_parked_car_that_is_found_again_is_not_told_again() -> None:
    camera = RuleCamera(rule_settings(NO_STOPPING))
    for day in range(24):
        for _ in range(60):
            camera.see(camera.track(0.5, 0.5, f"car{day}", stationary=True), step_s=2)
        camera.see(camera.track(0.5, 0.5, f"car{day}", stationary=True, ended=True), step_s=2)
        camera.see(step_s=3500)
    starts = [e for e in camera.events if e.phase is Phase.START]

    assert len(starts) == 1


def test_another_car_that_comes_to_the_same_place_is_told() -> None:
    camera = RuleCamera(rule_settings(NO_STOPPING))
    for _ in range(60):
        camera.see(camera.track(0.5, 0.5), step_s=1)
    camera.see(camera.track(0.5, 0.5, ended=True), step_s=300)
    for number in range(100):
        camera.see(camera.track(min(0.5, 0.02 * number), 0.5, "two"), step_s=1)
    starts = [e for e in camera.events if e.phase is Phase.START]

    assert len(starts) == 2


def stand_and_drive_off(camera: RuleCamera) -> None:
    """It stands at (0.5, 0.5) until it is told, and drives out of the zone."""
    for _ in range(30):
        camera.see(camera.track(0.5, 0.5), step_s=1)
    for number in range(6):
        camera.see(camera.track(0.5 + 0.05 * number, 0.5), step_s=1)
    camera.see(camera.track(0.75, 0.5, ended=True), step_s=1)


def stops_told(camera: RuleCamera) -> int:
    return len(starts(camera, EventKind.STOPPED_VEHICLE))


@pytest.mark.parametrize(("beside", "stops"), [(0.005, 1), (0.012, 2)])
def test_who_first_shows_up_in_a_place_that_one_has_left_is_that_one_only_if_it_stands_in_the_same_box(
    beside: float, stops: int
) -> None:
    """It came behind a bus. Overlaps of 0.85 and 0.67: a place's own vehicle comes back with 0.9 and more."""
    camera = RuleCamera(rule_settings(NO_STOPPING))
    stand_and_drive_off(camera)
    for _ in range(30):
        camera.see(camera.track(0.5 + beside, 0.5, "two"), step_s=1)

    assert stops_told(camera) == stops


def test_a_place_that_one_was_seen_to_leave_and_that_is_seen_empty_is_anybodys() -> None:
    camera = RuleCamera(rule_settings(NO_STOPPING))
    stand_and_drive_off(camera)
    for _ in range(8):
        camera.see(looked=(WHOLE,), step_s=1)
    for _ in range(30):
        camera.see(camera.track(0.5, 0.5, "two"), looked=(WHOLE,), step_s=1)

    assert stops_told(camera) == 2


def test_a_place_that_nobody_looked_at_since_one_left_is_still_his() -> None:
    """Until a look says that it is empty, a passer may have dragged his track along."""
    camera = RuleCamera(rule_settings(NO_STOPPING))
    stand_and_drive_off(camera)
    for _ in range(60):
        camera.see(looked=(Box(0.0, 0.0, 0.45, 1.0),), step_s=1)
    for _ in range(30):
        camera.see(camera.track(0.5, 0.5, "two"), step_s=1)

    assert stops_told(camera) == 1


def test_who_is_dragged_along_and_comes_back_with_a_trembling_box_is_told_once() -> None:
    """Two single boxes may differ by more than a vehicle's tremble; the means of many do not."""
    camera = RuleCamera(rule_settings(NO_STOPPING))
    for time in range(8):
        first = 0.006 * (-1) ** time
        for shift in (first, first, *(0.0 for _ in range(25))):
            camera.see(camera.track(0.5 + shift, 0.5 + shift), step_s=1)
        for _ in range(3):
            camera.see(camera.track(0.6, 0.5), step_s=1)

    assert stops_told(camera) == 1


def test_a_stop_tells_who_stands_since_when_and_with_which_picture() -> None:
    one = parked(12, "one", 0)
    _, (found,) = stopped_vehicle.evaluate(STOPPED, Places(), context(12, one))

    assert (found.since, found.trajectory, found.region) == (instant(0), one, None)


@pytest.mark.parametrize(("second", "stands"), [(9, False), (10, True)])
def test_a_vehicle_stands_after_so_long_in_the_zone(second: int, stands: bool) -> None:
    _, found = stopped_vehicle.evaluate(STOPPED, Places(), context(second, parked(second, "one", 0)))

    assert bool(found) is stands
