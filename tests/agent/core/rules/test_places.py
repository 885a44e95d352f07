"""agent.core.rules.places"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.rules import places, trajectory
from agent.core.rules.context import RuleContext
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.lifecycle import Fact
from agent.core.rules.places import Place, Places
from agent.core.rules.trajectory import FrameContext
from agent.core.types import WHOLE, Box, Shot, Track
from tests.support.rule_camera import FRAME, STILL, RuleCamera, instant, rule_settings

SETTINGS = rule_settings()
TRIP = trajectory.update(
    None, RuleCamera(SETTINGS).track(0.5, 0.5), None, FrameContext(instant(0), FRAME, SETTINGS)
)


RULE = StoppedVehicleRule(id="stopped", zone="square")


def place(object_id: str, number: int, seen_s: float = 0) -> Place:
    return Place(object_id, number, Box(0.4, 0.4, 0.5, 0.5), instant(0), instant(seen_s), TRIP)


@given(st.lists(st.tuples(st.sampled_from(["one", "one@1", "one/1", "two"]), st.integers(0, 5)), max_size=12))
def test_a_new_stop_never_takes_the_number_of_one_that_is_remembered(known: list[tuple[str, int]]) -> None:
    remembered = [place(*each) for each in known]
    for object_id in ("one", "one@1", "two"):
        assert (object_id, places.next_number(object_id, remembered)) not in known


def test_a_first_stop_has_number_nought_whatever_other_road_users_did() -> None:
    assert places.next_number("one", [place("two", 3), place("one/1", 1)]) == 0


def test_a_place_tells_who_stands_there_since_when_and_for_which_time() -> None:
    stop = place("one", 2, seen_s=9)

    assert places.fact(RULE, stop, instant(9)) == Fact(RULE, "one", instant(0), TRIP, number=2)
    assert not places.fact(RULE, stop, instant(10)).may_start  # out of sight
    assert not places.fact(RULE, replace(stop, reported=True), instant(9)).may_start


def test_what_became_an_event_is_remembered_as_reported_also_when_that_is_over() -> None:
    memory = Places((place("one", 0), place("one", 1)))
    opened = frozenset({places.key(RULE, memory.places[1])})
    after = places.remembered(memory, RULE, RuleContext(instant(1), FRAME, STILL, (), opened, SETTINGS))
    assert [each.reported for each in after] == [False, True]

    later = RuleContext(instant(2), FRAME, STILL, (), frozenset(), SETTINGS)
    assert places.remembered(Places(tuple(after)), RULE, later) == after


HERE = Box(0.4, 0.4, 0.5, 0.5)
LEFT = replace(place("one", 0), free=True)


def other(box: Box, **more: object) -> Track:
    return replace(TRIP.track, **{"id": "two", "box": box, **more})


def looks(
    stop: Place, seconds: int, *tracks: Track, looked: tuple[Box, ...] = (WHOLE,), step_s: float = 1.0
) -> Place:
    """The place after so many seconds from now on."""
    begin = stop.counted.mono_s + 1 if stop.counted else 0.0
    for step in range(round(seconds / step_s)):
        at = instant(begin + step * step_s)
        context = RuleContext(at, FRAME, STILL, (), frozenset(), SETTINGS, looked=looked, tracks=tracks)
        stop = places.looked_at(stop, context)
    return stop


def test_a_place_that_was_left_is_vacant_once_eight_looks_at_it_found_nobody() -> None:
    assert not places.is_vacant(looks(LEFT, 7))
    assert places.is_vacant(looks(LEFT, 8))


def test_a_place_that_nobody_was_seen_to_leave_is_never_vacant() -> None:
    assert not places.is_vacant(looks(place("one", 0), 600))


def test_of_many_looks_in_a_second_one_counts() -> None:
    assert looks(LEFT, 7, step_s=0.1).vacant == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("looked", "counts"),
    [
        ((), 0),
        ((Box(0.6, 0.6, 0.9, 0.9),), 0),
        ((Box(0.0, 0.0, 0.48, 1.0),), 0),  # a fifth of it was not looked at
        ((Box(0.0, 0.0, 0.495, 1.0),), 3),
        ((Box(0.6, 0.6, 0.9, 0.9), Box(0.3, 0.3, 0.6, 0.6)), 3),
    ],
)
def test_only_a_look_at_the_place_finds_it_empty(looked: tuple[Box, ...], counts: int) -> None:
    assert looks(LEFT, 3, looked=looked).vacant == counts


def test_a_place_whose_vehicle_is_hardly_ever_found_must_be_looked_at_for_longer() -> None:
    own = replace(TRIP.track, seen=False)
    dim = looks(place("one", 0), 60, own)
    assert dim.found == pytest.approx((29 / 30) ** 60)

    empty = looks(replace(dim, free=True), 40)
    assert empty.vacant == pytest.approx(40 * dim.found)
    assert not places.is_vacant(empty)
    assert places.is_vacant(looks(empty, 40))


def test_who_is_found_at_each_look_is_known_to_be_found_well_again() -> None:
    stop = replace(place("one", 0), found=0.5, vacant=3.0)
    again = looks(stop, 60, TRIP.track)

    assert again.found == pytest.approx(1 - 0.5 * (29 / 30) ** 60)
    assert again.vacant == 0.0


@pytest.mark.parametrize(
    ("track", "vacant"),
    [
        (other(HERE), 0.0),  # somebody stands there
        (other(HERE, velocity=(0.014, 0.0)), 0.0),  # its box trembles
        (other(HERE, velocity=(0.016, 0.0)), 5.0),  # somebody drives past and may hide who stands there
        (other(Box(0.3, 0.3, 0.9, 0.9)), 5.0),  # a bus stands before it
        (other(Box(0.485, 0.4, 0.6, 0.5)), 5.0),
        (other(Box(0.495, 0.4, 0.6, 0.5)), 8.0),  # it stands beside it
        (other(HERE, ended=True), 8.0),
    ],
)
def test_who_may_stand_there_makes_the_place_taken_and_who_only_hides_it_makes_the_look_worth_nothing(
    track: Track, vacant: float
) -> None:
    assert looks(replace(LEFT, vacant=5.0), 3, track).vacant == vacant


def test_who_was_dragged_off_is_not_looked_for_elsewhere() -> None:
    """Its track goes on with whoever took it along; that it is seen there says nothing of the place."""
    dragged = replace(TRIP.track, box=Box(0.7, 0.4, 0.8, 0.5))

    assert looks(LEFT, 3, dragged).vacant == 3.0
    assert looks(LEFT, 3, dragged).found == LEFT.found


def test_a_place_keeps_its_picture_only_as_long_as_its_event_may_need_it() -> None:
    shot = Shot(np.zeros((4, 4, 3), np.uint8), instant(0), Box(0, 0, 1, 1), 0.5)
    stop = replace(place("one", 0), trajectory=replace(TRIP, shot=shot))

    assert places.lightened([stop], 5, instant(5)) == Places((stop,))
    assert places.lightened([stop], 5, instant(5.1)) == Places((place("one", 0),))
