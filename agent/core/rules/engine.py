"""What happened: tracks and motion in, events and counts out.

The stage works in three steps, each in a module of its own:

    tracks ──▶ journey   what each road user has been through: zones, lines, rests
           ──▶ facts     what holds now, rule by rule
           ──▶ lifecycle which of it is told: start, update, end; schedule, cooldown

So a rule is one small function that says what holds; starts, ends and revisions come out right by themselves.
`zones`, `crossing`, `spell` and `schedule` are what these steps are made of; `rulebook` holds the settings.

Tracks that are not confirmed are followed but never told: once confirmed, what they did before counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch

from agent.core.ids import Ids
from agent.core.rules import lifecycle, reassociation
from agent.core.rules import trajectory as journeys
from agent.core.rules.context import Facts, RuleContext, RuleMemory
from agent.core.rules.kinds import facts, loitering, stopped_vehicle
from agent.core.rules.lifecycle import OpenEvents
from agent.core.rules.reassociation import Links, PendingLink
from agent.core.rules.schedule import TimeWindow
from agent.core.rules.settings import (
    BaseRule,
    CrowdRule,
    LineRule,
    LoiteringRule,
    MotionRule,
    ObjectRule,
    Rule,
    RuleSettings,
    StoppedVehicleRule,
    WrongWayRule,
    ZoneRule,
)
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.rules.zones import Anchor, Zone
from agent.core.types import Count, EndReason, Event, Instant, Motion, Shot, Size, Track

__all__ = [
    "Anchor",
    "CrowdRule",
    "LineRule",
    "LoiteringRule",
    "MotionRule",
    "ObjectRule",
    "Rule",
    "RuleInput",
    "RuleSettings",
    "RulesState",
    "StoppedVehicleRule",
    "TimeWindow",
    "WrongWayRule",
    "Zone",
    "ZoneRule",
    "close",
    "update",
]


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


@dataclass(frozen=True, slots=True)
class RulesState:
    """What the stage remembers. Its mappings are never changed, only replaced."""

    journeys: Mapping[str, Trajectory] = field(default_factory=dict)
    """By id of the track; living ones only."""
    ghosts: tuple[Trajectory, ...] = ()
    """Lost ones that may come back under a new id."""
    claims: Mapping[str, PendingLink] = field(default_factory=dict)
    """By id of a new track: whose journey it may go on with."""
    memories: Mapping[str, RuleMemory] = field(default_factory=dict)
    """By rule id."""
    ledger: OpenEvents = field(default_factory=OpenEvents)


def update(
    state: RulesState | None, scene: RuleInput, ids: Ids, settings: RuleSettings
) -> tuple[RulesState, Ids, tuple[Event | Count, ...]]:
    """Fold one frame in; returns the messages in the order in which they are to be told."""
    state = state or RulesState()
    moment = FrameContext(scene.at, scene.frame, settings)
    heritage, living, gone = _follow(state, scene, moment)
    everyone = [each for each in (*living.values(), *gone, *heritage.ghosts) if each.confirmed]
    opened = lifecycle.latest(state.ledger.open, everyone)
    view = RuleContext(scene.at, scene.frame, scene.motion, everyone, frozenset(opened), settings)
    memories: dict[str, RuleMemory] = {}
    holding: list[lifecycle.Fact] = []
    counts: list[Count] = []
    for rule in settings.rules:
        memory, found = judge(rule, state.memories.get(rule.id, RuleMemory()), view)
        holding.extend(found)
        if isinstance(rule, LineRule):
            memory, count = facts.close_interval(rule, memory, scene.at)
            counts.extend(count)
        memories[rule.id] = memory
    ledger, ids, events = lifecycle.update(replace(state.ledger, open=opened), holding, moment, ids)
    lost = tuple(each for each in gone if each.reason is EndReason.LOST and each.confirmed)
    ghosts = (*heritage.ghosts, *lost)
    return RulesState(living, ghosts, heritage.claims, memories, ledger), ids, (*events, *counts)


def close(
    state: RulesState | None, at: Instant, reason: EndReason, settings: RuleSettings
) -> tuple[RulesState, tuple[Event | Count, ...]]:
    """End all open events and counting intervals: the camera was lost, or the agent stops.

    Tracks are forgotten; cooldowns and the places of parked vehicles are not.
    """
    state = state or RulesState()
    ledger, ends = lifecycle.close(state.ledger, at, reason)
    memories: dict[str, RuleMemory] = {}
    counts: list[Count] = []
    for rule in settings.rules:
        memory = state.memories.get(rule.id, RuleMemory())
        if isinstance(rule, LineRule):
            counts.extend(facts.cut_interval(rule, memory, at))
        memories[rule.id] = RuleMemory(places=memory.places)
    return RulesState(memories=memories, ledger=ledger), (*ends, *counts)


def _follow(
    state: RulesState, scene: RuleInput, moment: FrameContext
) -> tuple[Links, dict[str, Trajectory], list[Trajectory]]:
    """Bring every journey up to this frame: who inherits, those that go on, and those that ended in it."""
    heritage = reassociation.decide(state.journeys, state.ghosts, state.claims, scene.tracks, moment)
    living: dict[str, Trajectory] = {}
    gone: list[Trajectory] = []
    for track in scene.tracks:
        before = heritage.taken.get(track.id) or state.journeys.get(track.id)
        if track.id in heritage.given or (before is None and not track.seen):
            continue  # another track goes on with its journey; seen again, it begins one of its own
        shot = scene.shots.get(track.id)
        claim = heritage.claims.get(track.id)
        if claim is not None:
            heritage.claims[track.id] = reassociation.followed(claim, track, shot, moment)
        # Who lays claim to a journey is told when it is known which one he has.
        shown = track if claim is None else replace(track, confirmed=False)
        now = journeys.update(before, shown, shot, moment)
        if before is None:
            now = replace(now, subject=_unused(track.id, state.journeys))
        if now.gone:
            gone.append(now)
        else:
            living[track.id] = now
    told = heritage.given.union(track.id for track in scene.tracks)
    gone.extend(journeys.vanish(each, moment) for name, each in state.journeys.items() if name not in told)
    return heritage, living, gone


def _unused(track_id: str, known: Mapping[str, Trajectory]) -> str:
    """A name for a new journey: its track's id, or, where that one goes on elsewhere, the id of who took it."""
    return next((name for name, each in known.items() if each.subject == track_id), track_id)


@singledispatch
def judge(rule: BaseRule, memory: RuleMemory, view: RuleContext) -> tuple[RuleMemory, Facts]:
    """What holds by this rule; one function of `facts` for each kind."""
    raise TypeError(f"no judge for a rule of kind {type(rule).__name__}")


judge.register(MotionRule, facts.motion)
judge.register(ObjectRule, facts.objects)
judge.register(ZoneRule, facts.zone)
judge.register(LineRule, facts.line)
judge.register(LoiteringRule, loitering.loitering)
judge.register(StoppedVehicleRule, stopped_vehicle.stopped)
judge.register(WrongWayRule, facts.wrong_way)
judge.register(CrowdRule, facts.crowd)
