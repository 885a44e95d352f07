"""agent.core.rules.reassociation"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.rules import reassociation, trajectory
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import Box, Instant, Size, Track


def moment(second: float) -> FrameContext:
    return FrameContext(Instant(second, second), Size(1000, 1000), RuleSettings())


def track(x: float, y: float, second: float = 0.0, **more: object) -> Track:
    at = Instant(second, second)
    box = Box(x - 0.05, y - 0.1, x + 0.05, y)
    known = Track("one", "car", 0.8, 0.9, box, (0.0, 0.0), at, at, seen=True, confirmed=True)
    return replace(known, **more)  # type: ignore[arg-type]


def lost(velocity: tuple[float, float], led_x: float) -> Trajectory:
    """Last seen at 0.3 when it was second 0; led on blindly, given up at second 2."""
    trip = trajectory.update(None, track(0.3, 0.5, velocity=velocity), None, moment(0.0))
    blind = replace(track(led_x, 0.5, 0.0, velocity=velocity), seen=False, ended=True)
    return trajectory.update(trip, blind, None, moment(2.0))


def test_an_heir_is_looked_for_where_the_lost_one_must_be_by_now() -> None:
    trip = trajectory.update(None, track(0.3, 0.5), None, moment(0.0))
    ghost = trajectory.update(
        trip, track(0.3, 0.5, 0.5, velocity=(0.2, 0.0), seen=False, ended=True), None, moment(0.5)
    )
    near = replace(track(0.5, 0.5, 1.5), id="two")
    far = replace(track(0.7, 0.5, 1.5), id="two")

    heir = reassociation.nearest([ghost], near, moment(1.5))
    assert heir is not None
    assert heir.subject == "one"
    assert reassociation.nearest([ghost], far, moment(1.5)) is None


@pytest.mark.parametrize(
    ("place", "found"),
    [((0.5, 0.5), True), ((0.7, 0.5), True), ((0.5, 0.72), False), ((0.05, 0.5), False), ((0.95, 0.5), False)],
)
def test_an_heir_may_be_early_or_late_but_not_in_another_lane(place: tuple[float, float], found: bool) -> None:
    ghost = lost(velocity=(0.05, 0.0), led_x=0.35)  # the guess slowed down, the road user need not have

    assert (
        reassociation.nearest([ghost], replace(track(*place, 3.0), id="two"), moment(3.0)) is not None
    ) == found


def test_one_of_quite_another_size_is_no_heir() -> None:
    ghost = lost(velocity=(0.1, 0.0), led_x=0.5)
    small = replace(track(0.5, 0.5, 2.0), id="two", box=Box(0.49, 0.48, 0.51, 0.5))

    assert reassociation.nearest([ghost], small, moment(2.0)) is None


def test_a_walker_is_no_heir_of_a_car() -> None:
    ghost = lost(velocity=(0.1, 0.0), led_x=0.5)

    assert (
        reassociation.nearest([ghost], replace(track(0.5, 0.5, 2.0), id="two", label="person"), moment(2.0))
        is None
    )


def decide(
    tracks: list[Track], claims: dict[str, reassociation.PendingLink], second: float
) -> reassociation.Links:
    trip = trajectory.update(None, track(0.3, 0.5, velocity=(0.1, 0.0)), None, moment(0.0))
    return reassociation.decide({"one": trip}, (), claims, tracks, moment(second))


def test_a_claim_to_the_journey_of_a_hidden_one_is_decided_by_what_becomes_of_its_track() -> None:
    hidden = track(0.4, 0.5, 0.0, velocity=(0.1, 0.0), seen=False)
    new = replace(track(0.4, 0.5, 1.0, velocity=(0.1, 0.0)), id="two")
    laid = decide([hidden, new], {}, 1.0)
    assert [(name, claim.track_id) for name, claim in laid.claims.items()] == [("two", "one")]
    assert not laid.taken

    ended = decide([replace(hidden, ended=True), new], laid.claims, 1.5)
    seen = decide([replace(hidden, seen=True), new], laid.claims, 1.5)
    open_ = decide([hidden, new], laid.claims, 1.5)
    late = decide([hidden, new], laid.claims, 3.5)

    assert (list(ended.taken), ended.given, ended.claims) == (["two"], {"one"}, {})
    assert (seen.taken, seen.given, seen.claims) == ({}, set(), {})
    assert (open_.taken, open_.claims) == ({}, laid.claims)
    assert (late.taken, late.claims) == ({}, {})


def test_a_hidden_one_has_one_heir_at_most() -> None:
    hidden = track(0.4, 0.5, 0.0, velocity=(0.1, 0.0), seen=False)
    two, three = (replace(track(0.4, 0.5, 1.0, velocity=(0.1, 0.0)), id=name) for name in ("two", "three"))
    laid = decide([hidden, two, three], {}, 1.0)

    assert list(laid.claims) == ["two"]
    assert list(decide([hidden, two, three], laid.claims, 1.1).claims) == ["two"]
