"""Keeps the ring in order beside the recorders, and tells as events where recording has stopped.

It looks the ring through, lets it know the time, deletes what is too old, and tells the station of its chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from agent.clock import Clock, Trust
from agent.core.condition_event import CAMERA_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Severity
from agent.errors import FootageError
from agent.evidence.retention.believed import STANDS_MS, TOLD_MS, BootClock
from agent.evidence.ring import Ring
from agent.host.supervise import Beat, OutageLog, Stop, wait
from agent.translatable import tr
from agent.workers.footage.recorder import DISK_S, Recorder

log = structlog.get_logger(__name__)

TURN_S: Final = 5.0
RETRY_S: Final = 30.0
CLOCK_S: Final = 60.0
"""How often the index learns how wall and steady clock go together."""
SWEEP_S: Final = 480.0
"""Footage goes within ten minutes of its age; each time is a line in the audit log."""
TELL_S: Final = 300.0
"""How often the station hears of the newest link of a camera that is recorded."""
GRACE_S: Final = 30.0
"""A recording that stops for less is a hole that is counted, and no event."""
RECOVERY_S: Final = 600.0
HOUR_MS: Final = 3_600_000

TellEvents = Callable[[str, Iterable[Event]], None]
"""Keeps events of this camera for the station."""
TellLink = Callable[["NewestLink"], bool]
"""Keeps the newest link of a camera for the station; False: it could not."""


@dataclass(frozen=True, slots=True)
class NewestLink:
    """What the station is told of a recording."""

    camera: str
    number: int
    sha256: str
    start_s: float
    end_s: float
    oldest_s: float | None
    codec: str | None
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class FootageFigures:
    """How the ring does, as of the keeper's last turn."""

    used_bytes: int | None = None
    written_today_bytes: int | None = None
    own_partition: bool | None = None
    holds: int = 0
    deleted_segments: int = 0
    deleted_held_segments: int = 0
    kept_since_s: Mapping[str, float] = field(default_factory=dict)
    """By camera: corrected wall time of its oldest footage."""
    clock_ahead_s: float | None = None
    """So far the clock went forward, and has not stood long enough for footage to be deleted by it."""
    why: str | None = None


