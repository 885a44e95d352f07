"""agent.core.rules.kinds.loitering"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from agent.core.rules import trajectory
from agent.core.rules.context import RuleContext
from agent.core.rules.kinds import loitering
from agent.core.rules.kinds.loitering import LoiteringRule
from agent.core.rules.lifecycle import Fact
from agent.core.rules.places import MOST_PLACES, Places
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.rules.zones import Zone
from agent.core.types import Box, Instant, Motion, Size, Track
from tests.support.rule_camera import (
    RuleCamera,
    rule_settings,
)

FRAME = Size(1000, 1000)
SETTINGS = RuleSettings(
    zones=(Zone(id="square", polygon=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))),), rules=()
)
RULE = LoiteringRule(id="loiter", zone="square", min_stay_s=20, keep_s=10, remember_s=100)


def stay_of(fact: Fact) -> str:
    return fact.about + (" again" if fact.number else "")


@dataclass
class Square:
    """A second per step; each person is a name and a place, and is not seen where it has none."""

    second: int = 0
    trips: dict[str, Trajectory] = field(default_factory=dict)
    memory: Places = field(default_factory=Places)
    started: list[str] = field(default_factory=list)
    holding: tuple[Fact, ...] = ()

    def step(self, **places: tuple[float, float] | None) -> None:
        at = Instant(self.second, self.second)
        frame = FrameContext(at, FRAME, SETTINGS)
        for name, place in places.items():
            before = self.trips.get(name)
            if place is None:
                assert before is not None
                track = replace(before.track, seen=False)
            else:
                x, y = place
                box = Box(x - 0.02, y - 0.12, x + 0.02, y)
                started = before.track.started if before else at
                track = Track(name, "person", 0.8, 0.9, box, (0.0, 0.0), started, at, seen=True, confirmed=True)
            self.trips[name] = trajectory.update(before, track, None, frame)
        self.trips = {name: trip for name, trip in self.trips.items() if name in places}
        opened = frozenset(fact.key for fact in self.holding)
        context = RuleContext(at, FRAME, Motion((), 0.0), tuple(self.trips.values()), opened, SETTINGS)
        self.memory, self.holding = loitering.evaluate(RULE, self.memory, context)
        self.started += [stay_of(f) for f in self.holding if f.may_start and f.key not in opened]
        self.second += 1

    def stay(self, seconds: int, **places: tuple[float, float] | None) -> None:
        for _ in range(seconds):
            self.step(**places)


def test_a_track_that_begins_inside_goes_on_with_the_stay_of_who_was_lost_there() -> None:
    square = Square()
    square.stay(15, one=(0.5, 0.5))
    square.stay(4)
    square.stay(10, two=(0.53, 0.5))

    assert square.started == ["one"]


def test_who_was_told_is_not_told_again_under_a_new_id() -> None:
    square = Square()
    for name in ("one", "two", "three", "four"):
        square.stay(25, **{name: (0.5, 0.5)})
        square.stay(30)  # longer than the event goes on

    assert square.started == ["one"]


def test_two_who_exchange_their_tracks_are_told_once_each() -> None:
    square = Square()
    square.stay(30, one=(0.5, 0.5), two=(0.52, 0.5))
    square.stay(30, two=(0.5, 0.5), three=(0.52, 0.5))
    square.stay(30, three=(0.5, 0.5), four=(0.52, 0.5))

    assert sorted(square.started) == ["one", "two"]


def test_a_track_that_began_before_the_old_one_was_lost_goes_on_with_its_stay_too() -> None:
    square = Square()
    square.stay(30, one=(0.5, 0.5))
    square.stay(2, one=(0.5, 0.5), two=(0.52, 0.5))
    square.stay(40, two=(0.52, 0.5))

    assert square.started == ["one"]


def test_two_who_are_seen_side_by_side_are_told_both_though_they_begin_inside() -> None:
    square = Square()
    square.stay(30, one=(0.5, 0.5), two=(0.52, 0.5))

    assert sorted(square.started) == ["one", "two"]


def test_who_walks_in_over_the_edge_begins_a_stay_of_his_own() -> None:
    square = Square()
    square.stay(25, one=(0.5, 0.5))
    square.stay(3)
    for x in (0.1, 0.15, 0.3, 0.4):
        square.step(two=(x, 0.5))
    square.stay(25, two=(0.5, 0.5))

    assert square.started == ["one", "two"]


def test_who_walked_out_leaves_no_stay_behind() -> None:
    square = Square()
    square.stay(25, one=(0.5, 0.5))
    for x in (0.6, 0.7, 0.8, 0.9, 0.95, 0.97):
        square.step(one=(x, 0.5))
    square.stay(25, two=(0.6, 0.5))

    assert square.started == ["one", "two"]


def test_one_who_is_far_from_where_another_was_lost_is_somebody_else() -> None:
    square = Square()
    square.stay(25, one=(0.3, 0.4))
    square.stay(2)
    square.stay(25, two=(0.7, 0.7))

    assert square.started == ["one", "two"]


def test_a_track_whose_stay_went_to_another_begins_anew() -> None:
    square = Square()
    square.stay(15, one=(0.5, 0.5))
    square.stay(3, one=None)
    square.stay(2, one=None, two=(0.52, 0.5))
    square.stay(2, one=(0.45, 0.5), two=(0.52, 0.5))
    assert square.started == ["one"]

    square.stay(25, one=(0.45, 0.5), two=(0.52, 0.5))
    assert square.started == ["one", "one again"]


@pytest.mark.parametrize(("unseen_s", "holds"), [(9, True), (12, False)])
def test_an_event_outlasts_a_person_out_of_sight_for_a_while(unseen_s: int, holds: bool) -> None:
    square = Square()
    square.stay(25, one=(0.5, 0.5))
    square.stay(unseen_s)

    assert bool(square.holding) == holds


def test_stays_are_forgotten_in_the_end() -> None:
    square = Square()
    for n in range(300):
        square.stay(1, **{f"p{n}": (0.3 + 0.4 * (n % 7) / 7, 0.5)})
    assert len(square.memory.places) <= MOST_PLACES

    square.stay(102)
    assert square.memory.places == ()


@pytest.mark.parametrize(("away_s", "begun"), [(98, ["one"]), (99, ["one"]), (100, ["one", "two"])])
def test_a_stay_that_was_told_is_remembered_to_the_second(away_s: int, begun: list[str]) -> None:
    square = Square()
    square.stay(25, one=(0.5, 0.5))
    square.second += away_s - 1  # and one more, until the other is in the zone
    square.stay(25, two=(0.5, 0.5))

    assert square.started == begun


def test_who_stays_long_in_a_zone_loiters_and_who_passes_does_not() -> None:
    camera = RuleCamera(rule_settings(LoiteringRule(id="loiter", zone="square", min_stay_s=20)))
    for number in range(200):
        stayer = camera.track(0.5, 0.5 + 0.1 * np.sin(number / 5), label="person")
        passer = camera.track(0.1 + number * 0.02, 0.5, "two", label="person")
        camera.see(stayer, *([passer] if number < 40 else []), step_s=0.2)
    camera.see(camera.track(0.5, 0.99, label="person", ended=True))

    assert camera.story() == ["loitering start", "loitering end left"]
    assert camera.events[0].at.mono_s == pytest.approx(20, abs=1)
