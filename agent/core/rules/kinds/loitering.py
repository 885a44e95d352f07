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

from agent.core.rules import reassociation, zones
from agent.core.rules import trajectory as journeys
from agent.core.rules.context import Facts, RuleContext, RuleMemory, StandingPlace
from agent.core.rules.kinds.stopped_vehicle import lightened, unused
from agent.core.rules.lifecycle import Fact
from agent.core.rules.settings import LoiteringRule
from agent.core.rules.trajectory import Trajectory

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
MOST_PLACES = 64


def loitering(rule: LoiteringRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """People have been in a zone for long."""
    here = [each for each in view.journeys if _is_here(each, rule)]
    own, lost = _known(rule, memory, here, view)
    places: list[StandingPlace] = []
    for each in sorted(here, key=lambda one: not one.track.seen):
        place = own.pop(each.subject, None) or _begun(each, (*places, *lost, *own.values()), rule, view)
        if each.track.seen and place.free and not place.told:
            hidden = [own[one.subject] for one in here if _hidden(one, view) and one.subject in own]
            gone_on = _nearest(place, each, [*lost, *hidden], view)
            lost = [p for p in lost if p is not gone_on]
            own = {subject: p for subject, p in own.items() if p is not gone_on}
            place = gone_on or place
        places.append(replace(place, seen=view.at, journey=each, box=each.track.box))
    places = sorted((*lost, *places), key=lambda p: p.seen.mono_s)[-MOST_PLACES:]
    facts = tuple(
        Fact(rule, p.subject, p.since, p.journey, tellable=p.seen == view.at and not p.told)
        for p in places
        if p.seen.since(p.since) >= rule.min_stay_s and view.at.since(p.seen) <= rule.keep_s
    )
    return replace(memory, places=tuple(lightened(p, rule.keep_s, view) for p in places)), facts


def _known(
    rule: LoiteringRule, memory: RuleMemory, here: Sequence[Trajectory], view: RuleContext
) -> tuple[dict[str, StandingPlace], list[StandingPlace]]:
    """The stays that are remembered: of those who are here, by subject, and of those who were lost inside."""
    known = [replace(p, told=p.told or (rule.id, p.subject) in view.open) for p in memory.places]
    known = [p for p in known if view.at.since(p.seen) <= _memory_s(p, rule)]
    inside = {each.subject for each in here}
    out = {each.subject for each in view.journeys if journeys.has_left(each) or journeys.alive(each)} - inside
    own = {p.journey.subject: p for p in known if p.journey.subject in inside}
    return own, [p for p in known if p.journey.subject not in out and p is not own.get(p.journey.subject)]


def _begun(
    each: Trajectory, places: Sequence[StandingPlace], rule: LoiteringRule, view: RuleContext
) -> StandingPlace:
    """A stay of its own; `free` to go on with one that was lost if its track began inside."""
    since = each.stays[rule.zone].since or view.at
    inside = since.since(each.started) <= BORN_S
    # A track that lost its stay to another has none of its own to go on with.
    since = since if view.at.since(since) <= LEARNED_S else view.at
    return StandingPlace(unused(each.subject, places), each.track.box, since, view.at, each, free=inside)


def _memory_s(place: StandingPlace, rule: LoiteringRule) -> float:
    return max(rule.keep_s, rule.remember_s if place.told else 0.0)


def _is_here(each: Trajectory, rule: LoiteringRule) -> bool:
    return journeys.alive(each) and journeys.inside(each, rule.zone)


def _hidden(each: Trajectory, view: RuleContext) -> bool:
    return view.at.since(each.track.last_seen) >= HIDDEN_S


def _nearest(
    own: StandingPlace, each: Trajectory, places: Sequence[StandingPlace], view: RuleContext
) -> StandingPlace | None:
    """The stay that it goes on with: the nearest in reach of those that are older than its own."""
    best, nearest = None, 1.0
    for place in places:
        if own.since.since(place.since) <= 0 or reassociation.family(
            place.journey.track.label
        ) != reassociation.family(each.track.label):
            continue
        size = max(zones.size_of(place.box, view.frame), zones.size_of(each.track.box, view.frame))
        unseen_s = view.at.since(place.journey.track.last_seen)
        reach = min(NEAR + STROLL * unseen_s, FARTHEST) * size
        a, b = zones.metric(place.box.foot, view.frame), zones.metric(each.track.box.foot, view.frame)
        off = dist(a, b) / max(reach, 1e-6)
        if off < nearest:
            best, nearest = place, off
    return best
