"""station.web.pages.counts"""

from __future__ import annotations

import csv
import io
import re
from contextlib import closing
from datetime import date, datetime, timedelta
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from station.counting.buckets import Step
from station.counting.lines import MOST_LINES
from station.counting.table import By
from station.web.pages.counts import CountWish
from tests.station.counting.counts import QUARTER, VIETNAM, a_count, quarters
from tests.station.web.conftest import screen_of
from tests.support.duty_room import DESK, PHONE
from tests.support.duty_screen import PASSWORD, DutyScreen
from tests.support.stores import Place

DAY = date(2026, 3, 2)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=VIETNAM)
LINE = "north-01/north/the-line"
COUNTS = {"motorcycle": {"in": 7, "out": 3}, "car": {"in": 2}}


def of(line: str = LINE, step: Step = Step.HOUR, **more: object) -> str:
    return CountWish(line, DAY, DAY, step, By.DIRECTION, earlier=False).href(**more)  # type: ignore[arg-type]


def fill(place: Place) -> Place:
    """The line counted from midnight to ten and from noon on, and all the week before."""
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT, 40, counts=COUNTS))
        store.commit(quarters(MIDNIGHT + 48 * QUARTER, 48, 49, counts=COUNTS))
        store.commit(quarters(MIDNIGHT - timedelta(days=7), 96, 101, counts={"car": {"in": 10}}))
    return place


@pytest.fixture
def counts(stored: Place, screen: DutyScreen) -> Place:
    return fill(stored)


def test_a_chart_and_a_table_say_the_same_and_a_gap_is_no_zero(place: Place) -> None:
    """On either database."""
    with screen_of(place) as screen:
        fill(place)
        page = screen.client(language="en").get(of()).text

    assert page.count("<svg") >= 2 and "url(#not-counted-1080)" in page
    rows = re.findall(r'<tr><th scope="row">(.*?)</tr>', page)
    assert len(rows) == 24
    at = {hour: re.sub(r"<.*?>", " ", rows[hour]).split() for hour in (9, 10)}
    assert at[9] == ["09:00", "02/03/2026", "36", "12", "48"]
    assert at[10] == ["10:00", "02/03/2026", "not", "counted", "–", "–", "–"]
    assert "20 % more than a week earlier: 1,056 now, 880 then." in page
    assert "Only 22 of 24 hours are compared" in page


def test_the_same_for_a_spreadsheet(screen: DutyScreen, counts: Place) -> None:
    answer = screen.client().get(of().replace("/counts?", "/counts.csv?"))

    assert answer.headers["content-type"].startswith("text/csv")
    assert "counts-20260302-20260302.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["count"] for row in rows if row["start"].startswith("2026-03-02T10")} == {""}
    assert sum(int(row["count"] or 0) for row in rows) == 88 * 12


def test_looks_and_exports_are_in_the_audit_log(screen: DutyScreen, counts: Place) -> None:
    client = screen.client()
    client.get(of())
    assert screen.acts()[-1] == ("view_counts", LINE)
    client.get(of().replace("/counts?", "/counts.csv?"))
    assert screen.acts()[-1] == ("export", "counts.csv")


def test_without_any_count_it_says_how_there_come_to_be_some(screen: DutyScreen) -> None:
    for path in ("/counts", of()):
        assert "Chưa hộp nào đếm gì." in screen.client(language="vi").get(path).text


def test_what_is_not_said_is_the_last_seven_days_of_the_first_line_that_counted_in_them(
    screen: DutyScreen, counts: Place
) -> None:
    now = datetime.now(VIETNAM)
    with closing(counts.open()) as store:
        store.commit(quarters(now - timedelta(days=30), 1, device="a-before", counts=COUNTS))
        store.commit(quarters(now - timedelta(days=2), 1, device="b-then", counts=COUNTS))
        store.commit(quarters(now - timedelta(hours=1), 1, device="c-newest", counts=COUNTS))
    page = screen.client(language="en").get("/counts").text

    assert 'value="b-then/north/the-line" selected' in page
    assert page.count('<th scope="row">') == 7
    asked = screen.client(language="en").get(f"/counts?first={DAY}&last={DAY}").text
    assert f'value="{LINE}" selected' in asked


def test_where_none_counted_in_the_period_it_opens_with_the_first_line_of_the_list(
    screen: DutyScreen, counts: Place
) -> None:
    with closing(counts.open()) as store:
        store.commit(quarters(MIDNIGHT, 1, device="zz-01"))
        store.commit(quarters(MIDNIGHT, 1, 100, rule="after-it"))
    client = screen.client(language="en")

    for path in ("/counts", "/counts?first=2026-03-05&last=2026-03-02"):
        page = client.get(path).text
        listed = re.findall(r'<option value="([^"]*/[^"]*/[^"]*)"( selected)?', page)
        assert listed[0] == ("north-01/north/after-it", " selected")


def test_a_box_that_dates_itself_ahead_does_not_choose_the_line_that_the_page_opens_with(
    screen: DutyScreen, counts: Place
) -> None:
    now = datetime.now(VIETNAM)
    with closing(counts.open()) as store:
        store.commit(quarters(now - timedelta(hours=1), 1, 200, counts=COUNTS))
        store.commit(quarters(now - timedelta(days=30), 1, device="ahead-01"))
        store.commit(quarters(now + timedelta(days=30), 1, 2, device="ahead-01"))
        store.commit(quarters(now + timedelta(days=9000), 1, device="zz-ahead"))

    page = screen.client(language="en").get("/counts").text

    assert f'value="{LINE}" selected' in page


