"""Events written out, each as it is read: a table for people, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TextIO

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from agent.cli.moments import duration
from agent.core.types import Severity
from agent.language import translated
from agent.printable import printable, printable_json, spreadsheet_cell
from agent.translatable import joined, tr
from agent.wire.words import DETAILS, DIRECTIONS, END_REASONS, KINDS, LABELS, SEVERITIES, named
from station.lookup.query import FoundEvent

OPEN = tr("open")
"""Of an event whose end has not come."""
_SUMS = 20
"""Lines of the sum below a table at most; the rest is told as a number."""
_GAP = "  "


class Writer(Protocol):
    """Writes events to a stream; nothing of them is kept but sums."""

    def write(self, found: FoundEvent) -> None:
        """One event. Raises BrokenPipeError when nobody reads any more."""
        ...

    def end(self) -> None:
        """After the last one."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    heading: str
    width: int
    """In cells of a terminal; wider text is cut there, and elsewhere stands whole."""
    of: Callable[[FoundEvent], str]


def _who(found: FoundEvent) -> str:
    who = _label(found)
    return tr("{who} ({riders})", who=who, riders=found.riders) if found.riders else who


def _label(found: FoundEvent) -> str:
    return named(LABELS, found.label) if found.label else named(DETAILS, found.detail or "")


def _what(found: FoundEvent) -> str:
    return joined(" ", filter(None, (named(KINDS, found.kind), named(DIRECTIONS, found.direction or ""))))


COLUMNS = (
    Column(tr("began"), 14, lambda found: f"{found.start.astimezone():%m-%d %H:%M:%S}"),
    Column(tr("lasted"), 7, lambda found: OPEN if found.duration_s is None else duration(found.duration_s)),
    Column(tr("camera"), 18, lambda found: f"{found.box}/{found.camera}"),
    Column(tr("what"), 20, _what),
    Column(tr("who"), 13, _who),
    Column(tr("rule"), 16, lambda found: found.rule),
    Column(tr("zone"), 14, lambda found: ", ".join(found.zones)),
    Column(tr("severity"), 9, lambda found: named(SEVERITIES, found.severity)),
    Column(tr("end"), 14, lambda found: f"{found.end.astimezone():%m-%d %H:%M:%S}" if found.end else ""),
    Column(tr("ended by"), 14, lambda found: named(END_REASONS, found.end_reason or "")),
    Column(tr("picture"), 0, lambda found: found.picture or found.scene or ""),
)
"""Those that do not fit into a terminal are left out from the right; the first five fit into 80."""


class TableWriter:
    """Lines in columns, and below them how many of what."""

    def __init__(self, out: TextIO, width: int | None = None, *, coloured: bool = False) -> None:
        """`width` is the terminal's, in cells; None: whole lines with every column."""
        self._out, self._cut = out, width is not None
        self._columns = COLUMNS if width is None else _fitting(width)
        self._alert = Style.parse("bold red" if coloured else "none")
        self._sums: Counter[tuple[str, str]] = Counter()
        self._more = 0

    @property
    def left_out(self) -> tuple[str, ...]:
        """Headings for which there is no room."""
        return tuple(translated(column.heading) for column in COLUMNS if column not in self._columns)

    def write(self, found: FoundEvent) -> None:
        """One line; the headings stand before the first."""
        if not self._sums:
            self._line([column.heading for column in self._columns])
        what, who = _what(found), _label(found)
        if (what, who) in self._sums or len(self._sums) < _SUMS:
            self._sums[what, who] += 1
        else:  # words come from outside: as many as somebody likes
            self._more += 1
        cells = [column.of(found) for column in self._columns]
        self._line(cells, self._alert if found.severity == Severity.ALERT else None)

    def end(self) -> None:
        """How many there were of each."""
        total = self._sums.total() + self._more
        self._out.write(translated(tr("{number} events", number=total)) + "\n")
        for (what, who), number in self._sums.most_common():
            words = f"{number:>7}  {translated(printable(what))}  {translated(printable(who))}"
            self._out.write(words.rstrip() + "\n")
        if self._more:
            self._out.write(f"{self._more:>7}  {translated(tr('others'))}\n")

    def _line(self, cells: list[str], style: Style | None = None) -> None:
        widths = [column.width for column in self._columns]
        shown = _GAP.join(
            _fitted(translated(printable(cell)), width, cut=self._cut)
            for cell, width in zip(cells, widths, strict=True)
        )
        self._out.write((style.render(shown.rstrip()) if style else shown.rstrip()) + "\n")


def _fitting(width: int) -> tuple[Column, ...]:
    used, fitting = -len(_GAP), []
    for column in COLUMNS:
        used += len(_GAP) + column.width
        if used > width or not column.width:
            break
        fitting.append(column)
    return tuple(fitting or COLUMNS[:1])


def _fitted(text: str, width: int, *, cut: bool) -> str:
    length = cell_len(text)
    if length > width and cut:
        return set_cell_size(text, width - 1) + "…"
    return text + " " * max(0, width - length)


def _record(found: FoundEvent) -> dict[str, object]:
    """What programs and spreadsheets get, in the order of their columns."""
    return {
        "start": _local(found.start),
        "end": _local(found.end) if found.end else None,
        "duration_s": found.duration_s,
        "box": found.box,
        "camera": found.camera,
        "kind": found.kind,
        "direction": found.direction,
        "label": found.label,
        "riders": found.riders,
        "vehicle_colour": found.vehicle_colour,
        "clothes_colour": found.clothes_colour,
        "severity": found.severity,
        "rule": found.rule,
        "rule_kind": found.rule_kind,
        "zones": list(found.zones),
        "end_reason": found.end_reason,
        "detail": found.detail,
        "suppressed": found.suppressed,
        "picture": found.picture,
        "scene": found.scene,
        "clock": found.clock,
        "id": found.event_id,
    }


def _local(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="milliseconds")


class JsonWriter:
    """One object of JSON in each line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, found: FoundEvent) -> None:
        """One line."""
        self._out.write(printable_json(json.dumps(_record(found), ensure_ascii=False)) + "\n")

    def end(self) -> None:
        """Nothing: every line is an event."""


class CsvWriter:
    """RFC 4180 with lines ended by LF; every text is in quotes, and none is a formula to a spreadsheet."""

    def __init__(self, out: TextIO) -> None:
        self._csv = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        self._begun = False

    def write(self, found: FoundEvent) -> None:
        """One row; the headings stand before the first."""
        record = _record(found)
        if not self._begun:
            self._begun = True
            self._csv.writerow(record)
        self._csv.writerow([_cell(value) for value in record.values()])

    def end(self) -> None:
        """Nothing: every row is an event."""


def _cell(value: object) -> object:
    if isinstance(value, int | float):
        return value
    return spreadsheet_cell(", ".join(map(str, value)) if isinstance(value, list) else str(value or ""))
