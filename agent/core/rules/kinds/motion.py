"""Something moves, known or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from agent.core import debounce
from agent.core.debounce import NEVER, Debounce
from agent.core.rules import zones
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.lifecycle import Fact
from agent.core.rules.rule import BaseRule
from agent.core.types import Box, EventKind
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
    gap_s: float = Field(0.6, ge=0, description="Rests up to this long do not interrupt that, in seconds.")
    quiet_s: float = Field(5.0, ge=0, description="Over after so long without motion, in seconds.")
    min_area: float = Field(
        0.0002, ge=0, le=1, description="Regions smaller than this share of the view do not count."
    )


@dataclass(frozen=True, slots=True)
class Moving:
    """What the rule remembers."""

    lasts: Debounce = NEVER
    region: Box | None = None
    """The largest of the last frame in which something moved."""


def evaluate(rule: MotionRule, memory: Moving, context: RuleContext) -> tuple[Moving, Facts]:
    """Something moves in the view or in a zone. While the scene is being learned, what was known stays."""
    polygon = context.settings.zone(rule.zone).polygon if rule.zone else None
    regions = [
        region
        for region in context.motion.regions
        if region.area >= rule.min_area and (polygon is None or zones.touches(region, polygon))
    ]
    lasts = memory.lasts
    if not context.motion.settling:
        lasts = debounce.update(
            lasts, context.at, bool(regions), rise_s=rule.min_s, fall_s=rule.quiet_s, gap_s=rule.gap_s
        )
    region = max(regions, key=lambda each: each.area) if regions else memory.region
    memory = Moving(lasts, region)
    if not lasts.on or lasts.since is None:
        return memory, ()
    return memory, (Fact(rule, rule.zone or "view", lasts.since, region=region),)


KIND = Kind(rule=MotionRule, memory=Moving, evaluate=evaluate, default=MotionRule(id="motion"))
