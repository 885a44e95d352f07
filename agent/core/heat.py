"""Tells an overheated box as one event: it slowed down for heat, slowed down further, is cool again."""

from __future__ import annotations

from dataclasses import replace

from agent.core.ids import Ids
from agent.core.throttle import Reading, Throttle
from agent.core.types import EndReason, Event, EventKind, Phase, Severity

RULE = "box"
"""Stands for the rule in events that the box tells of itself."""


def tell(
    told: Event | None, pace: Throttle, reading: Reading, ids: Ids
) -> tuple[Event | None, Ids, tuple[Event, ...]]:
    """The event that is open after this moment, the ids to go on with, and what is to be sent."""
    if not pace.hot:
        if told is None:
            return None, ids, ()
        lasted_s = reading.at.since(told.started)
        ended = replace(
            _next(told, Phase.END, reading), detail=f"{_warmth(reading)}; cool after {lasted_s:.0f} s"
        )
        return None, ids, (ended,)
    detail = f"{_warmth(reading)}; {pace.share:.0%} of the pictures are looked at"
    if told is None:
        name, ids = ids.next(reading.at)
        told = Event(
            id=name,
            revision=1,
            kind=EventKind.OVERHEATED,
            phase=Phase.START,
            severity=Severity.INFO,
            at=reading.at,
            rule_id=RULE,
            rule_kind=RULE,
            started=reading.at,
            detail=detail,
        )
        return told, ids, (told,)
    if _news(told.detail) != _news(detail):  # temperatures tremble; only another share is news
        told = replace(_next(told, Phase.UPDATE, reading), detail=detail)
        return told, ids, (told,)
    return told, ids, ()


def close(told: Event | None, reading: Reading, reason: EndReason) -> tuple[Event, ...]:
    """End the open event: nobody measures any more."""
    return () if told is None else (replace(_next(told, Phase.END, reading), end_reason=reason),)


def _next(told: Event, phase: Phase, reading: Reading) -> Event:
    return replace(told, revision=told.revision + 1, phase=phase, at=reading.at)


def _warmth(reading: Reading) -> str:
    if reading.temp_c is None:
        return "the processor is slowed down for heat" if reading.capped else "temperature unknown"
    return f"{reading.temp_c:.1f} °C"


def _news(detail: str | None) -> str:
    return (detail or "").rpartition("; ")[2]
