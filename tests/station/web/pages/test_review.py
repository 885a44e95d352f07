"""station.web.pages.review"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import ReviewState
from station.store.database import engine_of
from station.web.pages.review import QueueWish
from tests.station.lookup.test_query import lasting
from tests.station.store.test_store import altered
from tests.station.web.conftest import screen_of
from tests.support.duty_room import DESK, PHONE, soon
from tests.support.duty_screen import PASSWORD, DutyScreen, csrf_of
from tests.support.kept_events import event_now
from tests.support.stores import Place
from tests.support.told_boxes import ToldBox

FIRST = "/events/north-01/e-1/review"


def fill(place: Place) -> Place:
    """e-1 to e-4, the last one the newest; e-2 is of another camera."""
    with closing(place.open()) as store:
        store.commit([lasting(n, n, n + 0.5, camera="south" if n == 2 else "north") for n in range(1, 5)])
    return place


@pytest.fixture
def alerts(stored: Place, screen: DutyScreen) -> Place:
    return fill(stored)


class Desk:
    """Somebody at the screen, by HTTP alone."""

    def __init__(self, screen: DutyScreen, login: str = "lan", language: str = "en") -> None:
        self.client: httpx.Client = screen.client(login, language)
        self.csrf = csrf_of(self.client.get("/review").text)

    def page(self, path: str = "/review") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str = FIRST, *, json: bool = False, **fields: object) -> httpx.Response:
        accept = "application/json" if json else "text/html"
        data = {"csrf": self.csrf, **{name: str(value) for name, value in fields.items()}}
        return self.client.post(path, data=data, headers={"accept": accept})


@pytest.fixture
def lan(screen: DutyScreen, alerts: Place) -> Desk:
    return Desk(screen)


def shown(page: str) -> str:
    """Which event the page is about."""
    found = re.search(r'action="/events/north-01/(e-\d)/review" class="judging"', page)
    return found[1] if found else ""


def onward(page: str) -> str:
    found = re.search(r'class="judging".*?name="next" value="([^"]+)"', page, re.DOTALL)
    assert found is not None
    return found[1].replace("&amp;", "&")


# ------------------------------------------------------------------------------------------- the queue


def test_the_newest_open_alert_is_shown_with_how_many_are_open(lan: Desk) -> None:
    page = lan.page()

    assert shown(page) == "e-4"
    assert "4 open" in page and "4 not taken yet" in page


def test_a_verdict_leads_to_the_next_one_until_none_is_left(lan: Desk) -> None:
    seen: list[str] = []
    path = "/review"
    for _ in range(4):
        page = lan.page(path)
        seen.append(shown(page))
        answer = lan.post(f"/events/north-01/{seen[-1]}/review", step="confirmed", next=onward(page))
        assert answer.status_code == 303
        path = answer.headers["location"]

    assert seen == ["e-4", "e-3", "e-2", "e-1"]
    assert "No open alert." in lan.page(path)


def test_what_was_judged_just_now_can_be_taken_back(lan: Desk) -> None:
    page = lan.page()
    after = lan.post("/events/north-01/e-4/review", step="false:animal", next=onward(page)).headers["location"]
    page = lan.page(after)
    assert "false alarm: an animal" in page and shown(page) == "e-3"
    change = re.search(r'name="change" value="(\d+)"><input type="hidden" name="next" value="([^"]+)"', page)
    assert change is not None

    back = lan.post(
        "/events/north-01/e-4/review", step="new", change=change[1], next=change[2].replace("&amp;", "&")
    )

    assert shown(lan.page(back.headers["location"])) == "e-4"
    assert "4 open" in lan.page()


def test_what_somebody_has_in_hand_stays_open_and_says_so(lan: Desk) -> None:
    lan.post("/events/north-01/e-4/review", step="seen", note="a patrol is on its way")
    page = lan.page()

    assert "4 open" in page and "3 not taken yet" in page
    assert "a patrol is on its way" in page and "being worked on – Nguyễn Thị Lan, since " in page
    assert shown(lan.page("/review?new=1")) == "e-3"


def test_the_queue_is_narrowed_to_a_camera_and_begins_anew_at_its_end(lan: Desk) -> None:
    wish = QueueWish("north-01", "south", "stop-line")
    page = lan.page(wish.href())
    assert shown(page) == "e-2"

    again = lan.page(onward(page))

    assert shown(again) == "e-2"
    assert "That was the last one" in again


@pytest.mark.parametrize(
    "path", ["/review?at=x", "/review?after=1~2", "/review?done=a/b", "/review?done=9/e-9"]
)
def test_an_address_that_somebody_made_up_shows_the_queue(lan: Desk, path: str) -> None:
    assert shown(lan.page(path)) == "e-4"


# ------------------------------------------------------------------------------------------- a step


def test_of_two_officers_at_once_the_second_is_told_and_keeps_what_he_wrote(place: Place) -> None:
    """On either database."""
    with screen_of(place) as screen:
        fill(place)
        two_at_once(Desk(screen), Desk(screen, "binh"))


def two_at_once(lan: Desk, binh: Desk) -> None:
    for desk in (lan, binh):
        assert "Nobody has taken it yet." in desk.page(FIRST)

    assert lan.post(step="confirmed", note="a lorry").status_code == 303
    answer = binh.post(step="false:other", note="only a shadow")

    assert answer.status_code == 409
    assert "Nguyễn Thị Lan was faster: confirmed" in answer.text
    assert "only a shadow" in answer.text and "a lorry" in answer.text
    change = re.search(r'name="change" value="(\d+)"', answer.text)
    assert change is not None
    assert binh.post(step="false:other", note="only a shadow", change=change[1]).status_code == 303
    assert "false alarm: something else" in lan.page(FIRST)


def test_whoever_looks_at_an_alert_that_another_has_may_take_it_over_and_its_own_officer_need_not(
    lan: Desk, screen: DutyScreen
) -> None:
    assert ">Take it<" in lan.page(FIRST.removesuffix("/review"))
    lan.post(step="seen", change=change_of(lan))

    own, binh = lan.page(FIRST.removesuffix("/review")), Desk(screen, "binh")
    assert "Take it" not in own.replace("Take it back", "")
    for path in (FIRST.removesuffix("/review"), FIRST):
        assert "Take it over" in binh.page(path)
        assert "Nguyễn Thị Lan, since " in binh.page(path)
    assert "Keep it, with this note" in lan.page(FIRST)


def test_a_program_gets_the_standing_and_is_told_of_others_too(lan: Desk, screen: DutyScreen) -> None:
    """As the wall does it: without the step that was seen last, an event is acknowledged only if it is new."""
    first = lan.post(json=True, state="seen", note="in hand")
    second = Desk(screen, "binh").post(json=True, state="seen")

    assert (first.status_code, second.status_code) == (200, 409)
    assert first.json() | {"at_ms": 0, "change": 0} == {
        "state": "seen", "reason": None, "right_label": None, "words": "being worked on",
        "by": "Nguyễn Thị Lan", "note": "in hand", "at_ms": 0, "change": 0,
    }  # fmt: skip
    assert second.json()["error"] == "Nguyễn Thị Lan was faster: being worked on"
    assert second.json()["now"]["note"] == "in hand"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"step": "false"}, "a false alarm needs a reason"),
        ({"step": "nonsense"}, "it is not said what becomes of this event"),
        ({"step": "false:nonsense"}, "it is not said what becomes of this event"),
        ({}, "it is not said what becomes of this event"),
        ({"step": "new"}, "cannot become"),
        ({"step": "seen", "note": "a" * 1001}, "the note has 1001 characters"),
    ],
)
def test_a_step_that_is_not_possible_changes_nothing(
    lan: Desk, alerts: Place, fields: dict[str, str], said: str
) -> None:
    page, program = lan.post(**fields), lan.post(json=True, **fields)

    assert (page.status_code, program.status_code) == (422, 422)
    assert said in page.text and said in program.json()["error"]
    assert alerts.rows("select count(*) from review_change") == [(0,)]


def test_each_step_is_in_the_audit_log_and_each_view_too(lan: Desk, screen: DutyScreen) -> None:
    before = len(screen.acts())
    lan.page(FIRST)
    lan.post(step="confirmed")
    lan.post(step="confirmed")

    acts = screen.acts()[before:]
    assert ("view_event", "north-01/e-1") in acts
    assert acts.count(("review", "north-01/e-1")) == 1, "what was refused is no change"


def test_nothing_is_done_without_a_session_a_token_or_an_event(
    screen: DutyScreen, lan: Desk, alerts: Place
) -> None:
    with screen.client(None) as nobody:
        assert nobody.post(FIRST, data={"step": "confirmed"}).headers["location"].startswith("/login")
    lan.csrf = "made up"
    assert lan.post(step="confirmed").status_code == 403
    assert lan.client.get("/events/north-01/e-9/review").status_code == 404
    assert lan.client.get("/events/elsewhere/e-1/review").status_code == 404
    assert alerts.rows("select count(*) from review_change") == [(0,)]


def test_nobody_is_sent_to_another_site(lan: Desk) -> None:
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org"):
        answer = lan.post(step="seen", next=elsewhere, change=change_of(lan))
        assert answer.headers["location"] in ("/", FIRST)


def change_of(desk: Desk) -> str:
    found = re.search(r'name="change" value="(\d+)"', desk.page(FIRST))
    assert found is not None
    return found[1]


def test_script_in_notes_and_names_does_nothing(lan: Desk, alerts: Place) -> None:
    with closing(alerts.open()) as store:
        evil = {"id": "<script>alert(1)</script>", "kind": "line"}
        store.commit(
            [altered(lasting(9, 90), rule=evil, detail="<img src=x onerror=alert(1)>", replayed=False)]
        )
    lan.post("/events/north-01/e-9/review", step="seen", note="<script>alert(2)</script>\x1b[2J")

    for path in ("/review", "/events/north-01/e-9/review"):
        page = lan.page(path)
        assert "<script>alert" not in page and "<img src=x" not in page and "\x1b" not in page
        assert "&lt;script&gt;alert(2)" in page


@pytest.mark.long
def test_the_page_is_in_vietnamese(screen: DutyScreen, alerts: Place) -> None:
    page = Desk(screen, language="vi").page()

    for word in ("4 chưa xử lý", "Xác nhận", "Báo nhầm, vì", "giao thông bình thường"):
        assert word in page
    assert "Confirmed" not in page


# ------------------------------------------------------------------------------------------- in a browser


@pytest.fixture
def officer(chromium: Browser, screen: DutyScreen, alerts: Place) -> Iterator[Page]:
    context = chromium.new_context(viewport=DESK, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{screen.url}/language/en")
    page.goto(f"{screen.url}/login")
    page.fill("[name=login]", "lan")
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    yield page
    context.close()


def test_an_alert_that_nobody_has_taken_is_called_so_on_its_own_page_too(lan: Desk) -> None:
    assert "Nobody has taken it yet." in lan.page(FIRST)
    lan.post(FIRST, step="seen")
    assert "Nobody has taken it yet." not in lan.page(FIRST)


@pytest.mark.browser
def test_a_shift_works_off_the_queue_with_the_keyboard_alone(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    complaints: list[str] = []
    officer.on("pageerror", lambda error: complaints.append(str(error)))
    officer.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    officer.goto(f"{screen.url}/review")
    expect(officer.locator("#keys")).to_be_visible()

    for press, left in (("2", "3 open"), ("ArrowRight", "3 open"), ("u", "2 open"), ("z", "3 open")):
        officer.keyboard.press(press)
        expect(officer.locator("#open")).to_have_text(left)
        officer.wait_for_load_state()
    officer.keyboard.press("n")
    officer.keyboard.type("3 lorries, zebra crossing")
    officer.keyboard.press("Escape")
    officer.keyboard.press("3")
    expect(officer.locator("#open")).to_have_text("2 open")

    states = alerts.rows("select event_id, state, note from review order by event_id")
    assert states == [("e-2", "passed_on", "3 lorries, zebra crossing"), ("e-4", "confirmed", "")]
    assert complaints == []


@pytest.mark.browser
def test_what_was_taken_for_something_else_is_named_by_one_click_or_one_key(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    officer.goto(f"{screen.url}/review")
    offered = officer.get_by_role("group", name="Taken for something else: it is")
    seen_as = alerts.rows("select label from event where event_id = 'e-4'")[0][0]
    expect(offered.get_by_role("button")).to_have_count(6)
    expect(offered.get_by_role("button", name=seen_as)).to_have_count(0)

    offered.get_by_role("button", name="bus").click()
    expect(officer.locator("#open")).to_have_text("3 open")
    expect(officer.get_by_role("status").first).to_contain_text("taken for something else; it is: bus")
    officer.wait_for_load_state()
    officer.keyboard.press("0")
    expect(officer.locator("#open")).to_have_text("2 open")

    said = alerts.rows("select event_id, state, reason, right_label from review order by event_id")
    assert said == [("e-3", "false", "wrong_label", "none"), ("e-4", "false", "wrong_label", "bus")]
    logged = alerts.rows("select detail from audit_entry where verb = 'review' order by id")
    assert [json.loads(detail).get("right_label") for (detail,) in logged][-2:] == ["bus", "none"]
    officer.goto(f"{screen.url}/events/north-01/e-4")
    expect(officer.get_by_role("main")).to_contain_text("taken for something else; it is: bus")


@pytest.mark.browser
def test_a_page_says_that_the_station_is_gone_and_keeps_what_was_written(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    officer.goto(f"{screen.url}/review")
    officer.keyboard.press("n")
    officer.keyboard.type("two on a red motorbike")
    officer.keyboard.press("Escape")
    officer.context.set_offline(True)
    expect(officer.locator("#notice")).to_contain_text("does not answer since", timeout=20_000)

    officer.keyboard.press("3")
    expect(officer.locator("[name=note]").first).to_have_value("two on a red motorbike")
    assert officer.url.startswith(screen.url)
    officer.context.set_offline(False)
    expect(officer.locator("#notice")).to_be_hidden(timeout=20_000)
    officer.keyboard.press("3")
    expect(officer.locator("#open")).to_have_text("3 open")

    assert alerts.rows("select note from review") == [("two on a red motorbike",)]


@pytest.mark.browser
def test_a_station_that_gives_no_answer_at_all_is_said_to_be_gone(officer: Page, screen: DutyScreen) -> None:
    """As behind a cable that was pulled: nothing fails, for minutes."""
    officer.route("**/standing", lambda route: None)
    officer.goto(f"{screen.url}/review")

    expect(officer.locator("#notice")).to_contain_text("does not answer since", timeout=25_000)


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/review", FIRST])
def test_keys_can_be_turned_off_and_stay_off(
    officer: Page, screen: DutyScreen, alerts: Place, path: str
) -> None:
    officer.goto(screen.url + path)
    officer.click("#keys")
    officer.goto(screen.url + path)
    expect(officer.locator("#keys")).to_have_attribute("aria-pressed", "false")

    officer.keyboard.press("2")
    officer.goto(f"{screen.url}/review")

    expect(officer.locator("#open")).to_have_text("4 open")


@pytest.mark.browser
def test_a_large_number_of_open_alerts_stands_in_one_line(officer: Page, screen: DutyScreen) -> None:
    officer.goto(f"{screen.url}/review")
    lines = officer.evaluate(
        """() => {
          const cell = document.querySelector("#counts td.number"), written = document.createRange();
          cell.textContent = "12345";
          document.querySelector("#counts td a").textContent = "Ngã tư chợ Hải Ninh, cầu Trắng ".repeat(4);
          written.selectNodeContents(cell);
          return new Set([...written.getClientRects()].map((each) => each.top)).size;
        }"""
    )
    assert lines == 1


@pytest.mark.browser
def test_what_comes_and_what_another_does_meanwhile_is_said_without_a_reload(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    officer.goto(f"{screen.url}/review")
    with officer.expect_response("**/feed?**"):
        officer.reload()
    officer.wait_for_timeout(300)
    engine = engine_of(alerts.url)
    ReviewQueue(engine).mark((1, "e-4"), ReviewState.CONFIRMED, Reviewer("binh", "Trần Văn Bình"), seen=0)
    engine.dispose()
    screen.console.feed.ring()
    expect(officer.locator("#meanwhile")).to_contain_text("Trần Văn Bình")
    expect(officer.locator("#open")).to_have_text("3 open")
    expect(officer.locator("h1")).to_contain_text("3 not taken yet")
    expect(officer).to_have_title("Alerts (3) · ngatu")
    expect(officer.locator("#counts .number")).to_have_text(["2", "1"])

    with closing(alerts.open()) as store:
        store.commit([lasting(8, 110)])

    expect(officer.locator("#news")).to_contain_text("1 new")
    expect(officer.locator("#open")).to_have_text("4 open")
    expect(officer.locator("#counts .number")).to_have_text(["3", "1"])


LISTEN = """
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.heard(this.frequency.value);
  return start.call(this, at);
};
"""
ALERT, HELP = [660, 880], [392]


def listening(page: Page, url: str, path: str = "/review") -> list[int]:
    """The tones of this page and of those after it from now on; the sound is switched on."""
    heard: list[int] = []
    page.expose_function("heard", lambda pitch: heard.append(round(pitch)))
    page.add_init_script(LISTEN)
    page.goto(f"{url}{path}")
    page.click("#sound")
    soon(lambda: heard == [*ALERT, *HELP], page=page)  # both are shown once
    heard.clear()
    return heard


@pytest.mark.browser
def test_whoever_sits_at_the_queue_hears_a_new_alert_once_on_whichever_of_its_pages(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    heard = listening(officer, screen.url)
    with closing(alerts.open()) as store:
        store.commit([event_now(11)])
        soon(lambda: heard == ALERT, page=officer)
        store.commit([event_now(11, revision=2)])
        store.commit([event_now(12)])
        soon(lambda: heard == ALERT * 2, page=officer)
        officer.keyboard.press("2")
        expect(officer.locator("#open")).to_have_text("5 open")
        officer.wait_for_load_state()
        expect(officer.locator("#sound")).to_have_attribute("aria-pressed", "true")
        store.commit([event_now(13)])
        soon(lambda: heard == ALERT * 3, page=officer)
        store.commit([event_now(14, ago_s=90_000, replayed=True)])
        expect(officer.locator("#open")).to_have_text("7 open")
        assert heard == ALERT * 3  # what comes late is no news


def between_pages(officer: Page, alerts: Place, number: int, **more: Any) -> None:
    """An alert that comes while he is on a page that follows nothing; then the queue's next page is opened."""
    officer.click("a[href='/rules']")
    with closing(alerts.open()) as store:
        store.commit([event_now(number, **more)])
    with officer.expect_response("**/feed?**"):
        officer.click(".menu a[href='/review']")


