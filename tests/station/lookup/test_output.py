"""station.lookup.output"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from station.lookup.output import CsvWriter, JsonWriter, TableWriter
from station.lookup.query import FoundEvent

START = datetime(2026, 11, 27, 11, 3, 12, 412_000, tzinfo=UTC)
EVENT = FoundEvent(
    start=START,
    end=START + timedelta(seconds=62),
    box="hai-ninh-03",
    camera="north",
    kind="line_crossed",
    direction="in",
    label="motorcycle",
    riders=2,
    vehicle_colour="red",
    clothes_colour=None,
    severity="alert",
    rule="stop-line",
    rule_kind="line",
    zones=("road", "junction"),
    end_reason="left",
    detail=None,
    suppressed=0,
    picture="ab" * 32,
    scene=None,
    clock="ntp",
    event_id="e-1",
)
HOSTILE = replace(
    EVENT, rule="=cmd|' /C calc'!A0", zones=("\x1b]52;c;x\x07", "@SUM(A1)"), detail="a\r\n\u202eb"
)


@pytest.fixture(autouse=True)
def east_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def table(*events: FoundEvent, width: int | None = None, coloured: bool = False) -> list[str]:
    out = io.StringIO()
    writer = TableWriter(out, width, coloured=coloured)
    for event in events:
        writer.write(event)
    writer.end()
    return out.getvalue().splitlines()


def test_a_row_says_when_how_long_where_what_who_by_which_rule_and_in_which_zone() -> None:
    _, row, *_ = table(EVENT)

    assert row.split() == [
        *("11-27", "18:03:12", "1:02", "hai-ninh-03/north", "line_crossed", "in", "motorcycle", "(2)"),
        *("stop-line", "road,", "junction", "alert", "11-27", "18:04:14", "left", "ab" * 32),
    ]


def test_an_event_without_an_end_is_open() -> None:
    assert table(replace(EVENT, end=None))[1].split()[2] == "open"


@pytest.mark.parametrize("width", [20, 80, 81, 120, 200])
def test_a_terminal_gets_whole_columns_that_fit(width: int) -> None:
    long = replace(EVENT, rule="cổng trường tiểu học Hải Ninh", zones=("道路" * 20,))
    out = io.StringIO()
    writer = TableWriter(out, width)
    writer.write(long)

    lines = out.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    shown = [each for each in ("began", "who", "rule", "zone", "ended by") if each in lines[0]]
    assert not set(shown) & set(writer.left_out)
    assert {80: "who", 120: "zone", 200: "ended by"}.get(width, "began") in lines[0]


def test_below_the_rows_stands_how_many_of_what() -> None:
    lines = table(EVENT, EVENT, replace(EVENT, label="car"))

    assert lines[-3:] == ["3 events", "      2  line_crossed in  motorcycle", "      1  line_crossed in  car"]


def test_words_from_outside_do_not_make_the_sum_long() -> None:
    lines = table(*(replace(EVENT, label=f"word-{number}") for number in range(500)))

    assert "500 events" in lines
    assert lines[-1] == "    480  others"


def test_nothing_found_is_said() -> None:
    assert table() == ["0 events"]


def test_only_alerts_are_coloured_and_only_where_it_is_wanted() -> None:
    _, alert, info, *_ = table(EVENT, replace(EVENT, severity="info"), coloured=True)

    assert "\x1b[" in alert
    assert "\x1b[" not in info
    assert "\x1b[" not in "".join(table(EVENT))


def rows(*events: FoundEvent) -> list[dict[str, str]]:
    out = io.StringIO()
    writer = CsvWriter(out)
    for event in events:
        writer.write(event)
    writer.end()
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_a_spreadsheet_gets_every_column_with_the_zone_in_its_times() -> None:
    (row,) = rows(EVENT)

    assert row["start"] == "2026-11-27T18:03:12.412+07:00"
    assert row["end"] == "2026-11-27T18:04:14.412+07:00"
    assert (row["vehicle_colour"], row["clothes_colour"]) == ("red", "")
    assert (row["duration_s"], row["riders"], row["zones"]) == ("62.0", "2", "road, junction")
    assert (row["detail"], row["picture"], row["id"]) == ("", "ab" * 32, "e-1")


def test_no_cell_is_a_formula_or_steers_a_terminal() -> None:
    (row,) = rows(HOSTILE)

    assert row["rule"] == "'=cmd|' /C calc'!A0"
    assert row["detail"] == "a \ufffdb"
    assert not set("\x1b\x07") & set("".join(row.values()))


@given(st.text(), st.text())
def test_every_event_is_one_line_without_control_characters(rule: str, zone: str) -> None:
    event = replace(EVENT, rule=rule, zones=(zone,))
    for kind in (CsvWriter, JsonWriter, TableWriter):
        out = io.StringIO()
        kind(out).write(event)
        lines = out.getvalue().splitlines()
        assert len(lines) == (1 if kind is JsonWriter else 2)
        assert not any(each < " " or each == "\x7f" for each in "".join(lines))
    (row,) = rows(event)
    assert not row["rule"].lstrip().startswith(("=", "+", "-", "@"))


def test_json_says_the_same_in_one_line_and_steers_nothing() -> None:
    out = io.StringIO()
    writer = JsonWriter(out)
    for event in (EVENT, HOSTILE):
        writer.write(event)
    writer.end()

    first, second = out.getvalue().splitlines()
    assert json.loads(first)["zones"] == ["road", "junction"]
    assert json.loads(first)["duration_s"] == 62.0
    assert json.loads(second)["rule"] == HOSTILE.rule
    assert not set("\x1b\x07\u202e") & set(out.getvalue())
    assert "\x1b" not in "".join(table(HOSTILE))
