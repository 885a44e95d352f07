"""What happened: tracks and motion in, events and counts out.

The stage works in three steps, each in a module of its own:

    tracks ──▶ trajectory  what each road user has been through: zones, rests, path, and what the rules measure
           ──▶ facts       what holds now, rule by rule
           ──▶ lifecycle   which of it becomes an event: start, update, end; schedule, cooldown

So a rule is one small function that says what holds; starts, ends and revisions come out right by themselves.
A rule's kind lies in a module of its own in `kinds`, and the stage knows it by what it declares (kind.py).

Tracks that are not confirmed are followed, but no event is about them: once confirmed, what they did before
counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent.core.ids import Ids
from agent.core.rules import lifecycle, reassociation
from agent.core.rules import trajectory as trajectories
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.lifecycle import OpenEvents
from agent.core.rules.reassociation import Links, PendingLink
from agent.core.rules.registry import kind_of
from agent.core.rules.rule import BaseRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Measure, Trajectory
from agent.core.types import Box, Count, EndReason, Event, Instant, Motion, Shot, Size, Track


@dataclass(frozen=True, slots=True)
class RuleInput:
    """What is known about one frame."""

    at: Instant
    frame: Size
    motion: Motion
    tracks: tuple[Track, ...]
    """All living tracks, and with `ended` those that the tracker gives up with this frame."""
    shots: Mapping[str, Shot] = field(default_factory=dict)
    """By track id: the pictures that this frame made better (`shots.update`)."""
    looked: tuple[Box, ...] = ()
    """Where the detector looked."""


@dataclass(frozen=True, slots=True)
class RulesState:
    """What the stage remembers. Its mappings are never changed, only replaced."""

    trajectories: Mapping[str, Trajectory] = field(default_factory=dict)
    """By id of the track; living ones only."""
    lost: tuple[Trajectory, ...] = ()
    """Those that may come back under a new id."""
    pending: Mapping[str, PendingLink] = field(default_factory=dict)
    """By id of a new track: whose trajectory it may go on with."""
    memories: Mapping[str, Any] = field(default_factory=dict)
    """By rule id: what each rule remembers, a value of its kind."""
    events: OpenEvents = field(default_factory=OpenEvents)


def update(
    state: RulesState | None, given: RuleInput, ids: Ids, settings: RuleSettings
) -> tuple[RulesState, Ids, tuple[Event | Count, ...]]:
    """Fold one frame in; returns the messages in the order in which they are to be sent."""
    state = state or RulesState()
    context = FrameContext(given.at, given.frame, settings, _measures(settings.rules))
    links, living, gone = _follow(state, given, context)
    everyone = [each for each in (*living.values(), *gone, *links.lost) if each.confirmed]
    opened = frozenset(state.events.open)
    seen = RuleContext(
        given.at, given.frame, given.motion, everyone, opened, settings, given.looked, given.tracks
    )
    memories: dict[str, Any] = {}
    facts: list[lifecycle.Fact] = []
    counts: list[Count] = []
    for rule in settings.rules:
        memory, holding = evaluate(rule, _memory(state, rule), seen)
        facts.extend(holding)
        if counter := kind_of(rule).counter:
            memory, over = counter.turn(rule, memory, given.at)
            counts.extend(over)
        memories[rule.id] = memory
    now_open, ids, events = lifecycle.update(state.events, facts, context, ids, everyone)
    lost = tuple(each for each in gone if each.reason is EndReason.LOST and each.confirmed)
    after = RulesState(living, (*links.lost, *lost), links.pending, memories, now_open)
    return after, ids, (*events, *counts)


def evaluate(rule: BaseRule, memory: Any, context: RuleContext) -> tuple[Any, Facts]:
    """What the rule remembers next, and what holds by it in this frame."""
    return kind_of(rule).evaluate(rule, memory, context)


def cut(state: RulesState | None, rules: Iterable[BaseRule], at: Instant) -> tuple[Count, ...]:
    """The counting intervals of these rules as they are now: nobody counts on with them."""
    counters = ((rule, kind_of(rule).counter) for rule in rules if state is not None)
    return tuple(count for rule, each in counters if each for count in each.cut(rule, _memory(state, rule), at))


def close(
    state: RulesState | None, at: Instant, reason: EndReason, settings: RuleSettings
) -> tuple[RulesState, tuple[Event | Count, ...]]:
    """End all open events and counting intervals: the camera was lost, or the agent stops.

    Tracks are forgotten; cooldowns go on, and so does what a kind of rule keeps, such as parked vehicles.
    """
    state = state or RulesState()
    events, ends = lifecycle.close(state.events, at, reason)
    memories: dict[str, Any] = {}
    for rule in settings.rules:
        if kept := kind_of(rule).kept:
            memories[rule.id] = kept(_memory(state, rule))
    return RulesState(memories=memories, events=events), (*ends, *cut(state, settings.rules, at))


def _memory(state: RulesState | None, rule: BaseRule) -> Any:
    known = state.memories if state else {}
    return known[rule.id] if rule.id in known else kind_of(rule).memory()


def _measures(rules: Iterable[BaseRule]) -> dict[str, Measure]:
    kinds = ((rule, kind_of(rule).measure) for rule in rules)
    return {rule.id: measure(rule) for rule, measure in kinds if measure is not None}


def _follow(
    state: RulesState, given: RuleInput, context: FrameContext
) -> tuple[Links, dict[str, Trajectory], list[Trajectory]]:
    """Bring every trajectory up to this frame: the links, those that go on, and those that ended in it."""
    links = reassociation.decide(state.trajectories, state.lost, state.pending, given.tracks, context)
    living: dict[str, Trajectory] = {}
    gone: list[Trajectory] = []
    for track in given.tracks:
        before = links.taken.get(track.id) or state.trajectories.get(track.id)
        if track.id in links.given or (before is None and not track.seen):
            continue  # another track goes on with its trajectory; seen again, it begins one of its own
        shot = given.shots.get(track.id)
        link = links.pending.get(track.id)
        if link is not None:
            links.pending[track.id] = reassociation.followed(link, track, shot, context)
        # No event is about one whose link is pending, until it is known which trajectory it has.
        shown = track if link is None else replace(track, confirmed=False)
        now = trajectories.update(before, shown, shot, context)
        if before is None:
            now = replace(now, object_id=_unused(track.id, state.trajectories))
        if now.gone:
            gone.append(now)
        else:
            living[track.id] = now
    here = links.given.union(track.id for track in given.tracks)
    gone.extend(
        trajectories.vanish(each, context)
        for track_id, each in state.trajectories.items()
        if track_id not in here
    )
    return links, living, gone


def _unused(track_id: str, known: Mapping[str, Trajectory]) -> str:
    """An object's id: its track's, or, where that one goes on elsewhere, that of the track which took it."""
    return next((name for name, each in known.items() if each.object_id == track_id), track_id)
