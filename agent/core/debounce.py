"""Debounce, hysteresis in time: a condition must last to count, and be gone for a while to be over.

Zones, motion and crowds all flicker at their edges; this is the one place where flicker is taken out.

    holds    ▁▁█▁██████▁█████▁▁▁▁▁▁▁
    on       ▁▁▁▁▁▁▁▁███████████▁▁▁▁
                 └rise┘       └fall┘
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.types import Instant


@dataclass(frozen=True, slots=True)
class Debounce:
    """What is remembered about a condition."""

    since: Instant | None = None
    """When the run began that led to `on`, or that may lead to it; None where nothing is under way."""
    last: Instant | None = None
    """When it last held."""
    on: bool = False


NEVER = Debounce()


def update(
    debounce: Debounce, at: Instant, holds: bool, *, rise_s: float, fall_s: float, gap_s: float = 0.0
) -> Debounce:
    """Fold in whether the condition holds at this moment.

    It comes on once it has held for `rise_s` seconds with no hole longer than `gap_s`, and goes off once it has
    not held for more than `fall_s` seconds. A `rise_s` above 0 takes at least two moments.
    """
    if holds:
        since = at if debounce.since is None else debounce.since
        return Debounce(since, at, debounce.on or at.since(since) >= rise_s)
    if debounce.last is None:
        return NEVER
    return NEVER if at.since(debounce.last) > (fall_s if debounce.on else gap_s) else debounce
