"""Tells a blind camera as one event: when it began, if it became another fault, and when the view was back."""

from __future__ import annotations

from dataclasses import replace

from agent.core.ids import Ids
from agent.core.tamper.monitor import Visibility
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Severity, Size


def tell(
    told: Event | None, view: Visibility, at: Instant, frame: Size, ids: Ids
) -> tuple[Event | None, Ids, tuple[Event, ...]]:
    """The event that is open after this look, the ids to go on with, and what is to be sent.

    `detail` is the fault's one word, also at the end. `moved` asks for the zones to be checked.
    """
    if view.fault is None:
        ended = () if told is None else (_next(told, Phase.END, at),)
        return None, ids, ended
    if told is None:
        name, ids = ids.next(at)
        told = Event(
            id=name,
            revision=1,
            kind=EventKind.CAMERA_BLIND,
            phase=Phase.START,
            severity=Severity.ALERT,
            at=at,
            rule_id="camera",
            rule_kind="camera",
            started=view.since or at,
            frame=frame,
            detail=view.fault,
        )
        return told, ids, (told,)
    if told.detail != view.fault:
        told = replace(_next(told, Phase.UPDATE, at), detail=view.fault)
        return told, ids, (told,)
    return told, ids, ()


def close(told: Event | None, at: Instant, reason: EndReason) -> tuple[Event, ...]:
    """End the open event: nobody looks any more."""
    return () if told is None else (replace(_next(told, Phase.END, at), end_reason=reason),)


def _next(told: Event, phase: Phase, at: Instant) -> Event:
    return replace(told, revision=told.revision + 1, phase=phase, at=at)
