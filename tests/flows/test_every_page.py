"""Every page of the console in a real browser: for who sees badly or has no mouse, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from station.watch.embedded import Address
from tests.support.duty_room import (
    ADMINISTRATOR,
    DESK,
    PHONE,
    DutyRoom,
    Officer,
    at_the_screen,
    browser,
    duty_room,
)
from tests.support.fake_box import FakeBox, an_event

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PAGES = (
    "/", "/?kiosk=1", "/?only=alerts", "/review", "/rules", "/lookup", "EVENT", "EVENT/review", "/requests",
    "/requests/new", "/counts", "/boxes", "/boxes/cho-hai-ninh", "/plans", "/shift", "/audit", "/retention",
    "/people", "/people/lan", "/own", "/no-such-page",
)  # fmt: skip
ENGLISH = re.compile(
    r"\b(the|and|of|is|are|for|with|not|from|to|has|have|was|by|nothing|nobody)\b", re.IGNORECASE
)


@dataclass
class Shown:
    """A console with something on each page."""

    room: DutyRoom
    chrome: Browser
    event: str


@pytest.fixture(scope="module")
def shown(embedded: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("duty")
    with (
        duty_room(folder, embedded.port) as room,
        FakeBox(embedded, device="cho-hai-ninh") as box,
        browser() as chrome,
    ):
        box.hello()
        for number in range(1, 4):
            box.tell(an_event(number, picture=True))
        with at_the_screen(chrome, room) as officer:
            expect(officer.page.locator("#tiles .tile").nth(2)).to_be_visible()
        yield Shown(room, chrome, "/events/cho-hai-ninh/e-1")


def visit(officer: Officer, shown: Shown, page: str) -> None:
    officer.go(page.replace("EVENT", shown.event))
    officer.page.wait_for_selector("main")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_hinders_anybody_and_none_is_wider_than_the_screen(
    shown: Shown, size: dict[str, int], language: str
) -> None:
    wrong: dict[str, object] = {}
    with at_the_screen(shown.chrome, shown.room, ADMINISTRATOR, size) as officer:
        officer.speak(language)
        for page in PAGES:
            visit(officer, shown, page)
            found = Axe().run(officer.page).response["violations"]
            serious = [
                (each["id"], each["nodes"][0]["html"][:120])
                for each in found
                if each["impact"] in ("serious", "critical")
            ]
            width = officer.page.evaluate("document.documentElement.scrollWidth")
            if serious or width > size["width"]:
                wrong[page] = (serious, width)
        complaints = [each for each in officer.complaints if "404" not in each]
    assert not wrong
    assert not complaints


def test_a_vietnamese_page_has_no_english_and_an_english_page_no_raw_word(shown: Shown) -> None:
    wrong: dict[str, list[str]] = {}
    with at_the_screen(shown.chrome, shown.room, ADMINISTRATOR) as officer:
        officer.speak("vi")
        for page in PAGES:
            visit(officer, shown, page)
            lines = officer.page.inner_text("body").splitlines()
            if found := [line for line in lines if ENGLISH.search(line.replace("English", ""))]:
                wrong[page] = found
    assert not wrong


def test_every_page_is_reached_and_left_by_the_keyboard_alone(shown: Shown) -> None:
    with at_the_screen(shown.chrome, shown.room, ADMINISTRATOR) as officer:
        officer.go("/")
        reached: set[str] = set()
        for _ in range(14):
            officer.page.keyboard.press("Tab")
            reached.add(str(officer.page.evaluate("document.activeElement.getAttribute('href')")))
        assert {"#main", "/review", "/lookup", "/requests", "/boxes", "/shift"} <= reached
        officer.page.locator(".menu a[href='/review']").focus()
        officer.page.keyboard.press("Enter")
        officer.page.wait_for_url("**/review*")
