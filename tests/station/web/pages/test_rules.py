"""station.web.pages.rules"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import FalseReason, ReviewState
from tests.station.counting.counts import quarters
from tests.station.lookup.test_query import lasting
from tests.support.duty_room import PHONE
from tests.support.duty_screen import PASSWORD, DutyScreen
from tests.support.stores import Place
from tests.support.told_events import born

HA = Reviewer("ha", "Hà")


@pytest.fixture
def judged(stored: Place, screen: DutyScreen) -> Place:
    """Of one rule twelve were judged in the last hour, eight false; of another one three, a month ago."""
    now = datetime.now(UTC)

    def at(minutes: float) -> dict[str, str]:
        moment = (now - timedelta(minutes=minutes)).isoformat()
        return {"start_time": moment, "time": moment}

    rule = {"rule": {"id": "no-stopping", "kind": "stopped_vehicle"}}
    with closing(stored.open()) as store:
        store.commit([lasting(n, 0, 1, **at(5 + n), **rule) for n in range(1, 13)])
        store.commit([lasting(n, 0, 1, **at(60 * 24 * 40)) for n in range(13, 16)])
        queue = ReviewQueue(stored.engine)
        for n in range(1, 16):
            false = n <= 8
            state = ReviewState.FALSE if false else ReviewState.CONFIRMED
            reason = FalseReason.NORMAL_TRAFFIC if false else None
            queue.mark((1, f"e-{n}"), state, HA, seen=0, reason=reason)
    return stored


def test_a_rule_says_its_share_how_sure_that_is_and_what_would_help(screen: DutyScreen, judged: Place) -> None:
    page = screen.client(language="en").get("/rules?days=90").text

    assert "67 %" in page and "39 to 86 %" in page
    assert "ordinary traffic 8" in page
    assert "above the longest red light" in page and "cameras[].rules[].min_s" in page
    assert "too few judged" in page, "of the three a month ago"


def test_a_rule_is_called_by_its_title_here_in_the_queue_and_among_the_counts(
    screen: DutyScreen, stored: Place
) -> None:
    rules = [
        {"id": "no-stopping", "kind": "stopped_vehicle", "name": "Cấm dừng"},
        {"id": "the-line", "kind": "line", "name": "Vạch chợ"},
    ]
    now = datetime.now(UTC)
    rule = {"id": "no-stopping", "kind": "stopped_vehicle"}
    said = {"start_time": now.isoformat(), "time": now.isoformat(), "rule": rule}
    with closing(stored.open()) as store:
        store.commit([born("north-01", "Chợ", {"north": "Bắc"}, now, north={"rules": rules})])
        store.commit([lasting(n, 0, 1, **said) for n in (1, 2)])
        store.commit(quarters(now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1), 1))
    ReviewQueue(stored.engine).mark((1, "e-1"), ReviewState.CONFIRMED, HA, seen=0)
    client = screen.client()

    for path in ("/rules", "/review", "/counts"):
        page = client.get(path).text
        assert ("Vạch chợ" if path == "/counts" else "Cấm dừng") in page, path


@pytest.mark.parametrize("days", ["", "7", "30", "nonsense", "-1"])
def test_only_what_began_in_the_time_counts(screen: DutyScreen, judged: Place, days: str) -> None:
    answer = screen.client(language="en").get(f"/rules?days={days}")

    if days in ("", "nonsense"):
        assert answer.status_code == 422
    else:
        assert "no-stopping" in answer.text and "stop-line" not in answer.text


def test_without_judgements_it_says_how_there_come_to_be_some(screen: DutyScreen) -> None:
    page = screen.client(language="vi").get("/rules").text

    assert "Trong thời gian này chưa có gì được đánh giá." in page


def test_who_is_not_logged_in_sees_nothing(screen: DutyScreen) -> None:
    assert screen.client(None).get("/rules").headers["location"].startswith("/login")


def test_the_look_is_in_the_audit_log(screen: DutyScreen, judged: Place) -> None:
    screen.client().get("/rules")

    assert screen.acts()[-1] == ("look_up", "rules")


@pytest.mark.browser
def test_nobody_is_shut_out(chromium: Browser, screen: DutyScreen, judged: Place) -> None:
    context = chromium.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{screen.url}/login")
    page.fill("[name=login]", "lan")
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    page.goto(f"{screen.url}/rules")
    found = Axe().run(page)
    serious = [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert serious == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
