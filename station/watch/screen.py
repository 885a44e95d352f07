"""How `ngatu watch` shows events: a live table for people, lines for logs, JSON for pipes."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, TextIO

import structlog
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from agent.cli.moments import zone
from agent.core.types import Phase, Severity
from agent.language import translated
from agent.printable import printable, printable_json
from agent.translatable import joined, tr
from agent.wire.payloads import EventPayload
from agent.wire.words import DETAILS, DIRECTIONS, END_REASONS, KINDS, LABELS, PHASES, SEVERITIES, named
from station.ingest.inbound import InboundMessage, MessageKind
from station.ingest.subscriber import Subscriber

log = structlog.get_logger("station.watch.screen")

_SHOWN = 500
_ALARMS = 5
"""Lines above the table at most."""


_COLUMNS = (
    (tr("time"), 0),
    (tr("camera"), 0),
    (tr("kind"), 0),
    (tr("label"), 0),
    (tr("riders"), 130),
    (tr("rule"), 0),
    (tr("zone"), 100),
    (tr("phase"), 0),
    (tr("severity"), 115),
    (tr("delay"), 130),
    (tr("picture"), 130),
)
"""Of the table, and how wide the terminal must be for each. An alert is red in the narrowest, too."""
_REASONS = 100
"""How wide it must be for the reasons of ends; in a narrower one they would cost the time its seconds."""


class Screen(Protocol):
    """Shows what came; used as a context manager around the whole watch."""

    def show(self, message: InboundMessage) -> None:
        """One arrival that is new. Raises BrokenPipeError when nobody reads any more."""
        ...

    def show_alarms(self, alarms: Sequence[str]) -> None:
        """What is wrong now, a line each; empty: nothing any more."""
        ...

    def __enter__(self) -> Screen: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class JsonLines:
    """One line per message of an event: its JSON, which says what it said when it came."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out

    def show(self, message: InboundMessage) -> None:
        """Write the line at once."""
        if message.kind is MessageKind.EVENT and message.event is not None:
            self._out.write(printable_json(message.raw.decode()) + "\n")
            self._out.flush()

    def show_alarms(self, alarms: Sequence[str]) -> None:
        """Nothing: the lines belong to the events, and the log has told it."""

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class _Row:
    event: EventPayload
    delay_s: float
    picture: bool = False
    refused: bool = False
    """It could not be shown, which was told."""


