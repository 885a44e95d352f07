"""What time it is, as far as a box can know: the floor, the latest good time, and what the station is told.

A box without a battery clock begins in 1970 or at a guess. It works all the same: durations come from the clock
that never steps, and every stamp says how far it can be trusted. This module notes the latest good time for
the next boot, tells `clock_untrusted` while nobody vouches for the clock, and one clock map when somebody does:
which wall time belongs to which moment of the steady clock, so that the station can correct earlier stamps.
What is deleted by its age and bears one time only goes by `believed`, in which each step of the clock waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from agent.clock import Clock, FlooredClock, Trust, boot_id, trust
from agent.core.condition_event import CLOCK_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Instant
from agent.evidence.retention import believed
from agent.evidence.retention.believed import BootClock
from agent.host import restarts
from agent.translatable import tr

log = structlog.get_logger(__name__)

NAME: Final = "clock.json"
NOTE_EVERY_S: Final = 600.0
"""Between two notes of a good time: what a box that loses its power may fall behind, and 144 writes a day."""
PATIENCE_S: Final = 60.0
"""A clock that nobody vouches for at the start is no event yet: NTP takes a moment."""
STEP_S: Final = 1.0
"""A trusted clock that moves this far against the steady one was set: the last map is not true any more."""
UNTRUSTED: Final = ConditionEvent(EventKind.CLOCK_UNTRUSTED, CLOCK_RULE)
NOBODY: Final = tr("neither NTP nor a battery clock keeps the time")


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is remembered of the clock."""

    doubted: Instant | None = None
    """Since when nobody vouches for it."""
    untrusted: ConditionEvent = UNTRUSTED
    offset_s: float | None = None
    """Wall minus steady clock, as the station knows it."""


@dataclass(frozen=True, slots=True)
class ClockReport:
    """What the station is to hear."""

    event: Event | None = None
    clock_map: bool = False
    """That this wall time belongs to this moment of the steady clock."""


def update(state: ClockState, now: Instant, trusted: Trust, ids: Ids) -> tuple[ClockState, Ids, ClockReport]:
    """Fold in one look at the clock. Durations come from the steady clock, so no step ends one."""
    untrusted = state.untrusted
    if not trusted.good:
        doubted = state.doubted or now
        events: tuple[Event, ...] = ()
        if now.since(doubted) >= PATIENCE_S:
            untrusted, ids, events = untrusted.open(now, ids, NOBODY, started=doubted)
        return replace(state, doubted=doubted, untrusted=untrusted), ids, ClockReport(next(iter(events), None))
    offset_s = now.wall_s - now.mono_s
    doubtless = untrusted.last is None
    mapped = state.offset_s is not None and doubtless and abs(offset_s - state.offset_s) <= STEP_S
    ended = None
    if untrusted.last is not None:
        started, lasted_s = untrusted.last.started, now.since(untrusted.last.started)
        _, (ended,) = untrusted.close(
            now,
            detail=tr("kept by {state} after {seconds:.0f} s", state=trusted.state, seconds=lasted_s),
            # The start was stamped by the clock that nobody trusted; now it is known when that was.
            started=Instant(started.mono_s, now.wall_s - lasted_s),
        )
    return ClockState(offset_s=state.offset_s if mapped else offset_s), ids, ClockReport(ended, not mapped)


