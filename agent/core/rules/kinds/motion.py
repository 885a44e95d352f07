"""Something moves, known or not: an event for each thing that nobody explains, and one for all the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from agent.core.rules import movers, zones
from agent.core.rules import trajectory as trajectories
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.lifecycle import Fact
from agent.core.rules.movers import Lasting, Mover, MoverInput, Movers
from agent.core.rules.rule import BaseRule
from agent.core.types import Box, EventKind, Instant
from agent.settings.base import Name
from agent.translatable import tr

_WINDOW_S = 600.0
"""Events of their own are counted over so long: a burst may pass, a whole evening may not."""


class MotionRule(BaseRule):
    """Something moves, known or not: the rule that needs no detector."""

    event = EventKind.MOTION
    meaning = tr("Something moves, known or not.")
    needs_detector = False
    kind: Literal["motion"] = "motion"
    zone: Name | None = Field(None, description="Only where this zone is touched; none: the whole view.")
    min_s: float = Field(1.0, ge=0, description="How long it must move, in seconds.")
    stay_s: float = Field(
        6.0,
        ge=0,
        description="The same for what goes nowhere, such as a branch that begins to swing, in seconds.",
    )
    gap_s: float = Field(0.6, ge=0, description="Rests up to this long do not interrupt that, in seconds.")
    quiet_s: float = Field(5.0, ge=0, description="Over after so long without motion, in seconds.")
    min_area: float = Field(
        0.0002, ge=0, le=1, description="Regions smaller than this share of the view do not count."
    )
    own_events: int = Field(
        20,
        ge=0,
        le=600,
        description="So many things that move have an event of their own, at most in ten minutes and at once; "
        "all others, and road users that are followed, share one.",
    )


@dataclass(frozen=True, slots=True)
class Moving:
    """What the rule remembers."""

    movers: Movers = field(default_factory=Movers)
    own: tuple[tuple[int, Instant], ...] = ()
    """Movers by number that have an event of their own, and since when; so long as they count as one."""


def evaluate(rule: MotionRule, memory: Moving, context: RuleContext) -> tuple[Moving, Facts]:
    """What moves in the view or in a zone. While the scene is being learned, what was known stays."""
    if not context.motion.settling:
        lasting = Lasting(rule.min_s, max(rule.min_s, rule.stay_s), rule.gap_s, rule.quiet_s)
        # As a pole that stands still would show them: else whoever goes slowly goes to and fro with a pole.
        x, y = context.motion.shift
        regions = [region.moved(-x, -y) for region in _regions(rule, context)]
        users = [user.moved(-x, -y) for user in _users(context)]
        seen = MoverInput(context.at, context.frame, regions, users)
        known = movers.follow(memory.movers, seen, lasting)
        memory = Moving(known, _own(rule, memory, known))
    return memory, _facts(rule, memory, context.motion.shift)


def _regions(rule: MotionRule, context: RuleContext) -> list[Box]:
    polygon = context.settings.zone(rule.zone).polygon if rule.zone else None
    return [
        region
        for region in context.motion.regions
        if region.area >= rule.min_area and (polygon is None or zones.touches(region, polygon))
    ]


def _users(context: RuleContext) -> list[Box]:
    """Where road users are that may be what moves; who stands may stand behind it."""
    tracks = [each.track for each in context.trajectories if trajectories.alive(each)]
    return [each.box for each in tracks if not (each.stationary or each.static_false_positive)]


def _own(rule: MotionRule, memory: Moving, known: Movers) -> tuple[tuple[int, Instant], ...]:
    """Who has an event of its own after this frame: those that had, and new ones as far as there is room."""
    at, living = known.at, {each.number for each in known.known}
    if at is None:
        return ()
    own = [(number, since) for number, since in memory.own if number in living or at.since(since) < _WINDOW_S]
    names = {number for number, _ in own}
    for mover in known.known:
        room = len(own) < rule.own_events
        if room and mover.lasts.on and not mover.followed and mover.number not in names:
            own.append((mover.number, at))
    return tuple(own)


def _facts(rule: MotionRule, memory: Moving, shift: tuple[float, float]) -> Facts:
    about, names = rule.zone or "view", {number for number, _ in memory.own}
    facts: list[Fact] = []
    others: list[tuple[Instant, Mover]] = []
    for mover in memory.movers.known:
        since = mover.lasts.since
        if not mover.lasts.on or since is None:
            continue
        if mover.number in names:
            facts.append(Fact(rule, about, since, region=_shown(mover.region, shift), number=mover.number))
        else:
            others.append((since, mover))
    if others:
        since = min((since for since, _ in others), key=lambda each: each.mono_s)
        region = max((mover.region for _, mover in others), key=lambda each: each.area)
        facts.append(Fact(rule, about, since, region=_shown(region, shift)))
    return tuple(facts)


def _shown(region: Box, shift: tuple[float, float]) -> Box:
    """Where the frame shows what a pole that stands still would show there; at its border if it does not."""
    if shift == (0.0, 0.0):
        return region
    there = region.moved(*shift)
    inside = Box(*(min(1.0, max(0.0, side)) for side in (there.left, there.top, there.right, there.bottom)))
    return inside if inside.area > 0 else region


KIND = Kind(rule=MotionRule, memory=Moving, evaluate=evaluate, default=MotionRule(id="motion"))
