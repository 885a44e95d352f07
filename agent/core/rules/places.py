"""Where somebody stands or stays: told once for each stop, however often the tracker loses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

from agent.core.geometry import as_array, containment, iou
from agent.core.rules.context import RuleContext
from agent.core.rules.lifecycle import Fact, Key
from agent.core.rules.rule import BaseRule
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box, Instant, Track

MOST_PLACES = 64
FOUND_OF = 30
"""Looks that the share of finds is made of."""
VACANT = 8.0
"""A place is vacant when so many finds were to be expected and none came: by chance once in 3,000 (e^-8)."""
VACANT_STEP_S = 1.0
"""One look in so long counts: what hides somebody from one, light or rain, hides him from the next as well."""
OVERLAPS = 0.3
"""Whoever lies on a place by this may be who stands there (IoU)."""
PASSES = 0.15
"""Its longer sides a second: who is faster does not stand there."""
COVERS = 0.1
"""Whoever lies over this share of it may hide who stands there."""


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
    found: float = 1.0
    """Share of the looks at it that found who stands there."""
    vacant: float = 0.0
    """Looks that found nobody there since, in finds that were to be expected of them."""
    counted: Instant | None = None
    """When the last of these was."""

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


def looked_at(place: Place, context: RuleContext) -> Place:
    """The place after one frame: how well who stands there is found, or how surely nobody does."""
    corners = as_array([place.box])
    if not context.looked or containment(corners, as_array(context.looked)).max() < 1 - COVERS:
        return place
    own = next((t for t in context.tracks if t.id == place.trajectory.track.id and not t.ended), None)
    if own is not None and not place.free:
        return replace(place, found=place.found + (own.seen - place.found) / FOUND_OF, vacant=0.0)
    others = as_array([track.box for track in context.tracks if not track.ended])
    if len(others) and containment(corners, others).max() >= COVERS:
        stand = [track.box for track in context.tracks if not track.ended and not _moves(track)]
        at_home = bool(stand) and iou(corners, as_array(stand)).max() >= OVERLAPS
        return replace(place, vacant=0.0) if at_home else place
    if place.counted is not None and context.at.since(place.counted) < VACANT_STEP_S:
        return place
    return replace(place, vacant=place.vacant + place.found, counted=context.at)


def _moves(track: Track) -> bool:
    return hypot(*track.velocity) > PASSES * max(track.box.width, track.box.height)


def is_vacant(place: Place) -> bool:
    """Was who stood there seen to drive off, and is the place empty since?"""
    return place.free and place.vacant >= VACANT


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
