"""The life of each road user."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.core.rules import trajectory as trajectories
from agent.core.rules.context import Facts, RuleContext, fact_about
from agent.core.rules.kind import Kind, nothing
from agent.core.rules.rule import TrackRule
from agent.core.types import EventKind
from agent.settings.base import Name
from agent.translatable import tr


class ObjectRule(TrackRule):
    """The life of each road user."""

    event = EventKind.OBJECT
    meaning = tr("A road user is seen.")
    kind: Literal["object"] = "object"
    zone: Name | None = Field(None, description="Only those that have been in this zone; none: all.")


def evaluate(rule: ObjectRule, memory: None, context: RuleContext) -> tuple[None, Facts]:
    """Road users live."""
    return memory, tuple(
        fact_about(rule, each, each.started)
        for each in context.trajectories
        if not trajectories.has_left(each) and (rule.zone is None or rule.zone in each.entered)
    )


KIND = Kind(rule=ObjectRule, memory=nothing, evaluate=evaluate, default=ObjectRule(id="objects"))
