"""What holds in a frame, rule by rule: one small function for each kind.

Each takes what its rule remembers and the view, and gives what it remembers next and its facts.
Road users that left are in the view for the frame in which they went; lost ones stay for a while, because they
may come back under another id: their facts hold on but start nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.core import journey as journeys
from agent.core import spell, zones
from agent.core.geometry import as_array, iou
from agent.core.journey import Journey
from agent.core.lifecycle import Fact, Key
from agent.core.rulebook import (
    BaseRule,
    CrowdRule,
    JudgeSettings,
    LineRule,
    LoiteringRule,
    MotionRule,
    ObjectRule,
    StoppedVehicleRule,
    WrongWayRule,
    ZoneRule,
)
from agent.core.spell import NEVER, Spell
from agent.core.types import Box, Count, EndReason, Instant, Motion, Size

SAME_PLACE = 0.5
"""Overlap from which two boxes are one vehicle that stands in one place."""
MOST_PLACES = 64


@dataclass(frozen=True, slots=True)
class View:
    """What all rules look at."""

    at: Instant
    frame: Size
    motion: Motion
    journeys: Sequence[Journey]
    """Confirmed ones, and lost ones that may come back."""
    open: frozenset[Key]
    """Events that are open."""
    settings: JudgeSettings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vehicle stands or stood."""

    subject: str
    """Of the event: it stays when the vehicle comes back under another id."""
    box: Box
    since: Instant
    seen: Instant
    journey: Journey
    told: bool = False
    free: bool = False
    """It was seen driving off, or so it looked: a passing vehicle can drag the track along."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one rule remembers between frames; each kind uses its part."""

    spell: Spell = NEVER
    region: Box | None = None
    tally: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(label, direction) -> crossings in the interval that is open."""
    interval: Instant | None = None
    """When that interval began."""
    interval_s: float = 0.0
    places: tuple[Place, ...] = ()


Facts = tuple[Fact, ...]


def motion(rule: MotionRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Something moves in the view or in a zone. While the scene is being learned, what was known stays."""
    polygon = view.settings.zone(rule.zone).polygon if rule.zone else None
    regions = [
        region
        for region in view.motion.regions
        if region.area >= rule.min_area and (polygon is None or zones.touches(region, polygon))
    ]
    now = memory.spell
    if not view.motion.settling:
        now = spell.update(
            now, view.at, bool(regions), rise_s=rule.min_s, fall_s=rule.quiet_s, gap_s=rule.gap_s
        )
    region = max(regions, key=lambda each: each.area) if regions else memory.region
    memory = replace(memory, spell=now, region=region)
    if not now.on or now.since is None:
        return memory, ()
    return memory, (Fact(rule, rule.zone or "view", now.since, region=region),)


