"""The life of events: from what holds now to messages that start, update and end.

A rule says in each frame what holds: its facts. This module compares them with the events that are open.

Invariants
1. A fact that is told starts one event, and the event ends once: when the fact is gone, or at `close`.
2. Revisions of an event go 1, 2, 3, … without a hole.
3. Only an event that was told starts a cooldown; one that was held back is counted, once.
4. What is remembered is bounded by what holds now, plus a few figures for each rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.core.ids import Ids
from agent.core.rules import schedule
from agent.core.rules import trajectory as journeys
from agent.core.rules.settings import BaseRule, RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import Box, EndReason, Event, Instant, ObjectState, Phase, Shot, Size

Key = tuple[str, str]
"""Rule id and subject: what an event is about."""

LARGER = 1.5
"""A region so many times as large as the one last told makes a better picture."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that holds in this frame."""

    rule: BaseRule
    subject: str
    """The road user, the zone, or the crossing that it is about."""
    since: Instant
    """When it began to hold."""
    journey: Trajectory | None = None
    region: Box | None = None
    direction: str | None = None
    tellable: bool = True
    """False for what may carry an event on but not start one."""

    @property
    def key(self) -> Key:
        """What its event is about."""
        return self.rule.id, self.subject


@dataclass(frozen=True, slots=True)
class Open:
    """An event that has started and not ended."""

    event: Event
    """The last message that was told."""
    fact: Fact
    """As it last held."""
    picture: float = 0.0
    """Quality of the best picture that was told."""
    picture_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Restraint:
    """What a rule remembers about what it told and held back."""

    told: Instant | None = None
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class OpenEvents:
    """Every event that is open, and what was held back."""

    open: Mapping[Key, Open] = field(default_factory=dict)
    held: frozenset[Key] = frozenset()
    """Facts that hold and were held back by a cooldown."""
    passed: frozenset[Key] = frozenset()
    """Facts of an instant that came outside the schedule: never told."""
    restraints: Mapping[str, Restraint] = field(default_factory=dict)
    """By rule id."""


def update(
    ledger: OpenEvents, facts: Sequence[Fact], moment: FrameContext, ids: Ids
) -> tuple[OpenEvents, Ids, tuple[Event, ...]]:
    """Compare what holds with what is open; returns what is to be told: by order of the facts, ends last."""
    opened = dict(ledger.open)
    held, passed = set(ledger.held), set(ledger.passed)
    restraints = dict(ledger.restraints)
    told: list[Event] = []
    for fact in facts:
        now = opened.get(fact.key)
        if now is None:
            verdict = _may_start(
                fact, moment, restraints.get(fact.rule.id, Restraint()), fact.key in held | passed
            )
            if verdict == "tell":
                restraint = restraints.get(fact.rule.id, Restraint())
                mine = 1 if fact.key in held else 0  # it was counted itself, and is told after all
                event_id, ids = ids.next(moment.at)
                now = _start(fact, moment, event_id, max(0, restraint.suppressed - mine))
                restraints[fact.rule.id] = Restraint(moment.at, 0)
                held.discard(fact.key)
                told.append(now.event)
            elif verdict == "hold" and fact.key not in held:
                held.add(fact.key)
                before = restraints.get(fact.rule.id, Restraint())
                restraints[fact.rule.id] = replace(before, suppressed=before.suppressed + 1)
            elif verdict == "pass":
                passed.add(fact.key)
        else:
            now = _continue(replace(now, fact=fact), moment)
            if now.event is not opened[fact.key].event:
                told.append(now.event)
        if now is not None:
            opened[fact.key] = now
    holding = {fact.key for fact in facts}
    for key in [key for key in opened if key not in holding]:
        told.append(_end(opened.pop(key), moment, None))
    after = OpenEvents(opened, frozenset(held & holding), frozenset(passed & holding), restraints)
    return after, ids, tuple(told)


def close(ledger: OpenEvents, at: Instant, reason: EndReason) -> tuple[OpenEvents, tuple[Event, ...]]:
    """End every event that is open; cooldowns go on."""
    ends = tuple(
        _end(each, FrameContext(at, each.event.frame or Size(1, 1), RuleSettings()), reason)
        for each in ledger.open.values()
    )
    return OpenEvents(restraints=ledger.restraints), ends


