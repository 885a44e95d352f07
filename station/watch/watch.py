"""The handler behind `ngatu watch`: saves, shows and counts what arrives."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from agent.core.types import Phase, Severity
from agent.errors import NgatuError
from agent.wire.payloads import EventPayload
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind
from station.picture_files import place_of, write
from station.watch.screen import Screen

log = structlog.get_logger("station.watch.watch")

MAKE_ROOM = "make room there, or let this user write; the watching goes on, and ends with 1"


REMEMBERED = 10_000
"""Events whose later messages are known as theirs."""


class SeenEvents:
    """What came, in numbers, for the summary.

    Of the latest events it knows which they were. One that is older is forgotten: it is no more among those
    that are open, and another message of it counts as a new event. So the memory that a watch takes is bounded.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self.events = 0
        self.alerts = 0
        self.open = 0
        """Of those that it remembers."""
        self.pictures = 0
        self.unsaved = 0
        """Pictures that could not be written."""
        self.problems = 0
        self._remembered = remembered
        self._latest: OrderedDict[tuple[str, str], tuple[bool, bool]] = OrderedDict()
        """Device and id -> whether it was an alert, and whether it is open."""

    def note(self, device: str, event: EventPayload) -> None:
        """One message of an event."""
        key = device, event.id
        known = self._latest.pop(key, None)
        was_alert, was_open = known or (False, False)
        is_alert = was_alert or event.severity is Severity.ALERT
        is_open = event.phase is not Phase.END
        self.events += known is None
        self.alerts += is_alert - was_alert
        self.open += is_open - was_open
        self._latest[key] = is_alert, is_open
        if len(self._latest) > self._remembered:
            _, (_, forgotten_open) = self._latest.popitem(last=False)
            self.open -= forgotten_open


class Watch:
    """Saves pictures to the folder, if there is one, then shows."""

    def __init__(self, folder: Path | None) -> None:
        """Try the folder, so that nobody learns at the end that nothing was kept.

        Raises:
            NgatuError: nothing can be written there.
        """
        if folder is not None:
            _try(folder)
        self.seen = SeenEvents()
        self._unsaved: tuple[str, ...] = ()
        """Why pictures are not saved now, in a line; empty while they are."""
        self._folder = folder
        self._screen: Screen | None = None
        self._stop: Callable[[], None] = lambda: None
        self._until_events: int | None = None
        self._alarms: dict[tuple[AlarmKind, tuple[str, str] | None], str] = {}

    def begin(self, screen: Screen, stop: Callable[[], None], until_events: int | None) -> None:
        """Show on `screen`; call `stop` when nobody looks any more or so many events have come."""
        self._screen, self._stop, self._until_events = screen, stop, until_events

    def commit(self, messages: Sequence[InboundMessage]) -> None:
        """Save and show them; a folder that takes no more is told once, and the watching goes on."""
        for message in messages:
            self._keep(message)
        for message in messages:
            self._count(message)
            if self._screen is not None:
                try:
                    self._screen.show(message)
                except BrokenPipeError:  # as after `| head`: that is no failure
                    self._screen = None
                    self._stop()
                except Exception:  # it hides no other
                    log.exception("message_not_shown", device=message.device, event_id=message.event_id)
        if self._until_events is not None and self.seen.events >= self._until_events:
            self._stop()

    def _keep(self, message: InboundMessage) -> None:
        if self._folder is None:
            return
        try:
            written = _save(self._folder, message)
        except OSError as error:
            self.seen.unsaved += 1
            if not self._unsaved:
                why = error.strerror or type(error).__name__
                log.error(  # noqa: TRY400  (it says all)
                    "pictures_not_saved",
                    folder=str(self._folder),
                    why=why,
                    hint=MAKE_ROOM,
                )
                self._unsaved = (f"pictures are not saved into {self._folder}: {why}",)
                self._show_alarms()
        else:
            if written and self._unsaved:
                log.warning("pictures_saved_again", folder=str(self._folder), lost=self.seen.unsaved)
                self._unsaved = ()
                self._show_alarms()

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
            self._screen.show_alarms([*self._unsaved, *self._alarms.values()])

    def _count(self, message: InboundMessage) -> None:
        seen = self.seen
        seen.problems += message.problem is not None
        seen.pictures += message.kind is MessageKind.IMAGE and message.image is not None
        if message.kind is MessageKind.EVENT and message.event is not None:
            seen.note(message.device, message.event)


def _try(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ngatu")
            file.flush()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise NgatuError(
            f"--save {folder}: nothing can be written there: {why}", "name a folder that you may write to"
        ) from error


def _save(folder: Path, message: InboundMessage) -> bool:
    """Write a picture under a name for people, a better one of the same event over it; whether there was one.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    if message.kind is not MessageKind.IMAGE or message.image is None or message.camera is None:
        return False
    event = message.event  # None: it was told before the watch began
    at, kind = (event.start_time, str(event.kind)) if event is not None else (datetime.now(UTC), None)
    picture, event_id = message.image_kind or "picture", message.event_id or ""
    write(place_of(folder, message.device, message.camera, at, kind, picture, event_id), message.image)
    return True