@pytest.mark.parametrize(
    "path",
    [
        "/counts?first=nonsense&last=2026-13-40&step=x&by=y&line=z",
        "/counts?line=../../etc/passwd",
        "/counts?first=0001-01-01&last=9999-12-31",
    ],
)
def test_an_address_that_somebody_made_up_shows_counts(screen: DutyScreen, counts: Place, path: str) -> None:
    assert screen.client().get(path).status_code == 200


def test_a_period_that_cannot_be_shown_is_said(screen: DutyScreen, counts: Place) -> None:
    client = screen.client(language="en")
    for path, said in (
        (of(first="2026-03-05"), "the period ends before it begins"),
        (of(first="2024-03-05"), "longer than 32 days"),
    ):
        answer, file = client.get(path), client.get(path.replace("/counts?", "/counts.csv?"))
        assert (answer.status_code, file.status_code) == (422, 422)
        assert said in answer.text and said in file.text


def test_an_earlier_name_is_offered_and_goes_with_it_if_it_is_wanted(screen: DutyScreen, stored: Place) -> None:
    with closing(stored.open()) as store:
        store.commit(quarters(MIDNIGHT, 40, rule="old-name"))
        store.commit(quarters(MIDNIGHT + 40 * QUARTER, 56, 41))
    client = screen.client(language="en")

    page = client.get(of(step=Step.DAY)).text
    assert "with its earlier name old-name" in page and "only 58 % of the time counted" in page
    whole = client.get(of(step=Step.DAY, earlier="1")).text
    assert "checked" in whole and "of the time counted" not in whole and "<strong>96</strong>" in whole


def test_two_lines_that_are_new_together_are_not_each_other_s_earlier_name(
    screen: DutyScreen, stored: Place
) -> None:
    """Each was taken for what the other was called before, and the page went from one to the other for ever."""
    with closing(stored.open()) as store:
        store.commit([*quarters(MIDNIGHT, 1), *quarters(MIDNIGHT, 1, 2, rule="beside-it")])

    page = screen.client(language="en").get(of(earlier="1")).text

    assert "over the line, as far as it was counted" in page and "earlier name" not in page


def test_of_a_box_that_invents_lines_only_some_are_listed_and_the_page_says_so(
    screen: DutyScreen, counts: Place
) -> None:
    with closing(counts.open()) as store:
        for at in range(MOST_LINES + 40):
            store.commit(quarters(MIDNIGHT, 1, 1 + at, rule=f"r{at:04}", device="evil-01"))
    client = screen.client(language="en")

    page = client.get(of()).text
    assert page.count('<option value="evil-01/') == MOST_LINES
    assert f'value="{LINE}" selected' in page
    assert f"evil-01 has counted at more lines than the {MOST_LINES} that are listed here." in page
    beyond = f"evil-01/north/r{MOST_LINES + 39:04}"
    unlisted = client.get(of(beyond)).text
    assert f'value="{beyond}" selected' in unlisted
    assert unlisted.count('<option value="evil-01/') == MOST_LINES + 1
    assert "đã đếm ở nhiều vạch hơn" in screen.client(language="vi").get(of()).text


def test_what_cannot_be_dated_and_what_is_missing_is_told(screen: DutyScreen, stored: Place) -> None:
    unknown = {"clock": {"state": "unknown"}, "counts": {"car": {"in": 5}}}
    with closing(stored.open(gap_after_s=0, now=(MIDNIGHT + timedelta(hours=5)).timestamp)) as store:
        store.commit(quarters(MIDNIGHT, 4))
        store.commit([a_count(9, datetime(1970, 1, 1, 1, tzinfo=VIETNAM) + timedelta(days=1), **unknown)])
        store.attend()
        store.attend()

    page = screen.client(language="en").get(of()).text

    assert "5 more were counted in 1 intervals" in page
    assert "4 messages of this box have not come yet" in page


def test_script_in_names_and_labels_does_nothing(screen: DutyScreen, stored: Place) -> None:
    evil = "<script>alert(1)</script>"
    with closing(stored.open()) as store:
        store.commit(quarters(MIDNIGHT, 4, rule="the-line", counts={evil: {evil: 3}}))
    client = screen.client()
    for by in By:
        page = client.get(of(by=by)).text
        assert evil not in page and "&lt;script&gt;alert(1)" in page
    assert client.get(of(line=quote(evil))).status_code == 200


def test_the_page_is_in_vietnamese(screen: DutyScreen, counts: Place) -> None:
    page = screen.client(language="vi").get(of()).text

    for word in ("Số đếm", "vào", "ra", "không đếm", "Nhiều hơn tuần trước 20 %", "1.056"):
        assert word in page
    assert "not counted" not in page.replace("not-counted", "")


@pytest.mark.browser
def test_a_chart_is_seen_on_a_desk_and_on_a_phone_and_nobody_is_shut_out(
    chromium: Browser, screen: DutyScreen, counts: Place
) -> None:
    context = chromium.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(f"{screen.url}/login")
    page.fill("[name=login]", "lan")
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    for size, kind, other in ((DESK, "wide", "phone"), (PHONE, "phone", "wide")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(screen.url + of())
        expect(page.locator(f".chart .{kind} svg")).to_be_visible()
        expect(page.locator(f".chart .{other} svg")).to_be_hidden()
        found = Axe().run(page)
        serious = [
            each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
    context.close()
