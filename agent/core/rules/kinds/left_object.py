"""A thing that was left behind: it stands where nothing stood, and nobody who belongs to it is near.

What stands, the motion stage says (motion/standing.py); whose it is, the road users around it:

    it is a road user itself       a car that parked, somebody who waits: never told
    somebody stays near            he sits beside it, or put it down and still stands there: not told yet
    somebody passes by             does not count
    nobody, for `min_s`            told until it is taken away
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import dist
from typing import Literal

from pydantic import Field

from agent.core.geometry import as_array, iou
from agent.core.rules import trajectory as trajectories
from agent.core.rules import zones
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.lifecycle import Fact
from agent.core.rules.rule import BaseRule
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box, EventKind, Instant, Severity, StillRegion
from agent.settings.base import Name
from agent.translatable import tr

OWNERS = ("person", "bicycle", "motorcycle")
"""Who can have put a thing down and stay with it."""
STAYS_S = 8.0
"""Who is near for less only passes by: three seconds' stroll to both sides; less for a short `min_s`."""
SAME = 0.4
"""Overlap from which what stands is the road user that stands there."""
PART = 0.7
"""Share of what stands in the box of a road user that came to rest with it: it is a part of that one."""
TOGETHER_S = 8.0
"""A road user and what stands came to rest within so long of each other: the tracker and the picture differ."""
RESTS_S = 2.0
"""Who stands for less may be driving on."""


class LeftObjectRule(BaseRule):
    """A thing was left behind, or fell onto the road."""

    event = EventKind.OBJECT_LEFT
    meaning = tr("A thing is left behind in a zone, or falls onto the road.")
    kind: Literal["left_object"] = "left_object"
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: Name | None = Field(None, description="Only things that stand in this zone; none: the whole view.")
    min_s: float = Field(60.0, gt=0, description="How long it must stand with nobody near, in seconds.")
    near: float = Field(
        1.5, gt=0, le=10, description="Who is nearer than so many of his own heights is with it."
    )
    keep_s: float = Field(
        20.0, ge=0, description="Lost from sight near it, one is taken to be there for so long, in seconds."
    )
    min_area: float = Field(
        0.0004, ge=0, le=1, description="Things smaller than this share of the view do not count."
    )
    max_area: float = Field(0.05, gt=0, le=1, description="Nor do things larger than this.")


@dataclass(frozen=True, slots=True)
class Company:
    """Somebody near a thing."""

    since: Instant
    seen: Instant


@dataclass(frozen=True, slots=True)
class LeftThing:
    """What is remembered of one thing while it stands."""

    alone: Instant
    """Since when nobody is with it."""
    company: Mapping[str, Company] = field(default_factory=dict)
    """By id of the road user: who is near, or was lost there."""
    user: bool = False
    """It is a road user itself, or a part of one."""


@dataclass(frozen=True, slots=True)
class LeftThings:
    """What the rule remembers, by number of what stands."""

    known: Mapping[int, LeftThing] = field(default_factory=dict)


def evaluate(rule: LeftObjectRule, memory: LeftThings, context: RuleContext) -> tuple[LeftThings, Facts]:
    """Things stand with nobody near."""
    known: dict[int, LeftThing] = {}
    facts: list[Fact] = []
    for region in context.motion.standing:
        if not _counts(region.box, rule, context):
            continue
        before = memory.known.get(region.number, LeftThing(region.since))
        known[region.number] = thing = _looked(before, region, rule, context)
        fact = Fact(rule, rule.zone or "view", thing.alone, region=region.box, number=region.number)
        if not thing.user and (fact.key in context.open or context.at.since(thing.alone) >= rule.min_s):
            facts.append(fact)
    return LeftThings(known), tuple(facts)


def _counts(box: Box, rule: LeftObjectRule, context: RuleContext) -> bool:
    polygon = context.settings.zone(rule.zone).polygon if rule.zone else None
    return rule.min_area <= box.area <= rule.max_area and (polygon is None or zones.touches(box, polygon))


def _looked(before: LeftThing, region: StillRegion, rule: LeftObjectRule, context: RuleContext) -> LeftThing:
    """The thing after this frame."""
    users = [each for each in context.trajectories if not each.track.static_false_positive]
    if before.user or any(_is_user(region, each, context.at) for each in users):
        return LeftThing(context.at, user=True)
    stays_s = min(STAYS_S, rule.min_s / 2)
    company: dict[str, Company] = {}
    for each in users:
        if each.track.label in OWNERS and trajectories.alive(each) and _near(region.box, each, rule, context):
            since = before.company[each.object_id].since if each.object_id in before.company else context.at
            company[each.object_id] = Company(since, context.at)
    elsewhere = {each.object_id for each in users if trajectories.alive(each) or trajectories.has_left(each)}
    for object_id, one in before.company.items():
        lost = object_id not in elsewhere and context.at.since(one.seen) <= rule.keep_s
        if lost and one.seen.since(one.since) >= stays_s:
            company[object_id] = one
    stays = any(context.at.since(one.since) >= stays_s for one in company.values())
    return LeftThing(context.at if stays else before.alone, company)


def _is_user(region: StillRegion, each: Trajectory, at: Instant) -> bool:
    """Is what stands this road user, or a part of it?"""
    rests = each.rest.away.since is None and trajectories.still_s(each, at) >= RESTS_S
    if not rests or not trajectories.alive(each):
        return False
    if iou(as_array([region.box]), as_array([each.track.box]))[0, 0] >= SAME:
        return True
    together = abs(region.since.since(each.rest.since)) <= TOGETHER_S
    return together and _shared(region.box, each.track.box) >= PART


def _shared(thing: Box, box: Box) -> float:
    """The part of a thing that lies in a box."""
    wide = min(thing.right, box.right) - max(thing.left, box.left)
    high = min(thing.bottom, box.bottom) - max(thing.top, box.top)
    return max(0.0, wide) * max(0.0, high) / max(thing.area, 1e-9)


def _near(thing: Box, each: Trajectory, rule: LeftObjectRule, context: RuleContext) -> bool:
    """Does its foot stand within a few of its own heights of the thing's?"""
    foot, ground = zones.metric(each.track.box.foot, context.frame), zones.metric(thing.foot, context.frame)
    return dist(foot, ground) <= rule.near * each.track.box.height


KIND = Kind(rule=LeftObjectRule, memory=LeftThings, evaluate=evaluate)
