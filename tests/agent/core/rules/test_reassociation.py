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