class FootageKeeper:
    """`run` is given to a supervised Worker; `tick` is called by the main loop."""

    def __init__(
        self,
        ring: Ring,
        recorders: Mapping[str, Recorder],
        clock: Clock,
        trusted: Callable[[], Trust],
        ids: Ids,
        tell: TellEvents,
        tell_link: TellLink,
    ) -> None:
        self.figures = FootageFigures()
        self._ring, self._recorders, self._clock, self._trusted, self._ids = (
            ring,
            recorders,
            clock,
            trusted,
            ids,
        )
        self._tell, self._tell_link = tell, tell_link
        self._stopped = {
            name: ConditionEvent(EventKind.RECORDING_STOPPED, CAMERA_RULE, Severity.ALERT) for name in recorders
        }
        self._told: dict[str, tuple[int, float]] = {}
        """By camera: the number of the link that was told last, and when."""
        self._hasty: set[str] = set()
        self._clock_due_s = self._sweep_due_s = float("-inf")
        self._believed: BootClock | None = None
        self._outage = OutageLog("footage")

    # ---------------------------------------------------------------------------------- from other threads

    def hasten(self, camera: str) -> None:
        """A recording has stopped, or a clip was cut: its newest link is told with the next turn."""
        self._hasty.add(camera)

    def tick(self) -> None:
        """Tell where recording has stopped, and where it goes on. Touches no disk but the outbox's."""
        now = self._clock.now()
        for camera, recorder in self._recorders.items():
            stopped, event = recorder.stopped, self._stopped[camera]
            if stopped is None and event.last is not None:
                lasted_s = now.since(event.last.started)
                detail = tr("goes on after {seconds:.0f} s", seconds=lasted_s)
                self._stopped[camera], events = event.close(now, detail=detail)
            elif stopped is not None and event.last is not None:
                self._stopped[camera], events = event.update(now, stopped.why)
            elif stopped is not None and now.since(stopped.since) >= GRACE_S:
                self._stopped[camera], self._ids, events = event.open(
                    now, self._ids, stopped.why, started=stopped.since
                )
            else:
                continue
            self._tell(camera, events)

    def close(self) -> None:
        """The agent stops, and every recorder has: what is finished is told, and no event stays open."""
        now = self._clock.now()
        for camera, event in self._stopped.items():
            self._stopped[camera], events = event.close(now, EndReason.STOPPED)
            self._tell(camera, events)
        if self._ring.ready:
            with suppress(FootageError):
                for camera in self._recorders:
                    self._tell_newest(camera, now.mono_s)

    # --------------------------------------------------------------------------------------------- the loop

    def run(self, stop: Stop, beat: Beat) -> None:
        """Keep it in order until `stop` is set. A disk that fails is told once, and asked again."""
        while not stop.is_set():
            beat(DISK_S)
            try:
                self.turn(beat)
            except FootageError as error:
                self._outage.lost(error)
                self.figures = replace(self.figures, why=error.what)
                with suppress(FootageError):  # it may be the index that fails
                    self._look(error.what)
                wait(stop, RETRY_S, self._clock, beat)
            else:
                self._outage.back()
                wait(stop, TURN_S, self._clock, beat)

    def turn(self, beat: Beat = lambda wait_s=0.0: None) -> None:
        """Do what is due.

        Raises:
            FootageError: the disk fails, or a deletion could not be noted.
        """
        self._ring.recover(lambda: beat(RECOVERY_S))
        self._ring.rebuild(lambda: beat(RECOVERY_S))
        now, trust = self._clock.now(), self._trusted()
        if trust.good and now.mono_s >= self._clock_due_s:
            self._heed_clock(self._ring.note_clock(now))
            self._clock_due_s = now.mono_s + CLOCK_S
        if now.mono_s >= self._sweep_due_s:
            self._ring.sweep(now, trust)
            self._sweep_due_s = now.mono_s + (SWEEP_S if trust.good else TURN_S)
        for camera in self._recorders:
            due_s = self._told[camera][1] + TELL_S if camera in self._told else float("-inf")
            if camera in self._hasty or now.mono_s >= due_s:
                self._hasty.discard(camera)
                self._tell_newest(camera, now.mono_s)
        self._look(None)

    def _heed_clock(self, now: BootClock) -> None:
        """Say once that the clock went far forward, and what has become of it."""
        before, self._believed = self._believed, now
        doubted = before is not None and before.doubted
        if now.doubted and not doubted:
            log.warning(
                "clock_jumped",
                ahead_h=round(now.ahead_ms / HOUR_MS, 1),
                believed_in_h=round((STANDS_MS - now.stood_ms) / HOUR_MS, 1),
                hint="was the box off so long? if not, mend its time server before footage is deleted by it",
            )
        elif before is not None and doubted and not now.doubted:
            believed = now.offset_ms - before.offset_ms > TOLD_MS
            log.warning("clock_jump_believed" if believed else "clock_jump_undone")

    def _tell_newest(self, camera: str, now_s: float) -> None:
        number, sha256 = self._ring.index.head(camera)
        before = self._told.get(camera, (0, 0.0))[0]
        if number in (0, before):
            return
        last, oldest = self._ring.index.newest(camera), self._ring.index.oldest(camera)
        if last is None or last.number != number or oldest is None:
            return  # it is deleted already
        figures = self._recorders[camera].figures
        newest = NewestLink(
            camera, number, sha256, last.from_s, last.to_s, oldest.from_s,
            figures.codec, figures.width_px, figures.height_px,
        )  # fmt: skip
        if self._tell_link(newest):
            self._ring.index.tell(camera, number)
            self._told[camera] = number, now_s

    def _look(self, why: str | None) -> None:
        ring = self._ring
        if not ring.ready:
            self.figures = FootageFigures(why=why)
            return
        oldest = {camera: ring.index.oldest(camera) for camera in self._recorders}
        self.figures = FootageFigures(
            used_bytes=ring.used_bytes,
            written_today_bytes=ring.written_today,
            own_partition=ring.own_disk,
            holds=len(ring.index.held),
            deleted_segments=ring.deleted.segments,
            deleted_held_segments=ring.deleted.held,
            kept_since_s={camera: row.from_s for camera, row in oldest.items() if row is not None},
            clock_ahead_s=self._believed.ahead_ms / 1000
            if self._believed is not None and self._believed.doubted
            else None,
            why=why,
        )