class Lines:
    """One line per message of an event, where there is no terminal."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out

    def show(self, message: InboundMessage) -> None:
        """Write the line at once."""
        if message.kind is MessageKind.EVENT and message.event is not None:
            row = _Row(message.event, _delay_s(message.event))
            self._out.write("  ".join(cell for cell in _shown_cells(row).values() if cell) + "\n")
            self._out.flush()

    def show_alarms(self, alarms: Sequence[str]) -> None:
        """Write a line for each."""
        self._out.writelines(f"{translated(tr('alarm'))}  {translated(printable(each))}\n" for each in alarms)
        self._out.flush()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class LiveTable:
    """A table of the latest events, newest first, that fills the terminal and renews itself."""

    def __init__(self, console: Console, subscriber: Subscriber, where: str) -> None:
        self._console = console
        self._subscriber = subscriber
        self._where = where
        self._rows: OrderedDict[tuple[str, str], _Row] = OrderedDict()
        self._alarms: tuple[str, ...] = ()
        self._live = Live(get_renderable=self.table, console=console, refresh_per_second=4, screen=False)

    def show(self, message: InboundMessage) -> None:
        """Put the event, or that its picture came, into the table."""
        if message.kind is MessageKind.EVENT and message.event is not None:
            key = message.device, message.event.id
            known = self._rows.get(key)
            if known is None:
                self._rows[key] = _Row(message.event, _delay_s(message.event))
            elif known.event.revision < message.event.revision:
                known.event, known.delay_s = message.event, _delay_s(message.event)
            if len(self._rows) > _SHOWN:
                self._rows.popitem(last=False)
        elif message.image is not None and message.event_id is not None:
            row = self._rows.get((message.device, message.event_id))
            if row is not None:
                row.picture = True

    def show_alarms(self, alarms: Sequence[str]) -> None:
        """Put them above the table."""
        self._alarms = tuple(translated(printable(each)) for each in alarms)

    def table(self) -> Table:
        """The table as it is now, cut to the terminal's height; of its columns those that have room."""
        alarms = self._alarms[:_ALARMS]
        title = Text("\n".join(alarms), "bold red", no_wrap=True, overflow="ellipsis") if alarms else None
        table = Table(
            expand=True,
            title=title,
            title_justify="left",
            caption=self._caption(),
            box=SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
        )
        width = self._console.width
        names = [name for name, needs in _COLUMNS if width >= needs]
        for name in names:
            right = name in ("riders", "delay")
            table.add_column(translated(name), justify="right" if right else "left", no_wrap=True)
        newest = list(reversed(self._rows.values()))[: max(1, self._console.height - 6 - len(alarms))]
        for row in newest:
            alert = row.event.severity is Severity.ALERT and row.event.phase is not Phase.END
            cells = _shown_cells(row, brief=True)
            if width < _REASONS:
                cells["phase"] = cells.get("phase", "").partition(" (")[0]
            table.add_row(
                *(Text(cells.get(name, "")) for name in names),
                style="bold red" if alert else "dim" if row.event.replayed else "",
            )
        return table

    def _caption(self) -> str:
        if self._subscriber.trouble is not None:
            return translated(tr("waiting for {where}: {why}", where=self._where, why=self._subscriber.trouble))
        words = tr(
            "{where} · {number} messages · local time: {zone}",
            where=self._where,
            number=self._subscriber.counters.committed,
            zone=zone(datetime.now(UTC)),
        )
        return translated(words)

    def __enter__(self) -> LiveTable:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)


def _shown_cells(row: _Row, *, brief: bool = False) -> dict[str, str]:
    """As `_cells`; an event that cannot be shown takes no other with it, and is shown as one that cannot be."""
    try:
        return {name: translated(printable(cell)) for name, cell in _cells(row, brief=brief).items()}
    except Exception as error:  # whatever is in it: the thread that renews the table ends with it
        if not row.refused:  # a table is renewed four times a second
            log.warning("event_not_shown", event_id=row.event.id, device=row.event.device, why=repr(error))
        row.refused = True
        where = f"{row.event.device}/{row.event.camera}"
        what = translated(tr("cannot be shown: {why}", why=type(error).__name__))
        return {"camera": where, "kind": what, "label": row.event.id}


def _cells(row: _Row, *, brief: bool = False) -> dict[str, str]:
    """Column -> what stands there. Brief: without the date if that is today."""
    event = row.event
    seen = event.object
    local = event.time.astimezone()
    today = local.date() == datetime.now(UTC).astimezone().date()
    return {
        "time": local.strftime("%H:%M:%S" if brief and today else "%Y-%m-%d %H:%M:%S"),
        "camera": f"{event.device}/{event.camera}",
        "kind": joined(" ", filter(None, (named(KINDS, event.kind), named(DIRECTIONS, event.direction or "")))),
        "label": named(LABELS, seen.label) if seen else named(DETAILS, event.detail or ""),
        "riders": str(seen.riders) if seen and seen.riders else "",
        "rule": event.rule.id,
        "zone": ", ".join(seen.entered_zones) if seen else "",
        "phase": _phase(event),
        "severity": named(SEVERITIES, event.severity),
        "delay": tr("{delay_s:.1f} s", delay_s=row.delay_s),
        "picture": tr("yes") if row.picture else "",
    }


def _phase(event: EventPayload) -> str:
    phase = named(PHASES, event.phase)
    if not event.end_reason:
        return phase
    return tr("{phase} ({why})", phase=phase, why=named(END_REASONS, event.end_reason))


def _delay_s(event: EventPayload) -> float:
    """From the event to this screen, by two machines' clocks."""
    return max(0.0, (datetime.now(UTC) - event.time).total_seconds())
