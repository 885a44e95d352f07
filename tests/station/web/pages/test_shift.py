"""station.web.pages.shift, over HTTP"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from station.store.schema import camera_status
from tests.support.duty_screen import DutyScreen
from tests.support.duty_store import add_alert, add_box, add_camera_state, add_count, opened
from tests.support.pdf import text_of
from tests.support.people import CHEAP

ROUND = "since=2027-01-15T14:00:00&until=2027-01-15T22:00:00"
"""The afternoon of 15/01/2027."""
AT_MS = 1_800_000_000_000
"""In its second hour."""


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[DutyScreen]:
    """With an alert of that shift."""
    engine = opened(tmp_path)
    with engine.begin() as connection:
        add_alert(connection, add_box(connection, "hai-ninh", "north-01"), 2, 1_800_000_025_000)
    engine.dispose()
    made = DutyScreen(tmp_path, "hai-ninh", cost=CHEAP)
    with made.served():
        yield made
    made.close()


def test_the_page_and_its_pdf_say_the_same(screen: DutyScreen) -> None:
    client = screen.client()

    page, pdf = client.get(f"/shift?{ROUND}").text, client.get(f"/shift.pdf?{ROUND}")

    assert "Bàn giao ca trực: ca chiều" in page
    assert "Thứ Sáu 15/01/2027, 14:00 – 22:00" in page
    assert "Ca này chưa kết thúc" in page, "it ends after now"
    assert "15:00:25" in page
    assert "chưa ai tiếp nhận" in page
    assert f"/shift.pdf?{ROUND.replace('&', '&amp;')}" in page or f"/shift.pdf?{ROUND}" in page
    text = text_of(pdf.content)
    assert "BIÊN BẢN BÀN GIAO CA TRỰC" in text
    assert "15:00:25" in text
    assert pdf.headers["content-disposition"] == 'inline; filename="shift-20270115-1400.pdf"'
    assert [verb for verb, _ in screen.acts()][-2:] == ["view_shift", "export"]


def test_a_shift_that_is_over_says_so_and_between_which_hours_it_was(screen: DutyScreen) -> None:
    past = screen.client().get("/shift?since=2026-01-15T22:00:00&until=2026-01-16T06:00:00").text

    assert "Ca này đã kết thúc" in past and "Ca này chưa kết thúc" not in past
    assert "Thứ Năm 15/01/2026, 22:00 – 06:00, 16/01/2026" in past


def test_the_start_of_an_agent_is_no_row_of_the_outages_and_is_counted(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with engine.begin() as connection:
        box_id = add_box(connection, "hai-ninh", "north-01")
        for state, at_s, reason in (
            ("disabled", 60, "starting"),
            ("streaming", 60.2, None),
            ("lost", 90, None),
        ):
            add_camera_state(connection, box_id, "north", state, AT_MS + round(at_s * 1000), reason)
    screen = DutyScreen(tmp_path, "hai-ninh", cost=CHEAP)
    with closing(screen), screen.served():
        client = screen.client(language="en")
        some = client.get(f"/shift?{ROUND}").text
        with engine.begin() as connection:
            connection.execute(delete(camera_status).where(camera_status.c.state == "lost"))
        brief = client.get(f"/shift?{ROUND}").text
    engine.dispose()

    assert "was starting" not in some + brief
    assert '<strong>1</strong> outages <span class="quiet">and 1 shorter than 10 s</span>' in some
    assert '<strong>0</strong> outages <span class="quiet">and 1 shorter than 10 s</span>' in brief
    assert "gave no pictures" in some
    assert "No outage lasted 10 s or longer." in brief
    assert '0 s <span class="quiet">(1 shorter than 10 s)</span>' in brief


def test_without_a_range_it_is_the_last_shift(screen: DutyScreen) -> None:
    page = screen.client(language="en").get("/shift").text

    assert "Shift hand-over:" in page
    assert "There was no alert." in page
    assert "The shift before" in page


@pytest.mark.parametrize(
    "query",
    ["since=soon&until=later", "since=2027-01-15T14:00:00", "since=2027-01-15T14:00&until=2027-01-15T13:00"],
)
def test_a_range_that_is_none_is_told(screen: DutyScreen, query: str) -> None:
    client = screen.client(language="en")

    assert client.get(f"/shift?{query}").status_code == 422
    assert client.get(f"/shift.pdf?{query}").status_code in (422, 503)


def test_who_was_at_the_screen_is_told_by_name_and_deed(screen: DutyScreen) -> None:
    client = screen.client()
    client.get(f"/shift?{ROUND}")

    now = client.get("/shift?since=2020-01-01T00:00&until=2020-01-02T00:00").text

    assert "Không ai đăng nhập." in now


def test_nobody_sees_a_shift_without_a_login(screen: DutyScreen) -> None:
    for path in ("/shift", "/shift.pdf"):
        assert screen.client(None).get(path, headers={"accept": "*/*"}).status_code == 401


def test_of_a_box_that_invents_lines_the_page_lists_some_and_says_how_many_more(
    screen: DutyScreen, tmp_path: Path
) -> None:
    engine = opened(tmp_path)
    with engine.begin() as connection:
        for number in range(240):
            add_count(connection, 1, number, AT_MS, {"car": {"in": 1}}, rule=f"line-{number:03}")
    engine.dispose()

    page = screen.client(language="en").get(f"/shift?{ROUND}").text

    assert page.count(">line-") == 200
    assert "and 40 more" in page
