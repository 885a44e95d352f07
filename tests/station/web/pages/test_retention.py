"""station.web.pages.retention"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from station.access.audit_log import AuditQuery
from station.access.roles import Role
from station.review.states import ReviewState
from tests.support.aged_store import AgedStore
from tests.support.screens import Screen, csrf_of, screen
from tests.support.stores import Place

DAYS = "}\nretention: {pictures: 30, events: 365, alerts: 90"
EVENT = "/events/north-01/e-1"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Screen]:
    with screen(tmp_path, DAYS) as found:
        yield found


@pytest.fixture
def aged(room: Screen) -> Iterator[AgedStore]:
    """The same store."""
    folder = room.console.config.state_dir
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    found = AgedStore(place)
    yield found
    found.close()
    place.close()


@pytest.fixture
def minh(room: Screen) -> httpx.Client:
    return room.visitor(Role.SUPERVISOR)


def noted(room: Screen, verb: str) -> list[tuple[str, dict[str, Any]]]:
    return [(each.subject, dict(each.details)) for each in room.console.audit.every(AuditQuery(verb=verb))]


def say(client: httpx.Client, **form: str) -> httpx.Response:
    csrf = csrf_of(client.get(EVENT).text)
    return client.post(f"{EVENT}/hold", data={"csrf": csrf, **form})


def test_an_empty_station_says_so_and_the_look_is_noted(room: Screen, minh: httpx.Client) -> None:
    page = minh.get("/retention").text

    for words in ("30 ngày", "365 ngày", "mãi mãi", "Trong ba tháng qua không có gì bị xóa"):
        assert words in page
    assert "Không có sự kiện nào được giữ lại" in page
    assert "chỉ còn những gì được giữ lại" not in page  # of what is not here, nothing is held
    assert (page.count("không bao giờ xóa"), "chưa bao giờ" in page) == (4, False)
    assert noted(room, "view_retention") == [("", {})]


def test_without_days_the_page_says_that_nothing_is_ever_deleted(tmp_path: Path) -> None:
    with screen(tmp_path) as room:
        assert "Ở đây không có gì bị xóa" in room.visitor(Role.SUPERVISOR).get("/retention").text


def test_an_officer_is_refused_and_has_no_buttons(room: Screen, aged: AgedStore) -> None:
    aged.event(1, 3)
    lan = room.visitor(Role.OFFICER)

    assert lan.get("/retention").status_code == 403
    assert "/retention" not in lan.get("/").text
    assert say(lan, act="hold", case="1", reason="x").status_code == 403
    assert f"{EVENT}/hold" not in lan.get(EVENT).text
    assert aged.place.rows("select * from event_hold") == []


def test_a_supervisor_holds_an_event_sees_it_here_and_lets_it_go(
    room: Screen, minh: httpx.Client, aged: AgedStore
) -> None:
    aged.event(1, 3)

    assert say(minh, act="hold", case="12/VA/2026", reason="va chạm ở ngã tư").status_code == 303
    page, its = minh.get("/retention").text, minh.get(EVENT).text
    for words in ("12/VA/2026", "va chạm ở ngã tư", "Cán bộ minh"):
        assert words in page
        assert words in its
    assert "e-1<" not in page
    assert noted(room, "hold") == [("north-01/e-1", {"case": "12/VA/2026", "reason": "va chạm ở ngã tư"})]

    assert say(minh, act="release", reason="xong").status_code == 303
    assert "12/VA/2026" not in minh.get("/retention").text
    assert noted(room, "release") == [("north-01/e-1", {"reason": "xong"})]


def test_the_case_of_what_was_confirmed_is_closed_on_its_page(
    room: Screen, minh: httpx.Client, aged: AgedStore
) -> None:
    aged.event(1, 100, severity="alert")
    aged.review(1, ReviewState.CONFIRMED)
    assert "Sự kiện được giữ đến khi vụ việc đóng lại" in minh.get(EVENT).text

    assert say(minh, act="closing", case="12/2026", reason="đã chuyển hồ sơ").status_code == 303

    assert "đã đóng: đã chuyển hồ sơ" in minh.get(EVENT).text
    assert noted(room, "case_closed") == [("north-01/e-1", {"case": "12/2026", "reason": "đã chuyển hồ sơ"})]
    aged.run(alerts=90)
    assert minh.get(EVENT).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"act": "hold", "case": "", "reason": "why"},
        {"act": "hold", "case": "1", "reason": " "},
        {"act": "release", "reason": "not held"},
        {"act": "closing", "case": "1", "reason": "no case"},
    ],
)
def test_what_may_not_be_done_is_neither_done_nor_noted(
    room: Screen, minh: httpx.Client, aged: AgedStore, form: dict[str, str]
) -> None:
    aged.event(1, 3)

    assert say(minh, **form).status_code == 422

    assert aged.place.rows("select * from event_hold") == []
    assert [noted(room, verb) for verb in ("hold", "release", "case_closed")] == [[], [], []]


@pytest.mark.long
def test_what_was_deleted_stands_there_with_its_rule(room: Screen, minh: httpx.Client, aged: AgedStore) -> None:
    for number in range(1, 4):
        aged.event(number, 40, picture=b"p%d" % number)
    aged.run(pictures=30, events=365)

    page = minh.get("/retention").text
    assert "ảnh của sự kiện thông tin" in page
    assert "quá 30 ngày, và không được giữ lại" in page
    assert "Ảnh đã bị xóa: ảnh của sự kiện thông tin được giữ 30 ngày" in minh.get(EVENT).text
    audit = minh.get("/audit", params={"verb": "deleted"}).text
    assert "đã xóa do hết hạn" in audit
    assert "ngatu" in audit
