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
from enum import Enum, auto
from typing import NamedTuple

from agent.core.ids import Ids
from agent.core.rules import schedule
from agent.core.rules import trajectory as trajectories
from agent.core.rules.rule import BaseRule
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import Box, EndReason, Event, Instant, ObjectState, Phase, Shot, Size

LARGER = 1.5
"""A region so many times as large as the one last told makes a better picture."""


class Key(NamedTuple):
    """What an event is about: at most one event of a key is open."""

    rule_id: str
    about: str
    """The road user by its id, the zone by its name, or the view."""
    number: int = 0
    """Which one, where a road user makes several: its crossing, stop or stay."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that holds in this frame."""

    rule: BaseRule
    about: str
    """The road user by its id, the zone by its name, or the view."""
    since: Instant
    """When it began to hold."""
    trajectory: Trajectory | None = None
    region: Box | None = None
    direction: str | None = None
    number: int = 0
    """Which one, where a road user makes several: its crossing, stop or stay."""
    may_start: bool = True
    """False for what may carry an event on but not start one."""

    @property
    def key(self) -> Key:
        """What its event is about."""
        return Key(self.rule.id, self.about, self.number)


@dataclass(frozen=True, slots=True)
class Open:
    """An event that has started and not ended."""

    event: Event
    """The last message about it."""
    fact: Fact
    """As it last held."""
    picture: float = 0.0
    """Quality of the best picture that was sent with it."""
    picture_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Cooldown:
    """What a rule remembers about what it started and held back."""

    started: Instant | None = None
    """When it last started an event."""
    suppressed: int = 0
    """Held back since then."""


@dataclass(frozen=True, slots=True)
class OpenEvents:
    """Every event that is open, and what was held back."""

    open: Mapping[Key, Open] = field(default_factory=dict)
    held_back: frozenset[Key] = frozenset()
    """Facts that hold and were held back by a cooldown."""
    skipped: frozenset[Key] = frozenset()
    """Facts of an instant that came outside the schedule: they never start an event."""
    cooldowns: Mapping[str, Cooldown] = field(default_factory=dict)
    """By rule id."""


class Verdict(Enum):
    """What becomes of a fact that has no event."""

    START = auto()
    HOLD_BACK = auto()
    """By the cooldown: it is counted."""
    SKIP = auto()
    """For good."""
    WAIT = auto()
    """Not now, perhaps later."""


def update(
    before: OpenEvents,
    facts: Sequence[Fact],
    context: FrameContext,
    ids: Ids,
    known: Sequence[Trajectory] = (),
) -> tuple[OpenEvents, Ids, tuple[Event, ...]]:
    """Compare what holds with what is open; returns the messages: by order of the facts, ends last.

    `known` are the trajectories as they are now: an end tells the last that is known of its road user.
    """
    opened = dict(before.open)
    held_back, skipped = set(before.held_back), set(before.skipped)
    cooldowns = dict(before.cooldowns)
    events: list[Event] = []
    for fact in facts:
        key, rule_id = fact.key, fact.rule.id
        if key in opened:
            was = opened[key]
            now = _continue(Open(was.event, fact, was.picture, was.picture_at), context)
            if now.event is not was.event:
                events.append(now.event)
            opened[key] = now
            continue
        cooldown = cooldowns.get(rule_id, Cooldown())
        verdict = _verdict(fact, context, cooldown, key in held_back or key in skipped)
        if verdict is Verdict.START:
            mine = 1 if key in held_back else 0  # it was counted itself, and starts after all
            event_id, ids = ids.next(context.at)
            opened[key] = _start(fact, context, event_id, max(0, cooldown.suppressed - mine))
            cooldowns[rule_id] = Cooldown(context.at, 0)
            held_back.discard(key)
            events.append(opened[key].event)
        elif verdict is Verdict.HOLD_BACK and key not in held_back:
            held_back.add(key)
            cooldowns[rule_id] = replace(cooldown, suppressed=cooldown.suppressed + 1)
        elif verdict is Verdict.SKIP:
            skipped.add(key)
    holding = {fact.key for fact in facts}
    for key in [key for key in opened if key not in holding]:
        events.append(_end(_latest(opened.pop(key), known), context.at, context.frame, None))
    after = OpenEvents(opened, frozenset(held_back & holding), frozenset(skipped & holding), cooldowns)
    return after, ids, tuple(events)


