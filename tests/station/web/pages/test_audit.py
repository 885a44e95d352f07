"""station.web.pages.audit"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from station.access.audit_entry import Actor, AuditVerb
from station.access.audit_log import AuditQuery
from station.access.roles import Role
from tests.support.people import LAN
from tests.support.screens import Screen, screen

EVENT = "01a21dd9-9b17-75f6-85cd-184105f1e6f3"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Screen]:
    with screen(tmp_path) as found:
        yield found


@pytest.fixture
def minh(room: Screen) -> httpx.Client:
    return room.visitor(Role.SUPERVISOR)


def note(room: Screen, verb: AuditVerb, subject: str, who: Actor = LAN, **detail: Any) -> None:
    room.console.audit.note(who, verb, subject, detail)


def rows(page: httpx.Response) -> str:
    """The table alone."""
    return page.text.partition("<tbody>")[2].partition("</tbody>")[0]


def test_it_reads_as_people_say_it_without_raw_ids_and_says_that_it_is_whole(
    room: Screen, minh: httpx.Client
) -> None:
    note(room, AuditVerb.VIEW_EVENT, EVENT)
    note(room, AuditVerb.ACCOUNT_CHANGED, "hoa", Actor("", "root", "", "station"), disabled=True)
    page = minh.get("/audit")

    for words in ("xem một sự kiện", "Nguyễn Thị Lan", "…f1e6f3", "máy của trạm", "đã khóa", "có", "đăng nhập"):
        assert words in rows(page)
    assert EVENT not in page.text
    assert "view_event" not in rows(page)
    assert "Nhật ký còn nguyên vẹn" in page.text


def test_each_look_into_it_stands_in_it(room: Screen, minh: httpx.Client) -> None:
    minh.get("/audit", params={"who": "lan", "verb": "export", "subject": "car", "since": "2026-03-02"})
    found = next(room.console.audit.every(AuditQuery(verb="view_audit")))

    assert found.login == "minh"
    assert {**found.details, "since_ms": 0} == {"who": "lan", "deed": "export", "words": "car", "since_ms": 0}


def test_it_is_searched_by_who_what_when_and_words(room: Screen, minh: httpx.Client) -> None:
    note(room, AuditVerb.LOOK_UP, "north-01/gate", words="xe máy")
    note(room, AuditVerb.EXPORT, "south-02")

    def subjects(**asked: str) -> tuple[bool, bool]:
        text = rows(minh.get("/audit", params=asked))
        return "north-01/gate" in text, "south-02" in text

    today = datetime.now(room.console.zone).date()
    assert subjects() == (True, True)
    assert subjects(who="lan", verb="export") == (False, True)
    assert subjects(who="minh") == (False, False)
    assert subjects(subject="gate máy") == (True, False)
    assert subjects(since=str(today), until=str(today)) == (True, True)
    assert subjects(until=str(today - timedelta(days=1))) == (False, False)
    assert subjects(since=str(today + timedelta(days=1))) == (False, False)


@pytest.mark.long
def test_pages_go_back_to_the_first_entry(room: Screen, minh: httpx.Client) -> None:
    for number in range(120):
        note(room, AuditVerb.LOOK_UP, f"box-{number:03}")
    seen: list[str] = []
    path = "/audit?verb=look_up"
    while path:
        page = minh.get(path).text
        seen += [f"box-{number:03}" for number in range(120) if f"box-{number:03}" in page]
        link = page.partition('href="/audit?')[2].partition('" rel="next"')
        path = "/audit?" + link[0].rpartition('href="/audit?')[2].replace("&amp;", "&") if link[1] else ""

    assert sorted(seen) == [f"box-{number:03}" for number in range(120)]


def test_a_break_is_said_where_it_is(room: Screen, minh: httpx.Client) -> None:
    for number in range(3):
        note(room, AuditVerb.LOOK_UP, f"box-{number}")
    with room.console.writes.begin() as connection:
        connection.exec_driver_sql("update audit_entry set subject = 'other' where subject = 'box-1'")
    page = minh.get("/audit").text

    assert "đã bị sửa từ bên ngoài" in page
    assert "Không còn như cũ: mục" in page


def test_the_export_has_all_that_was_asked_and_no_formula(room: Screen, minh: httpx.Client) -> None:
    note(room, AuditVerb.LOOK_UP, "=HYPERLINK(1)", words="@x")
    note(room, AuditVerb.VIEW_EVENT, EVENT)
    answer = minh.get("/audit/export.csv", params={"who": "lan"})
    table = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    assert table[0][:3] == ["giờ", "tên đăng nhập", "họ tên"]
    assert [each[6] for each in table[1:]] == [EVENT, "'=HYPERLINK(1)"]
    assert {len(each) for each in table} == {8}
    found = next(room.console.audit.every(AuditQuery(verb="export")))
    assert (found.login, found.details) == ("minh", {"format": "csv", "who": "lan"})


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"verb": "' or 1=1"},
        {"who": "%_\\"},
        {"subject": "\x00"},
        {"before": "1"},
    ],
)
def test_whatever_is_asked_is_answered(minh: httpx.Client, asked: dict[str, str]) -> None:
    assert minh.get("/audit", params=asked).status_code == 200
    assert minh.get("/audit/export.csv", params=asked).status_code == 200


def test_nothing_found_says_what_to_do(minh: httpx.Client) -> None:
    assert "Không có việc nào phù hợp" in minh.get("/audit", params={"subject": "never-said"}).text


def test_what_was_noted_is_text(room: Screen, minh: httpx.Client) -> None:
    note(room, AuditVerb.LOOK_UP, "<script>alert(1)</script>", words="<img src=x onerror=alert(1)>")
    page = minh.get("/audit").text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
