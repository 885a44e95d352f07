"""Counts as CSV: a row for each time, label and direction, so that a spreadsheet can make any table of them."""

from __future__ import annotations

import csv
from typing import Final, TextIO

from agent.printable import spreadsheet_cell
from station.counting.series import Series

HEADINGS: Final = (
    "start", "end", "box", "camera", "line", "label", "direction", "count", "covered_percent", "coverage",
    "parted",
)  # fmt: skip


def write_csv(series: Series, out: TextIO) -> int:
    """RFC 4180 with lines ended by LF; every text is in quotes, and none is a formula. Gives back the rows.

    What was not counted is a row with an empty `count`, and coverage `unknown`; where nobody came, it is 0.
    Times are local, with their offset from UTC, so that an hour that comes twice can be told apart.
    """
    rows = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(HEADINGS)
    line = series.lines[-1] if series.lines else None
    place = (line.box, line.camera, line.rule) if line is not None else ("", "", "")
    written = 0
    for cell in series.cells:
        times = cell.bucket.start.isoformat(timespec="minutes"), cell.bucket.end.isoformat(timespec="minutes")
        quality = round(cell.share * 100, 1), str(cell.covered), "yes" if cell.is_parted else "no"
        numbers: list[tuple[str, str, int | str]]
        if cell.numbers is None:
            numbers = [("", "", "")]
        else:
            entries = sorted(cell.numbers.items())
            numbers = [(label, way, number) for (label, way), number in entries] or [("", "", 0)]
        for label, way, number in numbers:
            rows.writerow(_cell(each) for each in (*times, *place, label, way, number, *quality))
            written += 1
    return written


def _cell(value: object) -> object:
    return value if isinstance(value, int | float) else spreadsheet_cell(str(value))
