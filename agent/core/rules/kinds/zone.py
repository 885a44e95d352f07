"""Road users that enter a zone."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.core.rules.context import Facts, RuleContext, fact_about
from agent.core.rules.kind import Kind, nothing
from agent.core.rules.rule import TrackRule
from agent.core.types import EventKind
from agent.settings.base import Name
from agent.translatable import tr


class ZoneRule(TrackRule):
    """A road user enters a zone; the event ends when it leaves."""

    event = EventKind.ZONE_ENTERED
    meaning = tr("A road user enters a zone.")
    kind: Literal["zone"] = "zone"
    zone: Name = Field(description=tr("The zone."))


def evaluate(rule: ZoneRule, memory: None, context: RuleContext) -> tuple[None, Facts]:
    """Road users are in a zone."""
    return memory, tuple(
        fact_about(rule, each, each.stays[rule.zone].since) for each in context.inside(rule.zone)
    )


KIND = Kind(rule=ZoneRule, memory=nothing, evaluate=evaluate)
