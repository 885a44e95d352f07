"""Vehicles that stand where none may stand: told once for each stop, however badly the tracker sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.core.geometry import as_array, iou
from agent.core.rules import trajectory as journeys
from agent.core.rules.context import Facts, RuleContext, RuleMemory, StandingPlace
from agent.core.rules.lifecycle import Fact
from agent.core.rules.settings import StoppedVehicleRule
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box

SAME_PLACE = 0.5
"""Overlap from which two boxes are one vehicle that stands in one place."""
MOST_PLACES = 64


def stopped(rule: StoppedVehicleRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Vehicles stand in a zone.

    A vehicle that the tracker lost and finds again in the same place is the same one: its event goes on, or,
    if that has ended, is not told again. What tells it from another vehicle that parks there later is that the
    other one comes driving, and so is born elsewhere.
    """
    places = [replace(p, told=p.told or (rule.id, p.subject) in view.open) for p in memory.places]
    places = [p for p in places if view.at.since(p.seen) <= max(rule.keep_s, rule.remember_s if p.told else 0)]
    for each in view.journeys:
        own = next((p for p in places if p.journey.subject == each.subject and not p.free), None)
        if _stands(each, rule, view):
            place = own or next((p for p in places if _returns(each, p, rule, view)), None)
            place = place or StandingPlace(
                unused(each.subject, places), each.track.box, each.rest.since, view.at, each
            )
            # Two cannot stand in one place: whatever was remembered there is over.
            places = [p for p in places if p.seen == view.at or not _same(p.box, each.track.box)]
            places = [p for p in places if p.subject != place.subject]
            places.append(replace(place, box=each.track.box, seen=view.at, journey=each, free=False))
        elif own and (journeys.has_left(each) or each.rest.since > own.seen):
            places = [replace(p, free=True) if p.subject == own.subject else p for p in places]
    places = sorted(places, key=lambda p: p.seen)[-MOST_PLACES:]
    near = [p for p in places if not p.free and view.at.since(p.seen) <= rule.keep_s]
    facts = (Fact(rule, p.subject, p.since, p.journey, tellable=p.seen == view.at and not p.told) for p in near)
    return replace(memory, places=tuple(lightened(p, rule.keep_s, view) for p in places)), tuple(facts)


def _stands(each: Trajectory, rule: StoppedVehicleRule, view: RuleContext) -> bool:
    if not (journeys.alive(each) and journeys.inside(each, rule.zone) and each.track.label in rule.labels):
        return False
    if each.rest.away.since is not None:
        return False  # covered or driving off: the next second will tell
    came = each.stays[rule.zone].since or view.at  # it may have stood before the zone and driven in
    return min(journeys.still_s(each, view.at), view.at.since(came)) >= rule.min_s


def _returns(each: Trajectory, place: StandingPlace, rule: StoppedVehicleRule, view: RuleContext) -> bool:
    """Is this the vehicle that stood in the place before?"""
    if place.seen == view.at or not _same(place.box, each.track.box):
        return False
    if place.journey.subject == each.subject:  # dragged along by another and back again, or moved up a little
        return not journeys.has_moved(place.journey.rest.box, each.rest.box, view.frame)
    if _same(place.box, each.born):
        return True
    # It came driving. But if nobody was seen to drive off since, a passing track took over the parked car.
    return not place.free and each.rest.since.since(place.seen) <= rule.keep_s


def unused(subject: str, places: Sequence[StandingPlace]) -> str:
    """A name for what begins now at a place: earlier ones of the same road user keep theirs."""
    before = sum(place.subject.split("@")[0] == subject for place in places)
    return f"{subject}@{before}" if before else subject


def lightened(place: StandingPlace, keep_s: float, view: RuleContext) -> StandingPlace:
    """Without its picture once the event is over: it would be kept for hours."""
    if place.journey.shot is None or view.at.since(place.seen) <= keep_s:
        return place
    return replace(place, journey=replace(place.journey, shot=None))


def _same(a: Box, b: Box) -> bool:
    return bool(iou(as_array([a]), as_array([b]))[0, 0] >= SAME_PLACE)
