"""Events written out, each as it is read: CSV for spreadsheets, JSON for programs. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from agent.printable import printable_json, spreadsheet_cell
from station.web.api.shapes import ApiEvent

AT_ONCE = 64


def json_lines(events: Iterable[ApiEvent]) -> Iterator[bytes]:
    """One object of JSON in each line."""
    for event in events:
        yield (printable_json(event.model_dump_json()) + "\n").encode()


def csv_lines(events: Iterable[ApiEvent]) -> Iterator[bytes]:
    """RFC 4180 with lines ended by LF, the headings first; no text is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(ApiEvent.model_fields)
    for number, event in enumerate(events, 1):
        writer.writerow([_cell(value) for value in event.model_dump(mode="json").values()])
        if number % AT_ONCE == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def _cell(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, list):
        return spreadsheet_cell(", ".join(map(str, value)))
    return spreadsheet_cell("" if value is None else str(value))
