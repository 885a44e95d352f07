"""station.counting.export"""

from __future__ import annotations

import csv
import io
from datetime import date

from station.counting.buckets import Step, buckets
from station.counting.export import HEADINGS, write_csv
from station.counting.lines import CountedLine
from station.counting.series import CountCell, Series
from tests.station.counting.counts import VIETNAM

DAY = date(2026, 11, 27)
HOUR_MS = 3_600_000


def written(rule: str = "the-line", label: str = "car") -> tuple[str, list[dict[str, str]]]:
    hours = buckets(DAY, DAY, Step.HOUR, VIETNAM)
    cells = (
        CountCell(hours[0], HOUR_MS, {(label, "in"): 3, ("bus", "out"): 1}),
        CountCell(hours[1], HOUR_MS, {}),
        CountCell(hours[2], 0, None),
        CountCell(hours[3], HOUR_MS // 4, {("bus", "in"): 2}, is_parted=True),
    )
    line = CountedLine(1, "north-01", "north", rule, 0, 0)
    out = io.StringIO()
    number = write_csv(Series((line,), Step.HOUR, cells), out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert number == len(rows)
    return out.getvalue(), rows


def test_each_time_label_and_direction_is_a_row_and_unknown_is_not_zero() -> None:
    text, rows = written()

    assert text.splitlines()[0] == ",".join(f'"{heading}"' for heading in HEADINGS)
    assert [(row["label"], row["direction"], row["count"], row["coverage"]) for row in rows] == [
        ("bus", "out", "1", "whole"),
        ("car", "in", "3", "whole"),
        ("", "", "0", "whole"),
        ("", "", "", "unknown"),
        ("bus", "in", "2", "partly"),
    ]
    assert rows[0]["start"] == "2026-11-27T00:00+07:00"
    assert [row["covered_percent"] for row in rows] == ["100.0", "100.0", "100.0", "0.0", "25.0"]
    assert [row["parted"] for row in rows] == ["no", "no", "no", "no", "yes"]


def test_no_cell_is_a_formula_and_each_row_is_one_line() -> None:
    text, rows = written('=HYPERLINK("http://x")', "+cmd|' /c calc'!A0\n=1\x1b[2J")

    assert {row["line"] for row in rows} == {'\'=HYPERLINK("http://x")'}
    assert {row["label"] for row in rows} >= {"'+cmd|' /c calc'!A0 =1\ufffd[2J"}
    assert len(text.splitlines()) == len(rows) + 1
