"""What the rules look at in a frame, and what each remembers between frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.core.debounce import NEVER, Debounce
from agent.core.rules.lifecycle import Fact, Key
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import Trajectory
from agent.core.types import Box, Instant, Motion, Size

Facts = tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What all rules look at."""

    at: Instant
    frame: Size
    motion: Motion
    journeys: Sequence[Trajectory]
    """Confirmed ones, and lost ones that may come back."""
    open: frozenset[Key]
    """Events that are open."""
    settings: RuleSettings


@dataclass(frozen=True, slots=True)
class StandingPlace:
    """Where a vehicle stands or stood."""

    subject: str
    """Of the event: it stays when the vehicle comes back under another id."""
    box: Box
    since: Instant
    seen: Instant
    journey: Trajectory
    told: bool = False
    free: bool = False
    """It was seen driving off, or so it looked: a passing vehicle can drag the track along."""


@dataclass(frozen=True, slots=True)
class RuleMemory:
    """What one rule remembers between frames; each kind uses its part."""

    spell: Debounce = NEVER
    region: Box | None = None
    tally: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(label, direction) -> crossings in the interval that is open."""
    interval: Instant | None = None
    """When that interval began."""
    interval_s: float = 0.0
    places: tuple[StandingPlace, ...] = ()
