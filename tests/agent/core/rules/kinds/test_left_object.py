"""agent.core.rules.kinds.left_object"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.rules.kinds.left_object import LeftObjectRule
from agent.core.types import Box, EventKind, Motion, Phase, StillRegion, Track
from tests.support.rule_camera import RuleCamera, check_lives, instant, rule_settings

LEFT = LeftObjectRule(id="left", min_s=10, keep_s=5)
BAG = Box(0.50, 0.55, 0.53, 0.60)


def camera(rule: LeftObjectRule = LEFT) -> RuleCamera:
    return RuleCamera(rule_settings(rule))


def bag(since: float = 0.0, number: int = 1, box: Box = BAG) -> StillRegion:
    return StillRegion(number, box, instant(since))


def with_things(*things: StillRegion) -> Motion:
    return Motion((), 0.0, standing=things)


def person(seen: RuleCamera, x: float, y: float = 0.6, name: str = "owner", **more: object) -> Track:
    """A head and a body of two tenths of the frame, with the foot at (x, y)."""
    return seen.track(x, y, name, label="person", box=Box(x - 0.03, y - 0.2, x + 0.03, y), **more)


def stand(seen: RuleCamera, seconds: float, *things: StillRegion, people: tuple[float, ...] = ()) -> None:
    for _ in range(int(seconds * 2)):
        tracks = [person(seen, x, name=f"p{n}") for n, x in enumerate(people)]
        seen.see(*tracks, motion=with_things(*things), step_s=0.5)


def test_a_thing_that_stands_with_nobody_near_is_told_once_and_ends_when_it_is_taken_away() -> None:
    seen = camera()
    stand(seen, 40, bag())
    stand(seen, 5)

    assert seen.story() == ["object_left start", "object_left end left"]
    start = seen.events[0]
    assert start.kind is EventKind.OBJECT_LEFT
    assert start.region == BAG
    assert start.at.mono_s == pytest.approx(10, abs=0.5)


def test_a_thing_beside_somebody_is_not_told_until_he_has_gone() -> None:
    seen = camera()
    stand(seen, 30, bag(), people=(0.55,))
    assert seen.events == []

    stand(seen, 20, bag(), people=(0.9,))
    (start,) = seen.events
    assert start.at.mono_s == pytest.approx(40, abs=1)
    assert start.started.mono_s == pytest.approx(30, abs=1)


def test_who_passes_by_is_not_with_it() -> None:
    seen = camera()
    for n in range(80):
        x = 0.1 + 0.05 * (n % 16)
        seen.see(person(seen, x, name=f"passer-{n // 16}"), motion=with_things(bag()), step_s=0.5)

    assert [each.phase for each in seen.events] == [Phase.START]
    assert seen.events[0].at.mono_s == pytest.approx(10, abs=1)


def test_who_is_lost_from_sight_beside_it_is_taken_to_be_there_for_a_while() -> None:
    seen = camera()
    stand(seen, 10, bag(), people=(0.55,))
    stand(seen, 14, bag())
    assert seen.events == []

    stand(seen, 4, bag())
    assert [each.at.mono_s for each in seen.events] == [pytest.approx(25, abs=1)]


def test_one_who_comes_back_to_it_does_not_end_its_event() -> None:
    seen = camera()
    stand(seen, 12, bag())
    stand(seen, 20, bag(), people=(0.55,))

    assert {each.phase for each in seen.events} <= {Phase.START, Phase.UPDATE}


@pytest.mark.parametrize(
    ("label", "box"), [("car", Box(0.4, 0.4, 0.6, 0.6)), ("person", Box(0.5, 0.4, 0.56, 0.6))]
)
def test_a_road_user_that_stands_is_no_thing_even_after_its_track_is_lost(label: str, box: Box) -> None:
    seen = camera()
    for _ in range(10):
        seen.see(seen.track(0.5, 0.6, label=label, box=box), motion=with_things(bag(box=box)), step_s=0.5)
    stand(seen, 60, bag(box=box))

    assert seen.events == []


def test_a_part_of_a_car_that_parked_is_no_thing_and_a_bag_before_a_parked_car_is_one() -> None:
    car = Box(0.4, 0.4, 0.6, 0.6)
    part, before = camera(), camera()
    for n in range(120):
        part.see(part.track(0.5, 0.6, box=car, started=instant(0)), motion=with_things(bag(2)), step_s=0.5)
        things = [bag(30)] if n > 60 else []
        before.see(before.track(0.5, 0.6, box=car, started=instant(0)), motion=with_things(*things), step_s=0.5)

    assert part.events == []
    assert [each.at.mono_s for each in before.events] == [pytest.approx(40, abs=1)]


@pytest.mark.parametrize(
    ("box", "zone", "counts"),
    [(BAG, None, True), (BAG, "square", True), (Box(0.05, 0.05, 0.08, 0.1), "square", False),
     (Box(0.1, 0.1, 0.6, 0.6), None, False), (Box(0.5, 0.5, 0.505, 0.505), None, False)],
)  # fmt: skip
def test_only_things_of_some_size_in_the_zone_are_told(box: Box, zone: str | None, counts: bool) -> None:
    seen = camera(LEFT.model_copy(update={"zone": zone}))
    stand(seen, 15, bag(box=box))

    assert bool(seen.events) is counts


def test_two_things_are_two_events() -> None:
    seen = camera()
    other = bag(0, 2, Box(0.2, 0.55, 0.23, 0.60))
    stand(seen, 20, bag(), other)
    stand(seen, 5, other)

    assert seen.story() == ["object_left start", "object_left start", "object_left end left"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(1, 4), max_size=3),
            st.lists(st.floats(0.3, 0.7), max_size=3),
            st.sampled_from([0.2, 1.0, 6.0]),
        ),
        max_size=40,
    )
)
def test_every_event_starts_once_and_ends_and_memory_is_of_what_stands(
    frames: list[tuple[set[int], list[float], float]],
) -> None:
    seen = camera(LEFT.model_copy(update={"min_s": 3.0}))
    for numbers, people, step_s in frames:
        things = [bag(0, number, Box(0.1 * number, 0.5, 0.1 * number + 0.03, 0.55)) for number in numbers]
        tracks = [person(seen, x, name=f"p{n}") for n, x in enumerate(people)]
        seen.see(*tracks, motion=with_things(*things), step_s=step_s)
        assert seen.state is not None
        assert set(seen.state.memories["left"].known) == numbers
    seen.close()

    check_lives(seen.events)
    assert {e.id for e in seen.events} == {e.id for e in seen.events if e.phase is Phase.END}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.42, 0.64), min_size=1, max_size=60))
def test_nothing_is_told_while_anyone_stays_near(places: list[float]) -> None:
    seen = camera()
    for x in places:
        seen.see(person(seen, x), motion=with_things(bag()), step_s=1.0)

    assert seen.events == []


@pytest.mark.parametrize(
    ("box", "counts"),
    [
        (Box(0.5, 0.5, 0.5201, 0.5201), True), (Box(0.5, 0.5, 0.5199, 0.5199), False),  # 0.0004 of the view
        (Box(0.5, 0.5, 0.7236, 0.7236), True), (Box(0.5, 0.5, 0.7237, 0.7237), False),  # 0.05 of it
    ],
)  # fmt: skip
def test_the_least_and_the_largest_thing_are_those_of_the_rule(box: Box, counts: bool) -> None:
    seen = camera()
    stand(seen, 15, bag(box=box))

    assert bool(seen.events) is counts


@pytest.mark.parametrize(
    ("x", "y", "alone"),
    [
        (0.682, 0.6, False),
        (0.686, 0.6, True),
        (0.515, 0.89, False),
        (0.515, 0.91, True),
        (0.346, 0.6, True),
        (0.35, 0.6, False),
    ],
)
def test_who_is_within_one_and_a_half_of_his_heights_is_with_it(x: float, y: float, alone: bool) -> None:
    """The picture is 16 by 9, so his 0.3 heights of the frame are 0.169 of its width."""
    seen = camera()
    for _ in range(40):
        seen.see(person(seen, x, y), motion=with_things(bag()), step_s=0.5)

    assert bool(seen.events) is alone


@pytest.mark.parametrize(
    ("label", "alone"), [("bicycle", False), ("motorcycle", False), ("car", True), ("bus", True)]
)
def test_only_who_can_have_put_it_down_is_with_it(label: str, alone: bool) -> None:
    seen = camera()
    for n in range(40):
        beside = Box(0.55 + 0.002 * (n % 30), 0.4, 0.6 + 0.002 * (n % 30), 0.6)
        seen.see(seen.track(0.58, 0.6, label=label, box=beside), motion=with_things(bag()), step_s=0.5)

    assert bool(seen.events) is alone


def test_a_thing_is_told_with_its_zone_or_the_view_and_since_when_it_is_alone() -> None:
    for zone, about in ((None, "view"), ("square", "square")):
        seen = camera(LEFT.model_copy(update={"zone": zone}))
        stand(seen, 12, bag(number=7))
        (start,) = seen.events
        assert seen.state is not None
        (key,) = seen.state.events.open
        assert key == ("left", about, 7)
        assert (start.started, start.at, start.object) == (instant(0), instant(10), None)
