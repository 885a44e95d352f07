"""Many people in a zone at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from agent.core import debounce
from agent.core.debounce import NEVER, Debounce
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.kind import Kind
from agent.core.rules.lifecycle import Fact
from agent.core.rules.rule import PERSONS, Labels, TrackRule
from agent.core.types import Box, EventKind, Severity
from agent.settings.base import Name
from agent.translatable import tr


class CrowdRule(TrackRule):
    """Many people are in a zone at once."""

    event = EventKind.CROWD
    meaning = tr("Many people are in a zone at once.")
    kind: Literal["crowd"] = "crowd"
    labels: Labels = Field(PERSONS, description="Labels that are counted.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: Name = Field(description=tr("The zone."))
    min_count: int = Field(8, ge=2, le=500, description="So many make a crowd.")
    min_s: float = Field(20.0, ge=0, description="How long they must be there, in seconds.")
    gap_s: float = Field(
        3.0, ge=0, description="Fewer for up to this long does not interrupt that, in seconds."
    )
    quiet_s: float = Field(15.0, ge=0, description="Over after so long with fewer, in seconds.")


@dataclass(frozen=True, slots=True)
class Gathering:
    """What the rule remembers."""

    lasts: Debounce = NEVER
    region: Box | None = None
    """Around all of them, when they were last enough."""


def evaluate(rule: CrowdRule, memory: Gathering, context: RuleContext) -> tuple[Gathering, Facts]:
    """Many are in a zone at once."""
    there = [
        each.track.box
        for each in context.inside(rule.zone)
        if each.track.label in rule.labels and not each.track.static_false_positive
    ]
    many = len(there) >= rule.min_count
    lasts = debounce.update(
        memory.lasts, context.at, many, rise_s=rule.min_s, fall_s=rule.quiet_s, gap_s=rule.gap_s
    )
    memory = Gathering(lasts, _hull(there) if many else memory.region)
    if not lasts.on or lasts.since is None:
        return memory, ()
    return memory, (Fact(rule, rule.zone, lasts.since, region=memory.region),)


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


KIND = Kind(rule=CrowdRule, memory=Gathering, evaluate=evaluate)
