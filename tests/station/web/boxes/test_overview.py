"""station.web.boxes.overview"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import URL

from agent.health_findings import HEALTH_LATE_S
from station.store.database import engine_of
from station.store.store import Store
from tests.support.duty_room import DESK, PHONE, browser
from tests.support.duty_screen import PASSWORD, DutyScreen
from tests.support.told_boxes import COMMUNE, ToldBox, commune_of_every_kind

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


class Duty:
    """A screen with its store; whoever comes again is logged in still."""

    def __init__(self, folder: Path, ago_s: float = 0.0) -> None:
        """What the store is given came so many seconds ago."""
        url = URL.create("sqlite", database=str(folder / "station.db"))
        self.store = Store(engine_of(url), folder, now=lambda: time.time() - ago_s)
        self.screen = DutyScreen(folder, COMMUNE)
        self._known: dict[tuple[str | None, str], httpx.Client] = {}

    def client(self, login: str | None = "lan", language: str = "vi") -> httpx.Client:
        key = login, language
        if key not in self._known:
            self._known[key] = self.screen.client(login, language)
        return self._known[key]


@contextmanager
def on_duty(folder: Path, ago_s: float = 0.0) -> Iterator[Duty]:
    duty = Duty(folder, ago_s)
    with closing(duty.store), closing(duty.screen), duty.screen.served():
        yield duty


@pytest.fixture(scope="module")
def duty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duty]:
    """With boxes of every kind."""
    with on_duty(tmp_path_factory.mktemp("duty")) as duty:
        stated(duty.store)
        yield duty


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def stated(store: Store) -> None:
    now_s = time.time()
    store.commit(list(commune_of_every_kind(now_s)))
    store.commit([ToldBox("hn-01", now_s).snapshot()])


@pytest.mark.long
def test_boxes_are_shown_with_what_is_wrong_first_in_words(duty: Duty) -> None:
    page = duty.client().get("/boxes").text

    places = [page.index(title) for title in ("Kho xã", "Trường tiểu học số 1", "Ngã tư chợ Hải Ninh")]
    assert places == sorted(places)
    for words in (
        "Hộp mất kết nối",
        "Camera Hướng thị trấn không nhìn thấy",
        "cần xử lý ngay",
        "camera nhìn thấy: 2/2",
    ):
        assert words in page
    assert "needs" not in page
    english = duty.client(language="en").get("/boxes").text
    assert "The box is not connected" in english


@pytest.mark.long
def test_without_boxes_the_page_says_so(tmp_path: Path) -> None:
    with on_duty(tmp_path) as duty:
        assert "Chưa có hộp nào lên tiếng" in duty.client().get("/boxes").text
        assert duty.client().get("/live/boxes").json()["none"] is True


def test_a_box_has_a_page_with_what_stands_behind_its_warning(duty: Duty) -> None:
    page = duty.client().get("/boxes/hn-04").text

    for words in (
        "Cần làm:",
        "cho tổ tuần tra đến kiểm tra",
        "bị che",
        "Đồng hồ",
        "đúng, theo mạng",
        "Hôm nay",
    ):
        assert words in page
    assert duty.client().get("/boxes/hn-99").status_code == 404
    assert duty.client().get("/live/boxes/hn-99").status_code == 404


def test_a_picture_that_is_shown_is_in_the_audit_log_once_and_not_each_time_the_page_renews_itself(
    duty: Duty,
) -> None:
    client = duty.client()
    assert "/pictures/" in client.get("/boxes/hn-01").text
    for _ in range(3):
        client.get("/live/boxes/hn-01")
    client.get("/boxes/hn-02")

    assert [each for each in duty.screen.acts() if each[0] == "view_picture"] == [("view_picture", "hn-01")]


def state_on(page: str, device: str) -> str:
    """The words beside a box in the wall's list."""
    found = re.search(rf'<a href="/boxes/{device}">[^<]*</a> <span class="state"[^>]*>([^<]*)</span>', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("ago_s", "words"), [(HEALTH_LATE_S - 40, "connected"), (HEALTH_LATE_S + 20, "connected, but silent")]
)
def test_wall_list_and_page_call_a_box_silent_by_one_limit_and_in_one_word(
    tmp_path: Path, ago_s: float, words: str
) -> None:
    with on_duty(tmp_path, ago_s) as duty:
        duty.store.commit(ToldBox("hn-01", time.time() - ago_s, "Chợ").well())
        client = duty.client(language="en")
        wall, listed, page = (client.get(each).text for each in ("/", "/boxes", "/boxes/hn-01"))

    assert state_on(wall, "hn-01") == words
    assert f'data-text="state">{words}<' in listed
    strip = wall[wall.index('id="needing"') : wall.index('id="trouble"')]
    for text in (strip, listed, page):
        assert ("The box is connected, but silent for 5 min" in text) == ("silent" in words)
    assert ("more than 5 minutes" in page) == ("silent" in words)
    assert "not heard" not in wall + listed + page


def test_the_wall_marks_a_box_as_the_page_of_boxes_does(tmp_path: Path) -> None:
    with on_duty(tmp_path) as duty:
        duty.store.commit(list(commune_of_every_kind(time.time())))
        client = duty.client(language="en")
        wall, listed = client.get("/").text, client.get("/boxes").text

    marks = re.findall(r'<li class="(\w+)"><a href="/boxes/(hn-\d\d)">', wall)
    of_wall = {device: mark for mark, device in marks}
    assert of_wall == dict(re.findall(r'data-key="(hn-\d\d)" data-verdict="(\w+)"', listed))
    assert set(of_wall.values()) == {"well", "look", "broken"}


