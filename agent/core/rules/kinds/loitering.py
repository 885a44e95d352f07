"""People who stay where none should: told once for each stay, however often the tracker loses them.

People who stand together hide each other, and their tracks end and begin anew. Nobody comes out of the ground
in the middle of a square: a track that begins inside a zone goes on with the stay of whoever was lost there, if
it can be that one by kind and distance; that is asked until it is told. Who walks in over the edge begins a
stay of his own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import dist
from typing import Literal

from pydantic import Field

from agent.core.rules import places as standing
from agent.core.rules import reassociation, zones
from agent.core.rules import trajectory as trajectories
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.places import MOST_PLACES, Place, Places
from agent.core.rules.rule import PERSONS, Labels, TrackRule
from agent.core.rules.trajectory import Trajectory
from agent.core.types import EventKind, Severity
from agent.settings.base import Name
from agent.translatable import tr

NEAR = 1.5
"""Who was lost is found again within so many box sizes,"""
STROLL = 1.0
"""and so many more for each second: one who walks makes one and a half."""
FARTHEST = 4.0
HIDDEN_S = 0.5
"""Whoever is unseen for so long may have another track by now."""
BORN_S = 1.0
"""Who was inside so soon after its track began did not come over the edge."""
LEARNED_S = 5.0
"""Nobody is unconfirmed for longer; older times in the zone belong to the stay that another track has now."""


class LoiteringRule(TrackRule):
    """Someone stays in a zone."""

    event = EventKind.LOITERING
    meaning = tr("Somebody stays in a zone for long.")
    kind: Literal["loitering"] = "loitering"
    labels: Labels = Field(PERSONS, description="Labels of the model that the rule looks at.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: Name = Field(description=tr("The zone."))
    min_stay_s: float = Field(60.0, ge=0, description="How long someone must stay, in seconds.")
    keep_s: float = Field(
        60.0, ge=0, description="Out of sight, one is taken to stay on for so long, in seconds."
    )
    remember_s: float = Field(
        600.0, ge=0, description="Told once, one who is found again inside is not told for so long, in seconds."
    )


def evaluate(rule: LoiteringRule, memory: Places, context: RuleContext) -> tuple[Places, Facts]:
    """People have been in a zone for long."""
    here = [each for each in context.trajectories if _is_here(each, rule)]
    own, lost = _known(rule, memory, here, context)
    places: list[Place] = []
    for each in sorted(here, key=lambda one: not one.track.seen):
        place = own.pop(each.object_id, None) or _begun(each, (*places, *lost, *own.values()), rule, context)
        if each.track.seen and place.free and not place.reported:
            hidden = [own[one.object_id] for one in here if _hidden(one, context) and one.object_id in own]
            gone_on = _nearest(place, each, [*lost, *hidden], context)
            lost = [p for p in lost if p is not gone_on]
            own = {object_id: p for object_id, p in own.items() if p is not gone_on}
            place = gone_on or place
        places.append(replace(place, seen=context.at, trajectory=each, box=each.track.box))
    places = sorted((*lost, *places), key=lambda p: p.seen.mono_s)[-MOST_PLACES:]
    facts = tuple(
        standing.fact(rule, p, context.at)
        for p in places
        if p.seen.since(p.since) >= rule.min_stay_s and context.at.since(p.seen) <= rule.keep_s
    )
    return standing.lightened(places, rule.keep_s, context.at), facts


def _known(
    rule: LoiteringRule, memory: Places, here: Sequence[Trajectory], context: RuleContext
) -> tuple[dict[str, Place], list[Place]]:
    """The stays that are remembered: of those who are here, by id, and of those who were lost inside."""
    known = [
        p for p in standing.remembered(memory, rule, context) if context.at.since(p.seen) <= _memory_s(p, rule)
    ]
    inside = {each.object_id for each in here}
    out = {
        each.object_id
        for each in context.trajectories
        if trajectories.has_left(each) or trajectories.alive(each)
    } - inside
    own = {p.trajectory.object_id: p for p in known if p.trajectory.object_id in inside}
    return own, [
        p for p in known if p.trajectory.object_id not in out and p is not own.get(p.trajectory.object_id)
    ]


def _begun(each: Trajectory, places: Sequence[Place], rule: LoiteringRule, context: RuleContext) -> Place:
    """A stay of its own; `free` to go on with one that was lost if its track began inside."""
    since = each.stays[rule.zone].since or context.at
    inside = since.since(each.started) <= BORN_S
    # A track that lost its stay to another has none of its own to go on with.
    since = since if context.at.since(since) <= LEARNED_S else context.at
    number = standing.next_number(each.object_id, places)
    return Place(each.object_id, number, each.track.box, since, context.at, each, free=inside)


def _memory_s(place: Place, rule: LoiteringRule) -> float:
    return max(rule.keep_s, rule.remember_s if place.reported else 0.0)


def _is_here(each: Trajectory, rule: LoiteringRule) -> bool:
    return trajectories.alive(each) and trajectories.inside(each, rule.zone)


def _hidden(each: Trajectory, context: RuleContext) -> bool:
    return context.at.since(each.track.last_seen) >= HIDDEN_S


def _nearest(own: Place, each: Trajectory, places: Sequence[Place], context: RuleContext) -> Place | None:
    """The stay that it goes on with: the nearest in reach of those that are older than its own."""
    best, nearest = None, 1.0
    for place in places:
        if own.since.since(place.since) <= 0 or reassociation.family(
            place.trajectory.track.label
        ) != reassociation.family(each.track.label):
            continue
        size = max(zones.size_of(place.box, context.frame), zones.size_of(each.track.box, context.frame))
        unseen_s = context.at.since(place.trajectory.track.last_seen)
        reach = min(NEAR + STROLL * unseen_s, FARTHEST) * size
        a, b = zones.metric(place.box.foot, context.frame), zones.metric(each.track.box.foot, context.frame)
        off = dist(a, b) / max(reach, 1e-6)
        if off < nearest:
            best, nearest = place, off
    return best


KIND = Kind(rule=LoiteringRule, memory=Places, evaluate=evaluate)
