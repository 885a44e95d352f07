"""agent.core.tracking.static_false_positives"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.ids import Ids
from agent.core.rules import engine as rules
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.kinds.loitering import LoiteringRule
from agent.core.rules.kinds.object import ObjectRule
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.tracking import static_false_positives
from agent.core.tracking import tracker as track
from agent.core.tracking.static_false_positives import StaticFalsePositiveSettings, StaticFalsePositiveState
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import WHOLE, Box, Detection, Event, Instant, Motion, Phase, Sighting, Size, Track

SETTINGS = StaticFalsePositiveSettings()
STREET = Zone(id="street", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
JUDGE = RuleSettings(
    zones=(STREET,),
    rules=(
        ObjectRule(id="objects"),
        LoiteringRule(id="loitering", zone="street", min_stay_s=60),
        StoppedVehicleRule(id="stopped", zone="street", min_s=60),
    ),
)
STILL = Motion((), 0.0)


def box(x: float, y: float = 0.5, width: float = 0.06, height: float = 0.16) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


SIGN = box(0.5)


@dataclass
class Street:
    """Tracker, phantoms and rules of one camera, fed with what a detector and motion would say."""

    settings: StaticFalsePositiveSettings = SETTINGS
    second: float = 0.0
    ids: Ids = field(default_factory=lambda: Ids(b"a seed of sixteen"))
    tracker: TrackerState | None = None
    memory: StaticFalsePositiveState | None = None
    judge: RulesState | None = None
    events: list[Event] = field(default_factory=list)
    tracks: tuple[Track, ...] = ()
    dice: random.Random = field(default_factory=lambda: random.Random(5))

    def look(self, *found: tuple[str, Box], moving: Sequence[Box] = (), step_s: float = 0.2) -> None:
        self.second += step_s
        at, motion = Instant(self.second, self.second), Motion(tuple(moving), 0.01)
        seen = tuple(Detection(label, 0.85, self.trembling(place)) for label, place in found)
        sighting = Sighting(at, (WHOLE,), seen, motion.regions)
        self.tracker, self.ids, tracks = track.update(self.tracker, sighting, self.ids, TrackSettings())
        self.memory, self.tracks = static_false_positives.update(self.memory, tracks, motion, at, self.settings)
        scene = RuleInput(at, Size(640, 360), motion, self.tracks)
        self.judge, self.ids, reports = rules.update(self.judge, scene, self.ids, JUDGE)
        self.events += [each for each in reports if isinstance(each, Event)]

    def trembling(self, place: Box) -> Box:
        dx, dy = self.dice.gauss(0, 0.003), self.dice.gauss(0, 0.003)
        return Box(place.left + dx, place.top + dy, place.right + dx, place.bottom + dy)

    def flicker(self, place: Box = SIGN, label: str = "person", seconds: float = 3.0) -> None:
        """The detector sees it for a moment, then not, and a lorry passes close by, so that the track ends."""
        for _ in range(round(seconds / 0.2)):
            self.look((label, place))
        lorry = Box(place.left - 0.3, place.top - 0.2, place.right + 0.2, place.bottom + 0.2)
        self.look(moving=(lorry,))
        self.idle(40)

    def idle(self, seconds: float, step_s: float = 4.0) -> None:
        for _ in range(round(seconds / step_s)):
            self.look(step_s=step_s)

    def walk(self, begin: float, end: float, seconds: float = 6.0, label: str = "person") -> None:
        """Someone walks from one place to another, with motion of his size."""
        steps = round(seconds / 0.2)
        for n in range(1, steps + 1):
            place = box(begin + (end - begin) * n / steps)
            self.look((label, place), moving=(place,))

    def starts(self, rule: str = "objects") -> int:
        return sum(each.rule_id == rule and each.phase is Phase.START for each in self.events)


def test_a_signpost_that_flickers_for_hours_is_told_once() -> None:
    street = Street()
    for _ in range(30):
        street.flicker()
        street.idle(300, step_s=30)

    assert street.second > 2.5 * 3600
    assert street.starts() == 1
    assert street.memory is not None
    assert len(street.memory.places) == 1


def test_without_the_memory_it_is_told_each_time() -> None:
    street = Street(settings=StaticFalsePositiveSettings(max_places=0))
    for _ in range(5):
        street.flicker()

    assert street.starts() == 5


def test_whoever_walks_up_to_that_very_place_and_stands_there_is_told() -> None:
    street = Street()
    for _ in range(5):
        street.flicker()
    street.walk(0.1, 0.5)
    for _ in range(20 * 5):
        street.look(("person", SIGN), moving=(SIGN,) if _ % 10 == 0 else ())
    for _ in range(70):
        street.look(("person", SIGN), step_s=1)

    assert street.starts() == 2
    assert street.starts("loitering") == 1


def test_who_is_first_seen_where_he_has_just_arrived_is_told() -> None:
    """The detector missed him on his way, motion did not."""
    street = Street()
    for _ in range(3):
        street.flicker()
    for n in range(20):
        street.look(moving=(box(0.1 + 0.02 * n),))
    for _ in range(20):
        street.look(("person", SIGN))

    assert street.starts() == 2


def test_who_came_and_is_lost_for_a_while_is_told_when_he_is_found_again() -> None:
    street = Street()
    for _ in range(3):
        street.flicker()
    street.walk(0.1, 0.5)
    street.look(moving=(Box(0.2, 0.2, 0.8, 0.8),))
    street.idle(40)
    before = street.starts()
    for _ in range(20):
        street.look(("person", SIGN))

    assert street.starts() == before + 1


def test_a_phantom_that_walks_away_is_a_road_user_with_all_that_he_did_and_its_place_is_forgotten() -> None:
    street = Street()
    street.flicker()
    for _ in range(50):
        street.look(("person", SIGN))
    assert [each.static_false_positive for each in street.tracks] == [True]
    assert street.starts() == 1
    street.walk(0.5, 0.9)

    assert street.starts() == 2
    assert [each.static_false_positive for each in street.tracks] == [False]
    assert street.memory is not None
    assert street.memory.places == ()
    newest = next(each for each in reversed(street.events) if each.phase is Phase.START)
    assert newest.at.since(newest.started) > 9  # it began when he was first seen


def test_rain_and_headlights_over_the_place_wake_no_phantom() -> None:
    street = Street()
    for _ in range(3):
        street.flicker()
    for n in range(40):
        drops = [box((n * 37 + k * 11) % 100 / 100, 0.5, 0.02, 0.03) for k in range(9)]
        beam = Box(0.0, 0.3, 1.0, 0.8)
        for _ in range(12):
            street.look(("person", SIGN), moving=(*drops, beam) if n % 2 else drops)
        street.look(moving=(beam,))
        street.idle(40)

    assert street.starts() == 1


def lived(motion: Motion, seconds: float) -> int:
    """How many places are known after one confirmed track that was born in such motion and stood so long."""
    at, then = Instant(0, 0), Instant(seconds, seconds)
    one = Track("a", "person", 0.9, 0.9, SIGN, (0, 0), at, at, seen=True, confirmed=True)
    state, _ = static_false_positives.update(None, [one], motion, at, SETTINGS)
    state, _ = static_false_positives.update(state, [one], STILL, then, SETTINGS)
    state, _ = static_false_positives.update(
        state, [replace(one, ended=True, seen=False)], STILL, then, SETTINGS
    )
    return len(state.places)


@pytest.mark.parametrize(
    ("motion", "seconds", "places"),
    [
        (STILL, 4, 1),
        (STILL, 61, 1),
        (Motion((), 0.0, settling=True), 4, 0),
        (Motion((), 0.0, settling=True), 61, 1),
        (Motion((SIGN,), 0.1), 61, 0),
        (Motion((Box(0.0, 0.3, 1.0, 0.8),), 0.5), 61, 0),
    ],
)
def test_only_what_never_came_teaches_a_place(motion: Motion, seconds: float, places: int) -> None:
    assert lived(motion, seconds) == places


def test_what_stands_from_its_first_moment_on_is_learned_without_a_flicker() -> None:
    at = Instant(0, 0)
    first = Track("a", "person", 0.9, 0.9, SIGN, (0, 0), at, at, seen=True, confirmed=True)
    state, marked = static_false_positives.update(None, [first], STILL, at, SETTINGS)
    assert not marked[0].static_false_positive
    state, marked = static_false_positives.update(state, [first], STILL, Instant(61, 61), SETTINGS)
    assert marked[0].static_false_positive  # what was told of it goes on; nothing new begins
    state, marked = static_false_positives.update(
        state, [replace(first, id="b")], STILL, Instant(200, 200), SETTINGS
    )

    assert marked[0].static_false_positive


def parked(settings: StaticFalsePositiveSettings) -> tuple[Street, int, int]:
    """A car that parks, flickers for twenty minutes and leaves; then another one that parks there.

    Returns the street, and how many objects and stopped vehicles were told while the first one stood.
    """
    place = box(0.5, 0.6, 0.2, 0.15)
    street = Street(settings)

    def drive(begin: float, end: float) -> None:
        for n in range(1, 31):
            here = box(begin + (end - begin) * n / 30, 0.6, 0.2, 0.15)
            street.look(("car", here), moving=(here,))

    def stand(seconds: int) -> None:
        for _ in range(seconds // 2):
            street.look(("car", place), step_s=2)

    drive(-0.05, 0.5)
    stand(100)
    for _ in range(8):
        street.flicker(place, "car", 10)
        stand(100)
    counts = street.starts(), street.starts("stopped")
    drive(0.5, 1.1)
    street.idle(100)
    drive(-0.05, 0.5)
    stand(100)
    return street, *counts


def test_a_parked_car_that_flickers_is_told_less_often_and_the_next_one_that_parks_there_is_told() -> None:
    _, objects_before, stopped_before = parked(StaticFalsePositiveSettings(max_places=0))
    street, objects, stopped = parked(SETTINGS)

    assert objects_before > 6
    assert objects <= 4
    assert stopped <= stopped_before
    assert street.starts("stopped") == stopped + 1


def test_the_memory_is_bounded_and_forgets() -> None:
    state: StaticFalsePositiveState | None = None
    for n in range(200):
        at = Instant(n * 10.0, n * 10.0)
        one = Track(f"t{n}", "car", 0.9, 0.9, box((n % 20) / 20, (n // 20) / 10, 0.03, 0.05), (0, 0), at, at,
                    seen=True, confirmed=True)  # fmt: skip
        state, _ = static_false_positives.update(state, [one], STILL, at, SETTINGS)
        later = Instant(at.mono_s + 5, at.wall_s + 5)
        state, _ = static_false_positives.update(
            state, [replace(one, ended=True, seen=False)], STILL, later, SETTINGS
        )
    assert state is not None
    assert len(state.places) == SETTINGS.max_places
    assert state.births == {}

    state, _ = static_false_positives.update(state, [], STILL, Instant(2e6, 2e6), SETTINGS)

    assert state.places == ()


boxes = st.builds(box, st.floats(0, 1), st.floats(0, 1), st.floats(0.02, 0.3), st.floats(0.02, 0.3))


@given(
    st.lists(
        st.tuples(
            st.floats(0.05, 100),
            st.lists(st.tuples(st.integers(0, 5), boxes, st.booleans(), st.booleans()), max_size=4),
            st.lists(boxes, max_size=3),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_whatever_comes_tracks_stay_as_they_are_and_what_moved_is_no_phantom(
    moments: list[tuple[float, list[tuple[int, Box, bool, bool]], list[Box], bool]],
) -> None:
    state, second = None, 0.0
    for gap_s, seen, regions, settling in moments:
        second += gap_s
        at = Instant(second, second)
        given_ = [
            Track(f"t{n}", "car", 0.9, 0.9, place, (0, 0), at, at, seen=True, confirmed=confirmed, ended=ended)
            for n, place, confirmed, ended in {each[0]: each for each in seen}.values()
        ]
        motion = Motion(tuple(regions), 0.1, settling)
        known = len(state.places) if state else 0
        state, marked = static_false_positives.update(state, given_, motion, at, SETTINGS)

        assert [replace(each, static_false_positive=False) for each in marked] == given_
        assert set(state.births) == {each.id for each in given_ if not each.ended}
        assert len(state.places) <= min(SETTINGS.max_places, known + len(given_))
        for each in marked:
            if each.static_false_positive and each.id in state.births:
                assert state.births[each.id].known
                assert not state.births[each.id].moved
