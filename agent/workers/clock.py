"""What time it is, as far as a box can know: the floor, the latest good time, and what the station is told.

A box without a battery clock begins in 1970 or at a guess. It works all the same: durations come from the clock
that never steps, and every stamp says how far it can be trusted. This module notes the latest good time for
the next boot, tells `clock_untrusted` while nobody vouches for the clock, and one clock map when somebody does:
which wall time belongs to which moment of the steady clock, so that the station can correct earlier stamps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from agent.clock import Clock, FlooredClock, Trust, trust
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Severity
from agent.host import restarts

log = structlog.get_logger(__name__)

NAME: Final = "clock.json"
NOTE_EVERY_S: Final = 600.0
"""Between two notes of a good time: what a box that loses its power may fall behind, and 144 writes a day."""
PATIENCE_S: Final = 60.0
"""A clock that nobody vouches for at the start is no event yet: NTP takes a moment."""
STEP_S: Final = 1.0
"""A trusted clock that moves this far against the steady one was set: the last map is not true any more."""
RULE: Final = "clock"


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is remembered of the clock."""

    doubted: Instant | None = None
    """Since when nobody vouches for it."""
    event: Event | None = None
    """clock_untrusted, while it is open."""
    offset_s: float | None = None
    """Wall minus steady clock, as the station was last told."""


@dataclass(frozen=True, slots=True)
class ClockReport:
    """What the station is to hear."""

    event: Event | None = None
    clock_map: bool = False
    """That this wall time belongs to this moment of the steady clock."""


def update(
    hours: ClockState, now: Instant, trusted: Trust, new_id: Callable[[], str]
) -> tuple[ClockState, ClockReport]:
    """Fold in one look at the clock. Durations come from the steady clock, so no step ends one."""
    if not trusted.good:
        doubted = hours.doubted or now
        if hours.event is not None or now.since(doubted) < PATIENCE_S:
            return replace(hours, doubted=doubted), ClockReport()
        event = Event(
            id=new_id(),
            revision=1,
            kind=EventKind.CLOCK_UNTRUSTED,
            phase=Phase.START,
            severity=Severity.INFO,
            at=now,
            rule_id=RULE,
            rule_kind=RULE,
            started=doubted,
            detail="neither NTP nor a battery clock keeps the time",
        )
        return replace(hours, doubted=doubted, event=event), ClockReport(event)
    offset_s = now.wall_s - now.mono_s
    mapped = hours.offset_s is not None and hours.event is None and abs(offset_s - hours.offset_s) <= STEP_S
    ended = None
    if hours.event is not None:
        started = hours.event.started
        ended = replace(
            hours.event,
            revision=2,
            phase=Phase.END,
            at=now,
            # The start was stamped by the clock that nobody trusted; now it is known when that was.
            started=Instant(started.mono_s, now.wall_s - now.since(started)),
            detail=f"kept by {trusted.state} after {now.since(started):.0f} s",
        )
    return ClockState(offset_s=hours.offset_s if mapped else offset_s), ClockReport(ended, not mapped)


class Timekeeper:
    """The box's clock over its lives; `look` is called at every turn of the main loop."""

    def __init__(self, folder: Path, machine: Clock | None = None, asked: Callable[[], Trust] = trust) -> None:
        """`folder` keeps the note of the latest good time; if it cannot be written, less is known."""
        self._path = folder / NAME
        self.clock = FlooredClock(_noted_s(self._path), machine, asked)
        self._hours = ClockState()
        self._noted_at: Instant | None = None

    def look(self, new_id: Callable[[], str]) -> ClockReport:
        """Look at the clock; what is to be told."""
        # The trust first: it lowers a floor that NTP has shown to be wrong.
        trusted, now = self.clock.trust(), self.clock.now()
        before = self._hours
        self._hours, told = update(before, now, trusted, new_id)
        if told.clock_map:
            log.info("clock_set", state=trusted.state, error_ms=trusted.error_ms)
        elif told.event is not None:
            log.warning("clock_untrusted", hint="is NTP reachable? each event says how far to trust it")
        if trusted.good and (self._noted_at is None or now.since(self._noted_at) >= NOTE_EVERY_S):
            self.note()
        return told

    def close(self) -> Event | None:
        """The agent stops: note the time, and end the event that is open."""
        self.note()
        event, self._hours = self._hours.event, replace(self._hours, event=None)
        if event is None:
            return None
        reason = EndReason.AGENT_RESTARTED
        return replace(event, revision=2, phase=Phase.END, at=self.clock.now(), end_reason=reason)

    def note(self) -> None:
        """Note that it is at least this late, if that is known: now and then, and at the end."""
        if self.clock.trust().good:
            self._noted_at = self.clock.now()
            restarts.note(self._path, {"wall_s": self._noted_at.wall_s})


def _noted_s(path: Path) -> float:
    """The latest good time of an earlier life; 0 if there is none."""
    try:
        told = json.loads(path.read_text(encoding="ascii"))["wall_s"]
        return float(told) if isinstance(told, int | float) and 0 <= told < LAST_S else 0.0
    except (OSError, ValueError, TypeError, LookupError):
        return 0.0


LAST_S: Final = 253_402_300_799.0
"""The end of the year 9999, beyond which no time can be written."""
