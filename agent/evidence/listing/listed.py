"""A segment as the index lists it, and what lies between two: nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GAP_S: Final = 0.5
"""Pictures so far apart are no gap: a camera's network holds some back now and then."""


@dataclass(frozen=True, slots=True)
class ListedSegment:
    """A segment as the index knows it."""

    number: int
    boot: str
    start_mono_ms: int
    start_wall_ms: int
    clock: str
    wall_ms: int
    """Of its start, corrected."""
    duration_ms: int
    bytes: int
    before: str
    camera: str
    added: int
    """Counts all segments of the ring in the order in which they were finished."""

    @property
    def from_s(self) -> float:
        """Corrected wall time of its start."""
        return self.wall_ms / 1000

    @property
    def to_s(self) -> float:
        """Corrected wall time of its end."""
        return (self.wall_ms + self.duration_ms) / 1000


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing is recorded of a camera in this range."""

    camera: str
    from_s: float
    to_s: float
    """Corrected wall time."""
    why: str
    """In words; empty: nobody knows, or it was deleted."""
