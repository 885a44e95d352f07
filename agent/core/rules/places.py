"""Where somebody stands or stays: told once for each stop, however often the tracker loses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.core.rules.context import RuleContext
from agent.core.rules.lifecycle import Fact, Key
from agent.core.rules.rule import BaseRule
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box, Instant

MOST_PLACES = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where a road user stands or stood."""

    object_id: str
    """Of the event: it stays when the road user comes back under another id."""
    number: int
    """0 for the first stop of this road user, 1 for the next, and so on."""
    box: Box
    since: Instant
    seen: Instant
    trajectory: Trajectory
    reported: bool = False
    """An event about it was started."""
    free: bool = False
    """A stopped vehicle: it was seen driving off, or so it looked, for a passing one can drag the track along.
    A stay: its track began inside, so it may go on with the stay of one that was lost there."""

    @property
    def stop(self) -> tuple[str, int]:
        """Which stop of whom it is."""
        return self.object_id, self.number


@dataclass(frozen=True, slots=True)
class Places:
    """What a rule remembers of where somebody stands, newest last."""

    places: tuple[Place, ...] = ()


def remembered(memory: Places, rule: BaseRule, context: RuleContext) -> list[Place]:
    """The places of the frame before, with what has been told of them since."""
    return [replace(p, reported=p.reported or key(rule, p) in context.open) for p in memory.places]


def key(rule: BaseRule, place: Place) -> Key:
    """What the event about a place is about."""
    return Key(rule.id, place.object_id, place.number)


def fact(rule: BaseRule, place: Place, at: Instant) -> Fact:
    """Somebody stands at this place; who is out of sight, or was told before, starts nothing."""
    may_start = place.seen == at and not place.reported
    return Fact(rule, place.object_id, place.since, place.trajectory, number=place.number, may_start=may_start)


def next_number(object_id: str, places: Sequence[Place]) -> int:
    """A number for the stop that begins now: earlier ones of the same road user keep theirs."""
    return max((place.number + 1 for place in places if place.object_id == object_id), default=0)


def lightened(places: Sequence[Place], keep_s: float, at: Instant) -> Places:
    """The newest, without their pictures once the event is over: they would be kept for hours."""
    return Places(tuple(_lightened(place, keep_s, at) for place in places))


def _lightened(place: Place, keep_s: float, at: Instant) -> Place:
    if place.trajectory.shot is None or at.since(place.seen) <= keep_s:
        return place
    return replace(place, trajectory=replace(place.trajectory, shot=None))