class BelievedClock:
    """The steady clock, and the wall time that no step of a vouched clock moves before it has stood for a day.

    From one boot to the next the box may have been off for up to a day; what nobody vouches for is not heeded.
    """

    def __init__(self, machine: Clock, boot: str, noted: BootClock | None) -> None:
        """`noted` is what was believed last, in this boot or an earlier one; None: what `machine` shows is."""
        self._machine, self._boot, self._last = machine, boot, noted
        now = machine.now()
        wall_ms, mono_ms = round(now.wall_s * 1000), round(now.mono_s * 1000)
        if noted is None:
            self._offset_ms = wall_ms - mono_ms
        elif noted.boot == boot:
            self._offset_ms = noted.offset_ms
        else:
            self._offset_ms = noted.believed_ms(noted.last_ms) - mono_ms

    def now(self) -> Instant:
        """This moment on the steady clock, and the time that is believed."""
        mono_s = self._machine.now().mono_s
        return Instant(mono_s, mono_s + self._offset_ms / 1000)

    def look(self, now: Instant) -> BootClock:
        """Somebody vouches for this moment of both clocks: what is believed from now on."""
        wall_ms, mono_ms = round(now.wall_s * 1000), round(now.mono_s * 1000)
        self._last = believed.look(self._last, self._boot, mono_ms, wall_ms, back_waits=True)
        self._offset_ms = self._last.offset_ms
        return self._last


class Timekeeper:
    """The box's clock over its lives; `look` is called at every turn of the main loop."""

    def __init__(
        self,
        folder: Path,
        ids: Ids,
        machine: Clock | None = None,
        asked: Callable[[], Trust] = trust,
        boot: str | None = None,
    ) -> None:
        """`folder` keeps the note of the latest good time; if it cannot be written, less is known.

        `boot` is the name of this boot; None: the kernel's.
        """
        self._path = folder / NAME
        self.clock = FlooredClock(_noted_s(self._path), machine, asked)
        self.believed = BelievedClock(self.clock, boot or boot_id(), _noted_clock(self._path))
        self._state, self._ids = ClockState(), ids
        self._noted_at: Instant | None = None

    def look(self) -> ClockReport:
        """Look at the clock; what is to be told."""
        # The trust first: it lowers a floor that NTP has shown to be wrong.
        trusted, now = self.clock.trust(), self.clock.now()
        self._state, self._ids, report = update(self._state, now, trusted, self._ids)
        if report.clock_map:
            log.info("clock_set", state=trusted.state, error_ms=trusted.error_ms)
        elif report.event is not None:
            log.warning("clock_untrusted", hint="is NTP reachable? each event says how far to trust it")
        if trusted.good:
            self.believed.look(now)
        if trusted.good and (self._noted_at is None or now.since(self._noted_at) >= NOTE_EVERY_S):
            self.note()
        return report

    def close(self) -> Event | None:
        """The agent stops: note the time, and end the event that is open."""
        self.note()
        untrusted, events = self._state.untrusted.close(self.clock.now(), EndReason.STOPPED)
        self._state = replace(self._state, untrusted=untrusted)
        return next(iter(events), None)

    def note(self) -> None:
        """Note that it is at least this late, if that is known: now and then, and at the end."""
        if self.clock.trust().good:
            self._noted_at = self.clock.now()
            clock = self.believed.look(self._noted_at)
            restarts.note(self._path, {"wall_s": self._noted_at.wall_s, "believed": asdict(clock)})


def _noted_s(path: Path) -> float:
    """The latest good time of an earlier life; 0 if there is none."""
    try:
        wall_s = json.loads(path.read_text(encoding="ascii"))["wall_s"]
        return float(wall_s) if isinstance(wall_s, int | float) and 0 <= wall_s < LAST_S else 0.0
    except (OSError, ValueError, TypeError, LookupError):
        return 0.0


def _noted_clock(path: Path) -> BootClock | None:
    """What an earlier life believed of its boot's clock; None if it noted nothing of it."""
    try:
        clock = BootClock(**json.loads(path.read_text(encoding="ascii"))["believed"])
    except (OSError, ValueError, TypeError, LookupError):
        return None
    times = (clock.offset_ms, clock.shown_ms, clock.last_ms, clock.stood_ms)
    whole = isinstance(clock.boot, str) and all(
        type(each) is int and abs(each) < LAST_S * 1000 for each in times
    )
    return clock if whole else None


LAST_S: Final = 253_402_300_799.0
"""The end of the year 9999, beyond which no time can be written."""
