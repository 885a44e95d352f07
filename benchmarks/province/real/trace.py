"""What a program did, as it noted it (traced.py), by the clock that never steps and is the same to a sender."""

from __future__ import annotations

from dataclasses import dataclass, field

Name = tuple[str, str, str, int]
"""Commune, device, stream and seq of a message."""


@dataclass(frozen=True, slots=True)
class TracedBatch:
    """One batch."""

    began_s: float
    ended_s: float
    cpu_s: float
    names: tuple[Name | None, ...]
    """Of each message; None: it has no number."""


@dataclass(slots=True)
class Trace:
    """What a program did, in the order in which it did it."""

    batches: list[TracedBatch] = field(default_factory=list)
    heard_s: dict[Name, float] = field(default_factory=dict)
    """When each was read the first time."""
    quiet: list[tuple[float, float]] = field(default_factory=list)
    """When a wait began, and how long it lasted."""
    attend: list[tuple[float, float]] = field(default_factory=list)