def objects(rule: ObjectRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Road users live."""
    return memory, tuple(
        _about(rule, each, each.started)
        for each in view.journeys
        if not _has_left(each) and (rule.zone is None or rule.zone in each.entered)
    )


def zone(rule: ZoneRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Road users are in a zone."""
    return memory, tuple(_about(rule, each, each.stays[rule.zone].since) for each in _in(rule.zone, view))


def loitering(rule: LoiteringRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Road users have been in a zone for long."""
    return memory, tuple(
        _about(rule, each, since)
        for each in _in(rule.zone, view)
        if (since := each.stays[rule.zone].since) is not None and view.at.since(since) >= rule.min_stay_s
    )


def wrong_way(rule: WrongWayRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Vehicles go against a zone's direction."""
    return memory, tuple(
        _about(rule, each, each.stays[rule.zone].since)
        for each in _in(rule.zone, view)
        if rule.id in each.against and each.against[rule.id].wrong
    )


def line(rule: LineRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Road users went over a line a moment ago; those of this frame are counted."""
    tally = dict(memory.tally)
    facts: list[Fact] = []
    for each in view.journeys:
        for crossed in each.crossings:
            if crossed.rule_id != rule.id:
                continue
            new = view.at in (crossed.at, each.confirmed)
            if new and each.track.label in rule.labels:
                entry = each.track.label, crossed.direction
                tally[entry] = tally.get(entry, 0) + 1
            lingers = not _has_left(each) and view.at.since(crossed.at) < rule.linger_s
            if crossed.direction in rule.tell and (new or lingers):
                subject = f"{each.subject}/{crossed.number}"
                facts.append(
                    Fact(
                        rule,
                        subject,
                        crossed.at,
                        each,
                        direction=crossed.direction,
                        tellable=new or _alive(each),
                    )
                )
    return replace(memory, tally=tally), tuple(facts)


def crowd(rule: CrowdRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
    """Many are in a zone at once."""
    there = [each.track.box for each in _in(rule.zone, view) if each.track.label in rule.labels]
    many = len(there) >= rule.min_count
    now = spell.update(memory.spell, view.at, many, rise_s=rule.min_s, fall_s=rule.quiet_s, gap_s=rule.gap_s)
    region = _hull(there) if many else memory.region
    memory = replace(memory, spell=now, region=region)
    if not now.on or now.since is None:
        return memory, ()
    return memory, (Fact(rule, rule.zone, now.since, region=region),)


def stopped(rule: StoppedVehicleRule, memory: Memory, view: View) -> tuple[Memory, Facts]:
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
            place = place or Place(
                _unused(each.subject, places), each.track.box, each.rest.since, view.at, each
            )
            # Two cannot stand in one place: whatever was remembered there is over.
            places = [p for p in places if p.seen == view.at or not _same(p.box, each.track.box)]
            places = [p for p in places if p.subject != place.subject]
            places.append(replace(place, box=each.track.box, seen=view.at, journey=each, free=False))
        elif own and (_has_left(each) or each.rest.since > own.seen):
            places = [replace(p, free=True) if p.subject == own.subject else p for p in places]
    places = sorted(places, key=lambda p: p.seen)[-MOST_PLACES:]
    near = [p for p in places if not p.free and view.at.since(p.seen) <= rule.keep_s]
    facts = (Fact(rule, p.subject, p.since, p.journey, tellable=p.seen == view.at and not p.told) for p in near)
    return replace(memory, places=tuple(_lightened(p, rule, view) for p in places)), tuple(facts)


def _stands(each: Journey, rule: StoppedVehicleRule, view: View) -> bool:
    if not (_alive(each) and journeys.inside(each, rule.zone) and each.track.label in rule.labels):
        return False
    if each.rest.away.since is not None:
        return False  # covered or driving off: the next second will tell
    came = each.stays[rule.zone].since or view.at  # it may have stood before the zone and driven in
    return min(journeys.still_s(each, view.at), view.at.since(came)) >= rule.min_s


def _returns(each: Journey, place: Place, rule: StoppedVehicleRule, view: View) -> bool:
    """Is this the vehicle that stood in the place before?"""
    if place.seen == view.at or not _same(place.box, each.track.box):
        return False
    if _same(place.box, each.born) or place.journey.subject == each.subject:
        return True
    # It came driving. But if nobody was seen to drive off since, a passing track took over the parked car.
    return not place.free and each.rest.since.since(place.seen) <= rule.keep_s


def _unused(subject: str, places: Sequence[Place]) -> str:
    """A name for the next stop of a vehicle; its earlier ones are remembered by other names."""
    stops = sum(place.subject.split("@")[0] == subject for place in places)
    return f"{subject}@{stops}" if stops else subject


def _lightened(place: Place, rule: StoppedVehicleRule, view: View) -> Place:
    """Without its picture once the event is over: it would be kept for hours."""
    if place.journey.shot is None or view.at.since(place.seen) <= rule.keep_s:
        return place
    return replace(place, journey=replace(place.journey, shot=None))


def _same(a: Box, b: Box) -> bool:
    return bool(iou(as_array([a]), as_array([b]))[0, 0] >= SAME_PLACE)


def _in(name: str, view: View) -> list[Journey]:
    return [each for each in view.journeys if journeys.inside(each, name) and not _has_left(each)]


def _alive(each: Journey) -> bool:
    return each.gone is None


def _has_left(each: Journey) -> bool:
    return each.reason is EndReason.LEFT


def _about(rule: BaseRule, each: Journey, since: Instant | None) -> Fact:
    return Fact(rule, each.subject, since or each.started, each, tellable=_alive(each))


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def close_interval(rule: LineRule, memory: Memory, at: Instant) -> tuple[Memory, tuple[Count, ...]]:
    """Close the counting interval if its time is up, empty ones too: that nobody came is news.

    The first interval is shorter, so that the next ones begin at round times of the wall clock as it was then.
    """
    if rule.count_every_s == 0:
        return replace(memory, tally={}), ()
    if memory.interval is None:
        to_round_s = rule.count_every_s - at.wall_s % rule.count_every_s
        return replace(memory, interval=at, interval_s=to_round_s), ()
    if at.since(memory.interval) < memory.interval_s:
        return memory, ()
    count = cut_interval(rule, memory, at)
    # Frames do not come at the round moment; what is over is taken off the next interval, or they would drift.
    over_s = (at.since(memory.interval) - memory.interval_s) % rule.count_every_s
    return replace(memory, tally={}, interval=at, interval_s=rule.count_every_s - over_s), count


def cut_interval(rule: LineRule, memory: Memory, at: Instant) -> tuple[Count, ...]:
    """The interval so far, if there is one."""
    if memory.interval is None:
        return ()
    counts: dict[str, dict[str, int]] = {}
    for (label, direction), number in sorted(memory.tally.items()):
        counts.setdefault(label, {})[direction] = number
    return (Count(rule.id, memory.interval, at, counts),)
