"""Vehicles that stand where none may stand: told once for each stop, however badly the tracker sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from agent.core.geometry import as_array, iou
from agent.core.rules import places as standing
from agent.core.rules import trajectory as trajectories
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.places import MOST_PLACES, Place, Places
from agent.core.rules.rule import VEHICLES, Labels, TrackRule
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box, EventKind, Severity
from agent.settings.base import Name
from agent.translatable import tr

SAME_PLACE = 0.5
"""Overlap from which two vehicles cannot both stand: one place has one."""
SAME_VEHICLE = 0.75
"""Overlap of usual boxes from which it is the one that stood there. On the simulated junction others who stop
in a place that one has left have 0.57 to 0.94; a car that is found again, or dragged along and back, has 0.93
to 0.99. It is no higher, for a real detector's boxes change more from day to night than the simulated ones."""
SETTLES_S = 30.0
"""A place's box follows who stands there so slowly: who passes before him may have his track for a while."""
LONGEST_STEP_S = 1.0
"""So much of it at most in one look, also after none for long."""


class StoppedVehicleRule(TrackRule):
    """A vehicle stands where none may stand."""

    event = EventKind.STOPPED_VEHICLE
    meaning = tr("A vehicle stands in a zone.")
    kind: Literal["stopped_vehicle"] = "stopped_vehicle"
    labels: Labels = Field(VEHICLES, description="Labels of the model that the rule looks at.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: Name = Field(description=tr("The zone."))
    min_s: float = Field(60.0, gt=0, description="How long it must stand, in seconds.")
    keep_s: float = Field(
        60.0, ge=0, description="Out of sight, it is taken to stand on for so long, in seconds."
    )
    remember_s: float = Field(
        43_200.0, ge=0, description="Told once, it is not told again for so long unless it moves."
    )


def evaluate(rule: StoppedVehicleRule, memory: Places, context: RuleContext) -> tuple[Places, Facts]:
    """Vehicles stand in a zone.

    A vehicle that the tracker lost and finds again in the same place is the same one: its event goes on, or,
    if that has ended, is not told again. What tells it from another vehicle that parks there later is that the
    other one comes driving, and so is born elsewhere.
    """
    at = context.at
    remembered = [standing.looked_at(p, context) for p in standing.remembered(memory, rule, context)]
    places = [
        p
        for p in remembered
        if at.since(p.seen) <= max(rule.keep_s, rule.remember_s if p.reported else 0)
        and not standing.is_vacant(p)
    ]
    for each in context.trajectories:
        own = next((p for p in places if p.trajectory.object_id == each.object_id and not p.free), None)
        if _stands(each, rule, context):
            place = own or next((p for p in places if _returns(each, p, rule, context)), None)
            number = standing.next_number(each.object_id, places)
            place = place or Place(each.object_id, number, each.rest.box, each.rest.since, at, each)
            # Two cannot stand in one place: whatever was remembered there is over.
            places = [p for p in places if p.seen == at or not _same(p.box, each.track.box)]
            places = [p for p in places if p.stop != place.stop]
            box = _settled(place.box, each.track.box, at.since(place.seen)) if each.track.seen else place.box
            places.append(replace(place, box=box, seen=at, trajectory=each, free=False))
        elif own and (trajectories.has_left(each) or each.rest.since > own.seen):
            places = [replace(p, free=True) if p.stop == own.stop else p for p in places]
    places = sorted(places, key=lambda p: p.seen)[-MOST_PLACES:]
    near = [p for p in places if not p.free and at.since(p.seen) <= rule.keep_s]
    facts = tuple(standing.fact(rule, p, at) for p in near)
    return standing.lightened(places, rule.keep_s, at), facts


def _stands(each: Trajectory, rule: StoppedVehicleRule, context: RuleContext) -> bool:
    if not (
        trajectories.alive(each) and trajectories.inside(each, rule.zone) and each.track.label in rule.labels
    ):
        return False
    if each.rest.away.since is not None:
        return False  # covered or driving off: the next second will tell
    came = each.stays[rule.zone].since or context.at  # it may have stood before the zone and driven in
    return min(trajectories.still_s(each, context.at), context.at.since(came)) >= rule.min_s


def _returns(each: Trajectory, place: Place, rule: StoppedVehicleRule, context: RuleContext) -> bool:
    """Is this the vehicle that stood in the place before?"""
    if place.seen == context.at or not _same(place.box, each.track.box):
        return False
    is_own = place.trajectory.object_id == each.object_id  # dragged along and back again, or it moved up
    if is_own or _same(place.box, each.born):
        return _same(place.box, each.rest.box, SAME_VEHICLE)
    # It came driving. But if nobody was seen to drive off since, a passing track took over the parked car.
    return not place.free and each.rest.since.since(place.seen) <= rule.keep_s


def _settled(usual: Box, now: Box, passed_s: float) -> Box:
    return usual.towards(now, min(passed_s, LONGEST_STEP_S) / SETTLES_S)


def _same(a: Box, b: Box, least: float = SAME_PLACE) -> bool:
    return bool(iou(as_array([a]), as_array([b]))[0, 0] >= least)


def kept(memory: Places) -> Places:
    """Parked vehicles stand on while nobody looks."""
    return memory


KIND = Kind(rule=StoppedVehicleRule, memory=Places, evaluate=evaluate, kept=kept)
