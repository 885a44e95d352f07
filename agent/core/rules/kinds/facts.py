"""What holds in a frame, rule by rule: one small function for each kind.

Each takes what its rule remembers and the view, and gives what it remembers next and its facts.
Road users that left are in the view for the frame in which they went; lost ones stay for a while, because they
may come back under another id: their facts hold on but start nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.core import debounce
from agent.core.rules import reassociation, zones
from agent.core.rules import trajectory as journeys
from agent.core.rules.context import Facts, RuleContext, RuleMemory
from agent.core.rules.lifecycle import Fact
from agent.core.rules.settings import (
    BaseRule,
    CrowdRule,
    LineRule,
    MotionRule,
    ObjectRule,
    WrongWayRule,
    ZoneRule,
)
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import Box, Count, Instant


def motion(rule: MotionRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Something moves in the view or in a zone. While the scene is being learned, what was known stays."""
    polygon = view.settings.zone(rule.zone).polygon if rule.zone else None
    regions = [
        region
        for region in view.motion.regions
        if region.area >= rule.min_area and (polygon is None or zones.touches(region, polygon))
    ]
    now = memory.spell
    if not view.motion.settling:
        now = debounce.update(
            now, view.at, bool(regions), rise_s=rule.min_s, fall_s=rule.quiet_s, gap_s=rule.gap_s
        )
    region = max(regions, key=lambda each: each.area) if regions else memory.region
    memory = replace(memory, spell=now, region=region)
    if not now.on or now.since is None:
        return memory, ()
    return memory, (Fact(rule, rule.zone or "view", now.since, region=region),)


def objects(rule: ObjectRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Road users live."""
    return memory, tuple(
        _about(rule, each, each.started)
        for each in view.journeys
        if not journeys.has_left(each) and (rule.zone is None or rule.zone in each.entered)
    )


def zone(rule: ZoneRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Road users are in a zone."""
    return memory, tuple(_about(rule, each, each.stays[rule.zone].since) for each in _in(rule.zone, view))


def wrong_way(rule: WrongWayRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Vehicles go against a zone's direction.

    A track that lies where one was told a moment ago who is out of sight now is his double, or he himself.
    """
    wrong = [each for each in _in(rule.zone, view) if rule.id in each.against and each.against[rule.id].wrong]
    told = [each for each in wrong if (rule.id, each.subject) in view.open and not each.track.seen]
    moment = FrameContext(view.at, view.frame, view.settings)
    facts = []
    for each in wrong:
        fact = _about(rule, each, each.stays[rule.zone].since)
        others = [other for other in told if other is not each]
        again = fact.key not in view.open and reassociation.nearest(others, each.track, moment) is not None
        facts.append(replace(fact, tellable=False) if again else fact)
    return memory, tuple(facts)


def line(rule: LineRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Road users went over a line a moment ago; those of this frame are counted."""
    tally = dict(memory.tally)
    facts: list[Fact] = []
    for each in view.journeys:
        for crossed in each.crossings:
            if crossed.rule_id != rule.id:
                continue
            new = view.at in (crossed.told, each.confirmed)
            if new and each.track.label in rule.labels:
                entry = each.track.label, crossed.direction
                tally[entry] = tally.get(entry, 0) + 1
            lingers = not journeys.has_left(each) and view.at.since(crossed.told) < rule.linger_s
            if crossed.direction in rule.tell and (new or lingers):
                subject = f"{each.subject}/{crossed.number}"
                facts.append(
                    Fact(
                        rule,
                        subject,
                        crossed.at,
                        each,
                        direction=crossed.direction,
                        tellable=new or journeys.alive(each),
                    )
                )
    return replace(memory, tally=tally), tuple(facts)


def crowd(rule: CrowdRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """Many are in a zone at once."""
    there = [
        each.track.box
        for each in _in(rule.zone, view)
        if each.track.label in rule.labels and not each.track.static_false_positive
    ]
    many = len(there) >= rule.min_count
    now = debounce.update(memory.spell, view.at, many, rise_s=rule.min_s, fall_s=rule.quiet_s, gap_s=rule.gap_s)
    region = _hull(there) if many else memory.region
    memory = replace(memory, spell=now, region=region)
    if not now.on or now.since is None:
        return memory, ()
    return memory, (Fact(rule, rule.zone, now.since, region=region),)


def _in(name: str, view: RuleContext) -> list[Trajectory]:
    return [each for each in view.journeys if journeys.inside(each, name) and not journeys.has_left(each)]


def _about(rule: BaseRule, each: Trajectory, since: Instant | None) -> Fact:
    return Fact(rule, each.subject, since or each.started, each, tellable=journeys.alive(each))


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def close_interval(rule: LineRule, memory: RuleMemory, at: Instant) -> tuple[RuleMemory, tuple[Count, ...]]:
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


def cut_interval(rule: LineRule, memory: RuleMemory, at: Instant) -> tuple[Count, ...]:
    """The interval so far, if there is one."""
    if memory.interval is None:
        return ()
    counts: dict[str, dict[str, int]] = {}
    for (label, direction), number in sorted(memory.tally.items()):
        counts.setdefault(label, {})[direction] = number
    return (Count(rule.id, memory.interval, at, counts),)
