"""How many frames were kept, when and for what: limits, and how much one more would teach. Pure.

Spread: of one reason, one part of the view and one hour of the day little is kept, and each further frame of
these is worth less (the k-th one 1/k), so that what is kept is not a hundred times the same corner at noon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.core.sampling.settings import SampleReason, SamplingSettings
from agent.core.types import Instant

HOUR_S, DAY_S = 3600.0, 86_400.0
APART = 0.5
"""Of an even share of the hour, between any two frames: else a busy minute would have all of the hour."""
WORTH: Mapping[SampleReason, float] = {
    SampleReason.MISSED_MOTION: 1.0,
    SampleReason.WAVERING_LABEL: 0.8,
    SampleReason.RARE_SCENE: 0.7,
    SampleReason.MIDDLE_SCORE: 0.6,
}
"""What the first frame of a kind teaches, 0..1: a missed road user is worth most. Chosen, not measured."""
RARE_SHARE = 3
"""Rare scenes have a third of an hour at most: every frame of one would do, and they are seen first."""
ACROSS, DOWN = 4, 3
"""Parts of the view."""


@dataclass(frozen=True, slots=True, order=True)
class SampleKind:
    """Frames that teach alike."""

    reason: SampleReason
    place: str
    """A part of the view such as `1x2`, or the condition of a rare scene."""
    hour: int
    """Of the day, local time."""


@dataclass(frozen=True, slots=True)
class SampleQuota:
    """What was kept of one camera."""

    day: tuple[tuple[float, SampleKind], ...] = ()
    """Of the last 24 hours, oldest first: the steady clock's seconds, and what it was."""
    counts: Mapping[SampleKind, int] = field(default_factory=dict)
    """Of all time, as far as it is known."""

    def worth(self, kind: SampleKind) -> float:
        """How much one more frame of this kind teaches, 0..1."""
        return WORTH[kind.reason] / (1 + self.counts.get(kind, 0))

    def allows(self, kind: SampleKind, at: Instant, settings: SamplingSettings) -> bool:
        """Whether one more may be kept now."""
        within = [(at_s, of) for at_s, of in self.day if at.mono_s - at_s < DAY_S]
        hour = [of for at_s, of in within if at.mono_s - at_s < HOUR_S]
        near = [of for at_s, of in within if at.mono_s - at_s < settings.min_gap_s]
        return (
            (not within or at.mono_s - within[-1][0] >= APART * HOUR_S / settings.per_hour)
            and len(within) < settings.per_day
            and len(hour) < settings.per_hour
            and all(of.reason is not kind.reason for of in near)
            and (
                kind.reason is not SampleReason.RARE_SCENE or self._rare(hour) < settings.per_hour / RARE_SHARE
            )
            and len([of for _, of in within if of == kind]) < settings.per_place
        )

    def _rare(self, kept: list[SampleKind]) -> int:
        return len([of for of in kept if of.reason is SampleReason.RARE_SCENE])

    def full(self, at: Instant, settings: SamplingSettings) -> bool:
        """Whether nothing at all may be kept now."""
        times = [at_s for at_s, _ in self.day]
        apart_s = APART * HOUR_S / settings.per_hour
        return (
            _since(times, at, apart_s) > 0
            or _since(times, at, DAY_S) >= settings.per_day
            or _since(times, at, HOUR_S) >= settings.per_hour
        )

    def kept(self, kind: SampleKind, at: Instant) -> SampleQuota:
        """After one more."""
        day = (*(each for each in self.day if at.mono_s - each[0] < DAY_S), (at.mono_s, kind))
        return replace(self, day=day, counts={**self.counts, kind: self.counts.get(kind, 0) + 1})


def place(x: float, y: float) -> str:
    """The part of the view in which a point lies, column and row from 0; fractions of the frame."""
    column, row = min(ACROSS - 1, max(0, int(x * ACROSS))), min(DOWN - 1, max(0, int(y * DOWN)))
    return f"{column}x{row}"


def hour_of_day(at: Instant, utc_offset_s: int) -> int:
    """0..23, local time, as well as the box knows it."""
    return int((at.wall_s + utc_offset_s) % DAY_S // HOUR_S)


def _since(times_s: list[float], at: Instant, within_s: float) -> int:
    return len([each for each in times_s if at.mono_s - each < within_s])
