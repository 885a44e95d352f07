"""Which of a clip's seconds are idle, and what everyone spent in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.cost.watch import Look, Watched

SKIP_S = 3.0
"""The start, in which the scene is learned and frames come late."""
REST_S = 2.0
"""Where nobody has judged a clip by eye, it is idle once the detector has rested for so long."""

Steps = list[tuple[Look, Look]]
Spans = tuple[tuple[int, int], ...]
"""First and last frame of each stretch with nobody in view."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What everyone spent in the same seconds, in CPU seconds."""

    seconds: float
    agent: float
    decode: float
    detect: float
    naive: float
    calls: int

    def per_minute(self, spent: float) -> float:
        """Of what was spent, so much in a minute of the camera."""
        return 60 * spent / self.seconds


def split(watched: Watched, spans: Spans) -> tuple[Steps, Steps]:
    """From look to look: the idle ones, and the others."""
    looks = [look for look in watched.looks if look.mono_s >= watched.looks[0].mono_s + SKIP_S]
    idle: Steps = []
    busy: Steps = []
    for step in pairwise(looks):
        calm = _inside(step, spans) if spans else _rested(step, watched.looks)
        (idle if calm else busy).append(step)
    return idle, busy


def sums(steps: Sequence[tuple[Look, Look]], watched: Watched) -> Sums:
    """Over all these steps; frames that a look skipped count as decoded."""
    frames = [index for before, after in steps for index in range(before.index + 1, after.index + 1)]
    return Sums(
        seconds=sum(after.mono_s - before.mono_s for before, after in steps),
        agent=sum(after.spent_s - before.spent_s for before, after in steps),
        decode=sum(watched.floor.get(index, (0.0, 0.0))[0] for index in frames),
        detect=sum(watched.floor.get(index, (0.0, 0.0))[1] for index in frames),
        naive=sum(watched.naive.get(index, 0.0) for index in frames),
        calls=sum(after.calls for _, after in steps),
    )


def _inside(step: tuple[Look, Look], spans: Spans) -> bool:
    return any(first <= step[0].index and step[1].index <= last for first, last in spans)


def _rested(step: tuple[Look, Look], looks: Sequence[Look]) -> bool:
    """Neither the detector nor anything in view stirred for long before the step."""
    until_s = step[1].mono_s
    recent = [look for look in looks if until_s - REST_S <= look.mono_s <= until_s]
    return not any(look.calls or look.regions for look in recent)