@pytest.mark.browser
def test_an_alert_that_came_between_two_pages_of_the_queue_is_heard_once_on_the_second(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    heard = listening(officer, screen.url)

    between_pages(officer, alerts, 11)
    soon(lambda: heard == ALERT, page=officer)
    between_pages(officer, alerts, 11, revision=2)
    between_pages(officer, alerts, 12, ago_s=90_000, replayed=True)
    between_pages(officer, alerts, 13)

    soon(lambda: heard == ALERT * 2, page=officer)  # that one alone: neither what was heard nor what came late


@pytest.mark.browser
def test_an_alert_that_came_on_the_way_from_the_wall_to_the_queue_is_heard_once_there(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    heard = listening(officer, screen.url, "/")
    with closing(alerts.open()) as store:
        store.commit([event_now(10)])
        soon(lambda: heard == ALERT, page=officer)
        officer.click(".menu a[href='/']")  # the wall anew: the first stands on it already
        expect(officer.locator("#sound")).to_have_attribute("aria-pressed", "true")
        store.commit([event_now(11)])
        soon(lambda: heard == ALERT * 2, page=officer)

        officer.click(".menu a[href='/counts']")
        store.commit([event_now(12)])
        for number in (10, 11):  # one stood on the wall when it was opened, for the other one it sounded
            store.commit([event_now(number, revision=2)])
        with officer.expect_response("**/feed?**"):
            officer.click(".menu a[href='/review']")
        soon(lambda: heard[: 3 * len(ALERT)] == ALERT * 3, page=officer)
        store.commit([event_now(13)])

    expect(officer.locator("#news")).to_contain_text("1 new")
    assert heard == ALERT * 4


@pytest.mark.browser
def test_an_alert_that_the_wall_finds_among_the_open_ones_before_it_is_told_of_it_is_heard_once(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    heard = listening(officer, screen.url, "/")
    engine = engine_of(alerts.url)
    queue, other = ReviewQueue(engine), Reviewer("binh", "Trần Văn Bình")
    with closing(alerts.open()) as store:

        def answer(route: Route) -> None:
            store.commit([event_now(20)])
            response = route.fetch()
            assert any("e-20" in each["key"] for each in response.json()["alerts"])
            route.fulfill(response=response)

        officer.route("**/open-alerts", answer, times=1)
        seen = 0
        for state in (ReviewState.CONFIRMED, ReviewState.NEW):  # open again: then the wall asks for all
            seen = queue.mark((1, "e-4"), state, other, seen=seen).change_id
            screen.console.feed.ring()
        expect(officer.locator("#alerts [data-key$='e-20']")).to_be_visible()
        store.commit([event_now(21)])
        expect(officer.locator("#alerts [data-key$='e-21']")).to_be_visible()
    engine.dispose()

    soon(lambda: len(heard) >= 2 * len(ALERT), page=officer)
    assert heard == ALERT * 2


@pytest.mark.browser
def test_what_was_there_before_the_sound_was_switched_on_is_not_heard_on_a_later_page(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    heard = listening(officer, screen.url)
    officer.click("#sound")
    expect(officer.locator("#sound")).to_have_attribute("aria-pressed", "false")
    between_pages(officer, alerts, 11)
    officer.click("#sound")
    soon(lambda: heard == [*ALERT, *HELP], page=officer)
    between_pages(officer, alerts, 12)
    soon(lambda: heard == [*ALERT, *HELP, *ALERT], page=officer)


@pytest.mark.browser
def test_where_none_is_open_the_next_alert_is_heard_and_then_shown(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    engine = engine_of(alerts.url)
    for number in range(1, 5):
        ReviewQueue(engine).mark((1, f"e-{number}"), ReviewState.CONFIRMED, Reviewer("binh", "Bình"), seen=0)
    engine.dispose()
    heard = listening(officer, screen.url)
    with closing(alerts.open()) as store:
        store.commit([event_now(11)])

    expect(officer.locator("#open")).to_have_text("1 open")
    expect(officer.locator("#judging")).to_be_visible()
    assert heard == ALERT


@pytest.mark.browser
def test_whoever_sits_at_the_queue_hears_once_that_a_box_needs_help(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    with closing(alerts.open()) as store:
        first, second = (ToldBox(device, time.time()) for device in ("hn-01", "hn-02"))
        store.commit([*first.well(), *second.well()])
        heard = listening(officer, screen.url)
        expect(officer.locator("[data-badge=needing]")).to_have_text("1")  # north-01 has said nothing
        store.commit([first.status("offline")])
        soon(lambda: heard == HELP, page=officer)
        officer.keyboard.press("2")
        expect(officer.locator("#open")).to_have_text("3 open")
        store.commit([second.status("offline")])
        soon(lambda: heard == HELP * 2, page=officer)


@pytest.mark.parametrize(("language", "said"), [("vi", "không có trang này"), ("en", "there is no such page")])
def test_what_a_script_is_refused_is_said_in_the_language_of_whoever_reads_it(
    screen: DutyScreen, language: str, said: str
) -> None:
    answer = Desk(screen, language=language).post("/events/north-01/e-77/review", json=True, state="seen")

    assert (answer.status_code, answer.json()["error"]) == (404, said)


def test_how_many_are_open_is_told_to_a_page_that_stays_open(screen: DutyScreen, alerts: Place) -> None:
    answer = Desk(screen).client.get("/review/counts?camera=north&box=north-01&rule=gate").json()

    assert (answer["number"], answer["open"], answer["new"]) == (4, "4 open", "4 not taken yet")
    assert [(each["where"], each["number"]) for each in answer["counts"]] == [
        ("north-01 · north", 3),
        ("north-01 · south", 1),
    ]


@pytest.mark.browser
def test_what_another_settles_is_counted_and_is_no_longer_among_the_next_ones(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    officer.goto(f"{screen.url}/review")
    expect(officer.locator(".queue .tile")).to_have_count(3)
    engine = engine_of(alerts.url)
    for event_id in ("e-3", "e-2"):
        ReviewQueue(engine).mark((1, event_id), ReviewState.CONFIRMED, Reviewer("binh", "Bình"), seen=0)
    engine.dispose()
    screen.console.feed.ring()

    expect(officer.locator("#open")).to_have_text("2 open")
    expect(officer.locator("#counts .number")).to_have_text(["2"])
    expect(officer.locator(".queue .tile")).to_have_count(1)
    expect(officer.locator("#meanwhile")).to_be_hidden()


@pytest.mark.browser
def test_the_next_alert_comes_by_itself_to_an_empty_queue(
    officer: Page, screen: DutyScreen, alerts: Place
) -> None:
    alerts.do("update event set settled_ms = 1")
    officer.goto(f"{screen.url}/review")
    expect(officer.locator(".empty")).to_be_visible()

    with closing(alerts.open()) as store:
        store.commit([lasting(8, 110)])

    expect(officer.locator("form.judging")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/review", FIRST])
def test_nobody_is_shut_out(officer: Page, screen: DutyScreen, path: str) -> None:
    for size in (DESK, PHONE):
        officer.set_viewport_size(size)  # type: ignore[arg-type]
        officer.goto(screen.url + path)
        found = Axe().run(officer)
        serious = [
            each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], found.generate_report()
        assert officer.evaluate("document.documentElement.scrollWidth <= innerWidth")