def close(before: OpenEvents, at: Instant, reason: EndReason) -> tuple[OpenEvents, tuple[Event, ...]]:
    """End every event that is open; cooldowns go on."""
    ends = tuple(_end(each, at, each.event.frame or Size(1, 1), reason) for each in before.open.values())
    return OpenEvents(cooldowns=before.cooldowns), ends


def _verdict(fact: Fact, context: FrameContext, cooldown: Cooldown, refused: bool) -> Verdict:
    rule, track = fact.rule, fact.trajectory.track if fact.trajectory else None
    if not fact.may_start or (refused and not rule.lasting):
        return Verdict.WAIT
    if track is not None and rule.wanted and track.label not in rule.wanted:
        return Verdict.WAIT  # the votes for the label may still turn
    if track is not None and track.static_false_positive:
        return Verdict.WAIT  # until it moves, it is a thing of the place
    if not schedule.active(rule.schedule, context.at, context.settings.utc_offset_s):
        return Verdict.WAIT if rule.lasting else Verdict.SKIP
    if cooldown.started is not None and context.at.since(cooldown.started) < rule.cooldown_s:
        return Verdict.HOLD_BACK
    return Verdict.START


def _start(fact: Fact, context: FrameContext, event_id: str, suppressed: int) -> Open:
    shot = fact.trajectory.shot if fact.trajectory else None
    event = Event(
        id=event_id,
        revision=1,
        kind=fact.rule.event,
        phase=Phase.START,
        severity=fact.rule.severity,
        at=context.at,
        rule_id=fact.rule.id,
        rule_kind=fact.rule.kind_name(),
        started=fact.since,
        frame=context.frame,
        object=_object(fact),
        region=fact.region,
        direction=fact.direction,
        suppressed=suppressed,
        thumbnail=shot,
    )
    return Open(event, fact, shot.quality if shot else 0.0, shot.at if shot else None)


def _continue(now: Open, context: FrameContext) -> Open:
    """Tell it again where there is something to tell: a change, a better picture, or a long silence."""
    quiet_s = context.at.since(now.event.at)
    settings = context.settings
    if quiet_s < settings.update_gap_s:
        return now
    better = _better_shot(now, settings.better_by)
    if not (better or _changed(now) or quiet_s >= settings.update_every_s):
        return now
    return _next(now, context.at, context.frame, Phase.UPDATE, better)


def _end(now: Open, at: Instant, frame: Size, reason: EndReason | None) -> Event:
    trajectory = now.fact.trajectory
    why = reason or (trajectory.reason if trajectory and trajectory.reason else EndReason.LEFT)
    event = replace(_next(now, at, frame, Phase.END, _better_shot(now, 0.0)).event, end_reason=why)
    if reason is None or event.object is None or trajectory is None:
        return event
    return replace(event, object=replace(event.object, ended=trajectory.track.last_seen))


def _next(now: Open, at: Instant, frame: Size, phase: Phase, shot: Shot | None) -> Open:
    event = replace(
        now.event,
        revision=now.event.revision + 1,
        phase=phase,
        at=at,
        frame=frame,
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
    shot = now.fact.trajectory.shot if now.fact.trajectory else None
    if shot is None or shot.at == now.picture_at or shot.quality <= now.picture * (1 + by):
        return None
    return shot


def _changed(now: Open) -> bool:
    """Has what was last told become wrong: zones, rest, label, riders; or the region much larger?"""
    sent, region = now.event.object, now.event.region
    if sent is not None and now.fact.trajectory is not None:
        return _gist(trajectories.state(now.fact.trajectory)) != _gist(sent)
    larger = now.fact.region
    return region is not None and larger is not None and larger.area > LARGER * region.area


def _gist(state: ObjectState) -> tuple[object, ...]:
    return state.label, state.riders, state.stationary, state.zones, state.entered_zones


def _object(fact: Fact) -> ObjectState | None:
    return trajectories.state(fact.trajectory) if fact.trajectory else None


def _latest(now: Open, known: Iterable[Trajectory]) -> Open:
    """The open event with its trajectory as it is now."""
    before = now.fact.trajectory
    mine = next((each for each in known if before is not None and each.object_id == before.object_id), None)
    return replace(now, fact=replace(now.fact, trajectory=mine)) if mine else now
