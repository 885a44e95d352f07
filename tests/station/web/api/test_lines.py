"""station.web.api.lines"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from station.web.api.lines import csv_lines, json_lines
from station.web.api.shapes import ApiEvent

AT = datetime(2026, 3, 2, tzinfo=UTC)


def an_event(text: str, number: int = 1) -> ApiEvent:
    return ApiEvent(
        id=f"e-{number}", revision=1, box="north-01", box_title=text, camera="north", camera_title=text,
        kind="crowd", label=None, riders=0, vehicle_colour=text, clothes_colour=None,
        direction=text, severity="info", phase="start", end_reason=None,
        detail=text, rule=text, rule_kind="crowd", zones=[text, "b"], track_id=None, top_score=0.5, began=AT,
        ended=None, received=AT, late=False, clock="ntp", thumbnail=None, scene=None, review="new",
    )  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_box_is_called_a_row_is_a_row_and_no_formula(text: str) -> None:
    made = b"".join(csv_lines([an_event(text), an_event(text, 2)])).decode()
    rows = list(csv.reader(io.StringIO(made)))

    assert [len(row) for row in rows] == [len(ApiEvent.model_fields)] * 3
    assert made.count("\n") == 3
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(("=", "+", "@"))]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_line_of_json_says_the_same_and_steers_nothing(text: str) -> None:
    (line,) = json_lines([an_event(text)])

    assert json.loads(line)["detail"] == text
    assert line.count(b"\n") == 1 and b"\x1b" not in line


def test_very_many_are_written_as_they_are_read() -> None:
    read: list[int] = []

    def events() -> object:
        for number in range(1000):
            read.append(number)
            yield an_event("x", number)

    parts = csv_lines(events())  # type: ignore[arg-type]
    next(parts)
    assert len(read) < 100
    assert sum(part.count(b"\n") for part in parts) + 64 + 1 == 1001