def _may_start(fact: Fact, moment: FrameContext, restraint: Restraint, refused: bool) -> str:
    """`tell` it; `hold` it back and count it; `pass` over it for good; or `wait`: not now, perhaps later."""
    rule = fact.rule
    if not fact.tellable or (refused and not rule.lasting):
        return "wait"
    if rule.wanted and fact.journey is not None and fact.journey.track.label not in rule.wanted:
        return "wait"  # the votes for the label may still turn
    if fact.journey is not None and fact.journey.track.static_false_positive:
        return "wait"  # until it moves, it is a thing of the place
    if not schedule.active(rule.schedule, moment.at, moment.settings.utc_offset_s):
        return "wait" if rule.lasting else "pass"
    if restraint.told is not None and moment.at.since(restraint.told) < rule.cooldown_s:
        return "hold"
    return "tell"


def _start(fact: Fact, moment: FrameContext, event_id: str, suppressed: int) -> Open:
    shot = fact.journey.shot if fact.journey else None
    event = Event(
        id=event_id,
        revision=1,
        kind=fact.rule.event,
        phase=Phase.START,
        severity=fact.rule.severity,
        at=moment.at,
        rule_id=fact.rule.id,
        rule_kind=getattr(fact.rule, "kind", ""),
        started=fact.since,
        frame=moment.frame,
        object=_object(fact),
        region=fact.region,
        direction=fact.direction,
        suppressed=suppressed,
        thumbnail=shot,
    )
    return Open(event, fact, shot.quality if shot else 0.0, shot.at if shot else None)


def _continue(now: Open, moment: FrameContext) -> Open:
    """Tell it again where there is something to tell: a change, a better picture, or a long silence."""
    quiet_s = moment.at.since(now.event.at)
    settings = moment.settings
    if quiet_s < settings.update_gap_s:
        return now
    better = _better_shot(now, settings.better_by)
    if not (better or _changed(now) or quiet_s >= settings.update_every_s):
        return now
    return _next(now, moment, Phase.UPDATE, better)


def _end(now: Open, moment: FrameContext, reason: EndReason | None) -> Event:
    journey = now.fact.journey
    why = reason or (journey.reason if journey and journey.reason else EndReason.LEFT)
    event = replace(_next(now, moment, Phase.END, _better_shot(now, 0.0)).event, end_reason=why)
    if reason is None or event.object is None or journey is None:
        return event
    return replace(event, object=replace(event.object, ended=journey.track.last_seen))


def _next(now: Open, moment: FrameContext, phase: Phase, shot: Shot | None) -> Open:
    event = replace(
        now.event,
        revision=now.event.revision + 1,
        phase=phase,
        at=moment.at,
        frame=moment.frame,
        object=_object(now.fact),
        region=now.fact.region,
        direction=now.fact.direction,
        suppressed=0,
        thumbnail=shot,
    )
    return Open(
        event,
        now.fact,
        shot.quality if shot else now.picture,
        shot.at if shot else now.picture_at,
    )


def _better_shot(now: Open, by: float) -> Shot | None:
    shot = now.fact.journey.shot if now.fact.journey else None
    if shot is None or shot.at == now.picture_at or shot.quality <= now.picture * (1 + by):
        return None
    return shot


def _changed(now: Open) -> bool:
    """Has what was last told become wrong: zones, rest, label, riders; or the region much larger?"""
    told, region = now.event.object, now.event.region
    if told is not None and now.fact.journey is not None:
        known = journeys.state(now.fact.journey)
        return _gist(known) != _gist(told)
    larger = now.fact.region
    return region is not None and larger is not None and larger.area > LARGER * region.area


def _gist(state: ObjectState) -> tuple[object, ...]:
    return state.label, state.riders, state.stationary, state.zones, state.entered_zones


def _object(fact: Fact) -> ObjectState | None:
    return journeys.state(fact.journey) if fact.journey else None


def latest(opened: Mapping[Key, Open], known: Iterable[Trajectory]) -> dict[Key, Open]:
    """The open events with the journeys as they are now, so that an end tells the last that was known."""
    by_subject = {each.subject: each for each in known}
    out: dict[Key, Open] = {}
    for key, each in opened.items():
        mine = each.fact.journey and by_subject.get(each.fact.journey.subject)
        out[key] = replace(each, fact=replace(each.fact, journey=mine)) if mine else each
    return out
