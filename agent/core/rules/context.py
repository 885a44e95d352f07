"""What the rules look at in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.rules import trajectory as trajectories
from agent.core.rules.lifecycle import Fact, Key
from agent.core.rules.rule import BaseRule, SharedRuleSettings
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box, Instant, Motion, Size, Track

Facts = tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What all rules look at.

    Road users that left are in it for the frame in which they went; lost ones stay for a while, because they
    may come back under another id: their facts hold on but start nothing.
    """

    at: Instant
    frame: Size
    motion: Motion
    trajectories: Sequence[Trajectory]
    """Confirmed ones, and lost ones that may come back."""
    open: frozenset[Key]
    """Events that are open."""
    settings: SharedRuleSettings
    looked: Sequence[Box] = ()
    """Where the detector looked in this frame."""
    tracks: Sequence[Track] = ()
    """All that the tracker follows, also what is not confirmed yet."""

    def inside(self, zone_id: str) -> list[Trajectory]:
        """The road users in a zone."""
        return [
            each
            for each in self.trajectories
            if trajectories.inside(each, zone_id) and not trajectories.has_left(each)
        ]


def fact_about(rule: BaseRule, trajectory: Trajectory, since: Instant | None) -> Fact:
    """That a rule holds of a road user: since then, or since it was first seen."""
    return Fact(
        rule,
        trajectory.object_id,
        since or trajectory.started,
        trajectory,
        may_start=trajectories.alive(trajectory),
    )
