"""Something moves, known or not: an event for each thing that does."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.core.rules import movers, zones
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.lifecycle import Fact
from agent.core.rules.movers import Lasting, Movers
from agent.core.rules.rule import BaseRule
from agent.core.types import EventKind
from agent.settings.base import Name
from agent.translatable import tr


class MotionRule(BaseRule):
    """Something moves, known or not: the rule that needs no detector."""

    event = EventKind.MOTION
    meaning = tr("Something moves, known or not.")
    needs_detector = False
    kind: Literal["motion"] = "motion"
    zone: Name | None = Field(None, description="Only where this zone is touched; none: the whole view.")
    min_s: float = Field(1.0, ge=0, description="How long it must move, in seconds.")
    stay_s: float = Field(
        4.0,
        ge=0,
        description="The same for what goes nowhere, such as a branch that begins to swing, in seconds.",
    )
    gap_s: float = Field(0.6, ge=0, description="Rests up to this long do not interrupt that, in seconds.")
    quiet_s: float = Field(5.0, ge=0, description="Over after so long without motion, in seconds.")
    min_area: float = Field(
        0.0002, ge=0, le=1, description="Regions smaller than this share of the view do not count."
    )
    max_events: int = Field(
        8,
        ge=1,
        le=64,
        description="At most so many events are open at once: each thing that moves has its own.",
    )


def evaluate(rule: MotionRule, memory: Movers, context: RuleContext) -> tuple[Movers, Facts]:
    """What moves in the view or in a zone. While the scene is being learned, what was known stays."""
    polygon = context.settings.zone(rule.zone).polygon if rule.zone else None
    if not context.motion.settling:
        regions = [
            region
            for region in context.motion.regions
            if region.area >= rule.min_area and (polygon is None or zones.touches(region, polygon))
        ]
        lasting = Lasting(rule.min_s, max(rule.min_s, rule.stay_s), rule.gap_s, rule.quiet_s)
        memory = movers.follow(memory, regions, context.at, context.frame, lasting)
    return memory, _told(rule, memory, context)


def _told(rule: MotionRule, memory: Movers, context: RuleContext) -> Facts:
    """Those that moved long enough; what is told already goes first, then the oldest, `max_events` at most."""
    about = rule.zone or "view"
    facts = [
        Fact(rule, about, mover.lasts.since, region=mover.region, number=mover.number)
        for mover in memory.known
        if mover.lasts.on and mover.lasts.since is not None
    ]
    facts.sort(key=lambda fact: fact.key not in context.open)
    return tuple(facts[: rule.max_events])


KIND = Kind(rule=MotionRule, memory=Movers, evaluate=evaluate, default=MotionRule(id="motion"))
