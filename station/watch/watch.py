"""The handler behind `ngatu watch`: keeps, saves, shows and counts what arrives."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from agent.core.types import Phase, Severity
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind
from station.watch.logbook import Logbook
from station.watch.screen import Screen

log = structlog.get_logger("station.watch.watch")


@dataclass
class SeenEvents:
    """What came, for the summary."""

    events: set[tuple[str, str]] = field(default_factory=set)
    """Device and id."""
    alerts: set[tuple[str, str]] = field(default_factory=set)
    open: set[tuple[str, str]] = field(default_factory=set)
    pictures: int = 0
    problems: int = 0


class Watch:
    """Commits to the logbook and the folder first, then shows; without either it only looks on."""

    def __init__(self, logbook: Logbook | None, folder: Path | None) -> None:
        self.seen = SeenEvents()
        self._logbook = logbook
        self._folder = folder
        self._screen: Screen | None = None
        self._stop: Callable[[], None] = lambda: None
        self._until_events: int | None = None
        self._alarms: dict[tuple[AlarmKind, tuple[str, str] | None], str] = {}

    def begin(self, screen: Screen, stop: Callable[[], None], until_events: int | None) -> None:
        """Show on `screen`; call `stop` when nobody looks any more or so many events have come."""
        self._screen, self._stop, self._until_events = screen, stop, until_events

    def commit(self, messages: Sequence[InboundMessage]) -> None:
        """Keep and show them.

        Raises:
            OSError: a picture could not be written.
            sqlite3.Error: the logbook could not be written.
        """
        if self._folder is not None:
            for message in messages:
                _save(self._folder, message)
        new = messages if self._logbook is None else self._logbook.commit(messages)
        for message in new:
            self._count(message)
            if self._screen is not None:
                try:
                    self._screen.show(message)
                except BrokenPipeError:  # as after `| head`: it is kept, so this is no failure
                    self._screen = None
                    self._stop()
                except Exception:  # it is kept, and its box must hear so
                    log.exception("message_not_shown", device=message.device, event_id=message.event_id)
        if self._until_events is not None and len(self.seen.events) >= self._until_events:
            self._stop()

    def committed(self, commune: str, device: str, stream: str) -> list[tuple[int, int]]:
        """What the logbook has of a stream."""
        return [] if self._logbook is None else self._logbook.committed(commune, device, stream)

    def digests(
        self, commune: str, device: str, stream: str, first: int, last: int, limit: int
    ) -> list[tuple[int, str]]:
        """What the logbook has under numbers of a stream."""
        logbook = self._logbook
        return [] if logbook is None else logbook.digests(commune, device, stream, first, last, limit)

    def raise_alarm(self, kind: AlarmKind, box: tuple[str, str] | None, detail: str, _count: int = 1) -> None:
        """Show it until it is over, and log it once."""
        who = "" if box is None else f" {box[0]}/{box[1]}"
        if (kind, box) not in self._alarms:
            log.warning("alarm_opened", kind=str(kind), box=who.strip() or None, why=detail, hint=kind.meaning)
        if self._alarms.get((kind, box)) != (text := f"{kind}{who}: {kind.meaning}; {detail}"):
            self._alarms[kind, box] = text
            self._show_alarms()

    def close_alarm(self, kind: AlarmKind, box: tuple[str, str] | None) -> None:
        """Show it no more."""
        if self._alarms.pop((kind, box), None) is not None:
            log.warning("alarm_closed", kind=str(kind), box=None if box is None else "/".join(box))
            self._show_alarms()

    def _show_alarms(self) -> None:
        if self._screen is not None:
            self._screen.show_alarms(list(self._alarms.values()))

    def _count(self, message: InboundMessage) -> None:
        seen = self.seen
        seen.problems += message.problem is not None
        seen.pictures += message.kind is MessageKind.IMAGE and message.image is not None
        if message.kind is MessageKind.EVENT and message.event is not None:
            event, key = message.event, (message.device, message.event.id)
            seen.events.add(key)
            if event.severity is Severity.ALERT:
                seen.alerts.add(key)
            (seen.open.discard if event.phase is Phase.END else seen.open.add)(key)


def _save(folder: Path, message: InboundMessage) -> None:
    """Write a picture as DEVICE/CAMERA/EVENT-KIND.jpg; a better one of the same event takes its place."""
    if message.kind is not MessageKind.IMAGE or message.image is None or message.camera is None:
        return
    place = folder / message.device / message.camera
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{message.event_id}-{message.image_kind}.jpg"
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        file.write(message.image)
        file.flush()
        os.fsync(file.fileno())  # a receipt follows
    unfinished.replace(path)
