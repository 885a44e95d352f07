"""agent.core.rules.places"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.core.rules import places, trajectory
from agent.core.rules.context import RuleContext
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.lifecycle import Fact
from agent.core.rules.places import Place, Places
from agent.core.rules.trajectory import FrameContext
from agent.core.types import Box, Shot
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


def test_a_place_keeps_its_picture_only_as_long_as_its_event_may_need_it() -> None:
    shot = Shot(np.zeros((4, 4, 3), np.uint8), instant(0), Box(0, 0, 1, 1), 0.5)
    stop = replace(place("one", 0), trajectory=replace(TRIP, shot=shot))

    assert places.lightened([stop], 5, instant(5)) == Places((stop,))
    assert places.lightened([stop], 5, instant(5.1)) == Places((place("one", 0),))
