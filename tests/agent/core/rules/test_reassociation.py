"""agent.core.rules.reassociation"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.rules import reassociation, trajectory
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import Box, Instant, Size, Track


def context(second: float) -> FrameContext:
    return FrameContext(Instant(second, second), Size(1000, 1000), RuleSettings())


def when(second: float) -> tuple[Instant, Size]:
    return Instant(second, second), Size(1000, 1000)


def track(x: float, y: float, second: float = 0.0, **more: object) -> Track:
    at = Instant(second, second)
    box = Box(x - 0.05, y - 0.1, x + 0.05, y)
    known = Track("one", "car", 0.8, 0.9, box, (0.0, 0.0), at, at, seen=True, confirmed=True)
    return replace(known, **more)  # type: ignore[arg-type]


def lost(velocity: tuple[float, float], led_x: float) -> Trajectory:
    """Last seen at 0.3 when it was second 0; led on blindly, given up at second 2."""
    trip = trajectory.update(None, track(0.3, 0.5, velocity=velocity), None, context(0.0))
    blind = replace(track(led_x, 0.5, 0.0, velocity=velocity), seen=False, ended=True)
    return trajectory.update(trip, blind, None, context(2.0))


def test_a_lost_one_is_looked_for_where_it_must_be_by_now() -> None:
    trip = trajectory.update(None, track(0.3, 0.5), None, context(0.0))
    gone = trajectory.update(
        trip, track(0.3, 0.5, 0.5, velocity=(0.2, 0.0), seen=False, ended=True), None, context(0.5)
    )
    near = replace(track(0.5, 0.5, 1.5), id="two")
    far = replace(track(0.7, 0.5, 1.5), id="two")

    found = reassociation.nearest([gone], near, *when(1.5))
    assert found is not None
    assert found.object_id == "one"
    assert reassociation.nearest([gone], far, *when(1.5)) is None


@pytest.mark.parametrize(
    ("place", "found"),
    [((0.5, 0.5), True), ((0.7, 0.5), True), ((0.5, 0.72), False), ((0.05, 0.5), False), ((0.95, 0.5), False)],
)
def test_a_lost_one_may_come_early_or_late_but_not_in_another_lane(
    place: tuple[float, float], found: bool
) -> None:
    gone = lost(velocity=(0.05, 0.0), led_x=0.35)  # the guess slowed down, the road user need not have

    assert (
        reassociation.nearest([gone], replace(track(*place, 3.0), id="two"), *when(3.0)) is not None
    ) == found


def test_one_of_quite_another_size_is_another() -> None:
    gone = lost(velocity=(0.1, 0.0), led_x=0.5)
    small = replace(track(0.5, 0.5, 2.0), id="two", box=Box(0.49, 0.48, 0.51, 0.5))

    assert reassociation.nearest([gone], small, *when(2.0)) is None


def test_a_walker_does_not_go_on_with_the_trajectory_of_a_car() -> None:
    gone = lost(velocity=(0.1, 0.0), led_x=0.5)

    assert (
        reassociation.nearest([gone], replace(track(0.5, 0.5, 2.0), id="two", label="person"), *when(2.0))
        is None
    )


def decide(
    tracks: list[Track], pending: dict[str, reassociation.PendingLink], second: float
) -> reassociation.Links:
    trip = trajectory.update(None, track(0.3, 0.5, velocity=(0.1, 0.0)), None, context(0.0))
    return reassociation.decide({"one": trip}, (), pending, tracks, context(second))


def test_a_link_to_a_hidden_one_is_decided_by_what_becomes_of_its_track() -> None:
    hidden = track(0.4, 0.5, 0.0, velocity=(0.1, 0.0), seen=False)
    new = replace(track(0.4, 0.5, 1.0, velocity=(0.1, 0.0)), id="two")
    first = decide([hidden, new], {}, 1.0)
    assert [(name, link.track_id) for name, link in first.pending.items()] == [("two", "one")]
    assert not first.taken

    ended = decide([replace(hidden, ended=True), new], first.pending, 1.5)
    seen = decide([replace(hidden, seen=True), new], first.pending, 1.5)
    open_ = decide([hidden, new], first.pending, 1.5)
    late = decide([hidden, new], first.pending, 3.5)

    assert (list(ended.taken), ended.given, ended.pending) == (["two"], {"one"}, {})
    assert (seen.taken, seen.given, seen.pending) == ({}, set(), {})
    assert (open_.taken, open_.pending) == ({}, first.pending)
    assert (late.taken, late.pending) == ({}, {})


def test_a_hidden_one_is_linked_to_one_new_track_at_most() -> None:
    hidden = track(0.4, 0.5, 0.0, velocity=(0.1, 0.0), seen=False)
    two, three = (replace(track(0.4, 0.5, 1.0, velocity=(0.1, 0.0)), id=name) for name in ("two", "three"))
    first = decide([hidden, two, three], {}, 1.0)

    assert list(first.pending) == ["two"]
    assert list(decide([hidden, two, three], first.pending, 1.1).pending) == ["two"]


@pytest.mark.parametrize(
    ("second", "place", "found"),
    [
        # Ahead: three quarters of a box, three tenths of the way, and what a change of speed adds.
        (2.0, (0.600, 0.5), True),
        (2.0, (0.610, 0.5), False),
        (3.0, (0.790, 0.5), True),
        (3.0, (0.800, 0.5), False),
        # Aside: three quarters of a box and a sixth of the way, on both sides alike.
        (3.0, (0.600, 0.605), True),
        (3.0, (0.600, 0.611), False),
        (3.0, (0.600, 0.395), True),
        (3.0, (0.600, 0.389), False),
    ],
)
def test_the_corridor_ahead_of_a_lost_one_grows_with_the_time(
    second: float, place: tuple[float, float], found: bool
) -> None:
    gone = lost(velocity=(0.05, 0.0), led_x=0.35)
    new = replace(track(*place, second), id="two")

    assert (reassociation.nearest([gone], new, *when(second)) is not None) is found


@pytest.mark.parametrize(("x", "found"), [(0.413, True), (0.415, False), (0.237, True), (0.235, False)])
def test_one_who_hardly_moves_is_looked_for_where_it_was_led_and_left_only(x: float, found: bool) -> None:
    gone = lost(velocity=(0.01, 0.0), led_x=0.32)

    assert (
        reassociation.nearest([gone], replace(track(x, 0.5, 3.0), id="two"), *when(3.0)) is not None
    ) is found


@pytest.mark.parametrize(("side", "found"), [(0.041, True), (0.039, False), (0.249, True), (0.251, False)])
def test_one_may_seem_two_and_a_half_times_as_large_or_small(side: float, found: bool) -> None:
    gone = lost(velocity=(0.0, 0.0), led_x=0.3)
    box = Box(0.3 - side / 2, 0.45 - side / 2, 0.3 + side / 2, 0.45 + side / 2)
    new = replace(track(0.3, 0.5, 2.0), id="two", box=box)

    assert (reassociation.nearest([gone], new, *when(2.0)) is not None) is found


@pytest.mark.parametrize(
    ("velocity", "found"),
    [
        ((-0.016, 0.0), False),
        ((-0.014, 0.0), True),
        ((0.0, 0.05), True),
        ((-0.001, 0.05), False),
        ((0.05, 0.0), True),
    ],
)
def test_who_goes_the_opposite_way_is_another_unless_it_hardly_moves(
    velocity: tuple[float, float], found: bool
) -> None:
    gone = lost(velocity=(0.05, 0.0), led_x=0.4)
    new = replace(track(0.4, 0.5, 2.0, velocity=velocity), id="two")

    assert (reassociation.nearest([gone], new, *when(2.0)) is not None) is found


def test_of_several_lost_ones_the_nearest_is_meant_whatever_their_order() -> None:
    near, far = lost(velocity=(0.0, 0.0), led_x=0.3), lost(velocity=(0.0, 0.0), led_x=0.34)
    new = replace(track(0.31, 0.5, 2.0), id="two")

    for known in ([near, far], [far, near]):
        assert reassociation.nearest(known, new, *when(2.0)) is near


def test_kinds_that_a_detector_does_not_confuse_are_families() -> None:
    labels = ("person", "bicycle", "motorcycle", "car", "van", "bus", "truck")

    assert [reassociation.family(each) for each in labels] == ["person", "two", "two", *["four"] * 4]


def test_who_goes_on_with_a_trajectory_was_born_anew_and_is_neither_gone_nor_waited_for() -> None:
    gone, other = lost(velocity=(0.1, 0.0), led_x=0.5), lost(velocity=(0.1, 0.0), led_x=0.9)
    new = replace(track(0.5, 0.5, 2.1, velocity=(0.1, 0.0)), id="two")
    links = reassociation.decide({}, (gone, other), {}, [new], context(2.1))

    assert links.lost == [other]
    assert list(links.taken) == ["two"]
    taken = links.taken["two"]
    assert (taken.object_id, taken.born, taken.gone, taken.reason) == ("one", new.box, None, None)


@pytest.mark.parametrize(("second", "waits"), [(4.0, True), (4.1, False)])
def test_a_lost_one_is_waited_for_no_longer_than_is_set(second: float, waits: bool) -> None:
    links = reassociation.decide({}, (lost(velocity=(0.0, 0.0), led_x=0.3),), {}, [], context(second))

    assert bool(links.lost) is waits


@pytest.mark.parametrize(("began_s", "pending"), [(0.25, False), (0.3, True)])
def test_one_that_began_while_the_other_was_hardly_hidden_is_beside_it(began_s: float, pending: bool) -> None:
    hidden = track(0.3, 0.5, 0.0, velocity=(0.1, 0.0), seen=False)
    new = replace(track(0.33, 0.5, 0.5, velocity=(0.1, 0.0)), id="two", started=Instant(began_s, began_s))

    assert bool(decide([hidden, new], {}, 0.5).pending) is pending