def test_a_box_that_tells_events_and_nothing_of_itself_is_silent_on_the_wall_too(tmp_path: Path) -> None:
    with on_duty(tmp_path) as duty:
        now_s = time.time()
        box = ToldBox("hn-01", now_s)
        duty.store.commit([box.status(), box.info(), box.health(ago_s=HEALTH_LATE_S + 20), box.camera()])

        assert state_on(duty.client(language="en").get("/").text, "hn-01") == "connected, but silent"


def test_a_box_that_has_not_said_whether_it_is_connected_is_not_called_never_heard(tmp_path: Path) -> None:
    with on_duty(tmp_path) as duty:
        duty.store.commit([ToldBox("hn-01", time.time()).camera()])
        client = duty.client(language="en")

        assert state_on(client.get("/").text, "hn-01") == "not known"
        assert 'data-text="state">not known<' in client.get("/boxes").text


def test_who_is_not_logged_in_sees_nothing(duty: Duty) -> None:
    for path in ("/boxes", "/boxes/hn-01", "/live/boxes", "/live/boxes/hn-01"):
        answer = duty.client(None).get(path)
        assert answer.status_code == 303
        assert "hn-01" not in answer.text
        assert httpx.get(duty.screen.url + path).status_code == 401


def test_a_restart_is_offered_to_supervisors_only(duty: Duty) -> None:

    assert 'value="restart"' not in duty.client("lan").get("/boxes/hn-01").text
    assert 'value="restart"' in duty.client("binh").get("/boxes/hn-01").text


@pytest.mark.long
def test_what_a_box_calls_itself_is_text_and_nothing_else(tmp_path: Path) -> None:
    box = ToldBox("hn-01", time.time(), HOSTILE, {"north": HOSTILE})
    with on_duty(tmp_path) as duty:
        duty.store.commit(
            [
                *box.well(),
                box.camera("north", "lost", 60, reason=HOSTILE),
                box.health(degraded=[f"odd:{HOSTILE}"]),
            ]
        )
        client = duty.client()
        for page in (client.get("/boxes").text, client.get("/boxes/hn-01").text):
            assert "<script>alert" not in page
            assert "\x1b" not in page
            assert "\u202e" not in page
            assert "&lt;script&gt;alert(1)" in page
        assert "\\u001b" not in client.get("/live/boxes/hn-01").text


def opened(chrome: Browser, screen: DutyScreen, size: dict[str, int], login: str = "lan") -> Page:
    context = chrome.new_context(viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{screen.url}/login?next=/boxes")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_selector("nav.menu")
    return page


@pytest.mark.browser
def test_the_wall_of_boxes_renews_itself_without_a_reload_and_leaves_the_focus_where_it_is(
    chrome: Browser, duty: Duty
) -> None:
    page = opened(chrome, duty.screen, DESK)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{duty.screen.url}/boxes")
    loads: list[str] = []
    page.on("load", lambda: loads.append("load"))
    page.focus("a[href='/boxes/hn-01']")
    duty.store.commit([ToldBox("hn-01", time.time()).status("offline")])
    duty.store.commit(ToldBox("hn-77", time.time(), "Hộp mới").well())

    expect(page.locator("[data-key='hn-01']")).to_contain_text("Hộp mất kết nối")
    expect(page.locator("[data-key='hn-01']")).to_have_attribute("data-verdict", "broken")
    expect(page.locator("a[href='/boxes/hn-77']")).to_contain_text("Hộp mới")
    expect(page.locator("[data-text=count_broken]")).to_have_text("5")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/boxes/hn-01"
    assert (loads, complaints) == ([], [])
    page.context.close()


@pytest.mark.browser
def test_a_page_that_hears_nothing_says_that_it_is_old(chrome: Browser, duty: Duty) -> None:
    page = opened(chrome, duty.screen, DESK)
    page.goto(f"{duty.screen.url}/boxes")
    page.route("**/live/**", lambda route: route.abort())
    expect(page.locator("[data-stale]")).to_be_visible()
    page.unroute("**/live/**")
    expect(page.locator("[data-stale]")).to_be_hidden()
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_hinders_people_and_nothing_is_wider_than_the_screen(
    chrome: Browser, duty: Duty, size: dict[str, int]
) -> None:
    page = opened(chrome, duty.screen, size, "binh")
    for path in ("/boxes", "/boxes/hn-04", "/boxes/hn-05", "/plans"):
        page.goto(duty.screen.url + path)
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_is_said_of_a_camera_and_of_the_day_is_not_cut_off(
    chrome: Browser, duty: Duty, size: dict[str, int]
) -> None:
    box = ToldBox("hn-04", time.time())
    lost = box.camera("west", "lost", 2.5 * 86_400, reason="no picture for 10 s")  # its moment has a date
    duty.store.commit([lost, box.status("offline")])
    page = opened(chrome, duty.screen, size)
    page.goto(f"{duty.screen.url}/boxes/hn-04")
    expect(page.locator(".camera").first).to_contain_text("biết được lần cuối")
    for each in (".camera .about", "[data-list=history] td"):
        reach = page.locator(f"{each}:visible").evaluate_all(
            "all => all.map(it => [it.scrollWidth - it.clientWidth,"
            " it.getBoundingClientRect().right - innerWidth])"
        )
        assert reach and all(over <= 0 and beyond <= 0 for over, beyond in reach), (each, reach)
    page.context.close()
