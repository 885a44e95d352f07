"""station.web.search.export"""

from __future__ import annotations

import csv
import json
from zoneinfo import ZoneInfo

from station.lookup.timeline.outages import Outage
from station.web.render import Templates
from station.web.search.export import csv_lines, json_lines
from tests.station.lookup.test_words import card

TEMPLATES = Templates(ZoneInfo("Asia/Ho_Chi_Minh"))


def test_a_table_has_words_of_people_in_their_language() -> None:
    lines = "".join(csv_lines([card(review="false", review_reason="animal", late=True)], TEMPLATES, "vi", []))
    heading, row = csv.reader(lines.removeprefix("\ufeff").splitlines())

    assert len(heading) == len(row)
    assert row[:2] == ["27/11/2026", "13:50:00"]
    assert "xe máy" in row
    assert "ngược chiều" in row
    assert not any(word in ("motorcycle", "wrong_way", "false", "animal") for word in row)


def test_what_it_is_instead_has_a_column_and_a_field() -> None:
    wrong = card(review="false", review_reason="wrong_label", review_right_label="bus")
    lines = "".join(csv_lines([wrong], TEMPLATES, "en", []))
    heading, row = csv.reader(lines.removeprefix("\ufeff").splitlines())
    (found,) = json.loads("".join(json_lines([wrong], TEMPLATES, [])))["events"]

    assert dict(zip(heading, row, strict=True))["what it is"] == "bus"
    assert (found["review_reason"], found["review_right_label"]) == ("wrong_label", "bus")


def test_no_cell_is_a_formula_whatever_a_box_calls_itself() -> None:
    hostile = card(box_title="=1+1", camera_title="@x", rule="-2", zones=("+3",))
    lines = "".join(csv_lines([hostile], TEMPLATES, "en", []))

    assert [cell for cell in list(csv.reader(lines.splitlines()))[1] if cell[:1] in "=@-+" and cell] == []
    assert "'=1+1" in lines


def test_a_table_says_first_when_nobody_watched_and_a_row_of_that_has_no_id() -> None:
    away = [
        Outage("Ngã tư chợ", "", "offline", 1_795_800_000_000, None, ""),
        Outage("Ngã tư chợ", "Hướng Bắc", "lost", 1_795_700_000_000, 1_795_790_000_000, ""),
    ]
    lines = "".join(csv_lines([card()], TEMPLATES, "vi", away)).removeprefix("\ufeff").splitlines()
    lost, offline, event = csv.DictReader(lines)

    assert lost["camera"] == "Hướng Bắc" and lost["sự kiện"] == "không thấy hết: không có hình"
    assert (lost["ngày"], lost["kết thúc"]) == ("26/11/2026", "27/11/2026 21:33:20")
    assert offline["kết thúc"] == offline["camera"] == "", "it goes on, and is of all its cameras"
    assert [each["mã định danh"] for each in (lost, offline, event)] == ["", "", "e-1"]
    (row,) = csv.DictReader("".join(csv_lines([], TEMPLATES, "vi", None)).removeprefix("\ufeff").splitlines())
    assert "chọn khoảng ngắn hơn" in row["sự kiện"]


def test_json_is_one_object_however_many_events_there_are_and_says_when_nobody_watched() -> None:
    away = [{"box": "b-1", "camera": None, "state": "offline"}]
    assert json.loads("".join(json_lines([], TEMPLATES, away))) == {"events": [], "unwatched": away}
    assert json.loads("".join(json_lines([], TEMPLATES, None)))["unwatched"] is None
    cards = [card(), card(event_id="e-2", detail="\u2028")]
    found = json.loads("".join(json_lines(cards, TEMPLATES, away)))["events"]

    assert [each["id"] for each in found] == ["e-1", "e-2"]
    assert (found[0]["kind"], found[0]["start"]) == ("wrong_way", "2026-11-27T13:50:00.000+07:00")
