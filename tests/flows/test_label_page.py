"""Pictures labelled in a real browser: by mouse, by finger, by keys alone, in two tabs, in Vietnamese"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from models.label.sheet import DrawnBox, LabelSheet, ProposedBox
from tests.support.brokers import until
from tests.support.duty_room import browser
from tests.support.label_page import LabelPage, served
from tests.support.labelled import NAMES, pictures

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DESK, TABLET = {"width": 1366, "height": 768}, {"width": 820, "height": 1180}
ENGLISH = re.compile(
    r"\b(the|and|of|is|are|with|not|picture|box|next|all|help|saved|done|delete)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(tmp_path: Path) -> Iterator[LabelPage]:
    with served(pictures(tmp_path / "set")) as made:
        yield made


@dataclass
class Hands:
    """Somebody in front of the page."""

    label: LabelPage
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.goto(self.label.url)
        self.there()

    def there(self, name: str = "") -> None:
        """Wait for a picture."""
        self.page.wait_for_selector("#stage[data-picture]")
        expect(self.page.locator("#name")).to_contain_text(name)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the picture lies on the screen."""
        left, top, scale = self.page.evaluate(
            "(() => { const b = document.getElementById('photo').getBoundingClientRect();"
            "return [b.left, b.top, b.width / parseFloat(document.getElementById('photo').style.width)] })()"
        )
        return left + x * scale, top + y * scale

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """With the mouse, from a pixel of the picture to another."""
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=3)
        self.page.mouse.up()

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self, number: int = 1) -> LabelSheet:
        """What is on the disk once the page says so."""
        expect(self.page.locator("body")).to_have_attribute("data-saving", "saved")
        row = self.label.workplace.store.picture(number)
        assert row is not None
        return row.sheet


@contextmanager
def hands(opened: Browser, page: LabelPage, size: dict[str, int] | None = None, **more: Any) -> Iterator[Hands]:
    context = opened.new_context(viewport=size or DESK, **more)  # type: ignore[arg-type]
    try:
        made = Hands(page, context.new_page())
        yield made
        assert made.complaints == []
    finally:
        context.close()


def box(sheet: LabelSheet, number: int = -1) -> tuple[float, float, float, float]:
    found = sheet.boxes[number]
    return found.left, found.top, found.right, found.bottom


def near(*values: float) -> Any:
    return pytest.approx(values, abs=1.5)


def test_boxes_are_drawn_moved_sized_labelled_and_deleted_with_the_mouse(
    chromium: Browser, page: LabelPage
) -> None:
    with hands(chromium, page) as me:
        me.drag((100, 100), (180, 200))
        assert box(me.saved()) == near(100, 100, 180, 200)
        assert me.saved().boxes[0].label == "motorcycle"
        me.drag((140, 150), (240, 170))  # inside it: moved
        assert box(me.saved()) == near(200, 120, 280, 220)
        me.drag((280, 220), (300, 260))  # its corner
        assert box(me.saved()) == near(200, 120, 300, 260)
        me.page.locator("#labels button", has_text="car").click()
        me.drag((400, 100), (630, 400))  # over the edge
        assert (me.saved().boxes[0].label, me.saved().boxes[1].label) == ("car", "car")
        assert box(me.saved()) == near(400, 100, 630, 360)
        me.page.mouse.click(*me.at(250, 200))
        me.page.locator("#delete").click()
        assert [box(me.saved())] == [near(400, 100, 630, 360)]
        me.drag((50, 50), (50.5, 90))
        expect(me.page.locator("#hint")).to_contain_text("too small")
        assert len(me.saved().boxes) == 1


def test_changes_are_taken_back_and_done_again_and_a_reload_keeps_them(
    chromium: Browser, page: LabelPage
) -> None:
    with hands(chromium, page) as me:
        me.drag((100, 100), (180, 200))
        me.keys("Escape")
        me.drag((300, 100), (380, 200))
        me.keys("z")
        assert len(me.saved().boxes) == 1
        me.keys("Control+z", "y")
        assert len(me.saved().boxes) == 1
        me.keys("Control+Shift+z")
        assert len(me.saved().boxes) == 2
        me.page.reload()
        me.there(NAMES[0])
        expect(me.page.locator("#over g")).to_have_count(2)
        assert len(stored(page).boxes) == 2


def test_the_keyboard_alone_suffices(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page) as me:
        me.keys("b", *["ArrowRight"] * 5, *["Shift+ArrowUp"] * 2, *["Control+ArrowLeft"] * 3, "3", "i")
        sheet = me.saved()
        assert (sheet.boxes[0].label, sheet.boxes[0].ignored, sheet.state) == ("car", True, "open")
        assert sheet.boxes[0].left > 640 / 2 - 60
        me.keys("i", "b", ".", "Delete", "Enter")
        me.there(NAMES[1])
        assert [(one.label, one.ignored) for one in me.saved().boxes] == [("car", False)]
        assert me.saved().state == "done"
        me.keys("Enter")  # nothing is drawn: that must be said
        expect(me.page.locator("#hint")).to_contain_text("Nothing in it (E)")
        me.keys("e")
        me.there(NAMES[2])
        assert me.saved(2) == LabelSheet(state="done")
        me.keys("u", "ArrowRight")
        me.there(NAMES[3])
        assert me.saved(3).state == "unsure"
        me.keys("p", "p", "p")
        me.there(NAMES[0])
        me.keys("j")
        me.there(NAMES[3])
        me.keys("e", "j")
        expect(me.page.locator("#hint")).to_contain_text("Every picture")
        me.keys("h")
        expect(me.page.locator("#help")).to_be_visible()
        me.keys("Escape")
        expect(me.page.locator("#help")).to_be_hidden()
        me.keys("g")
        expect(me.page.locator("#tiles li")).to_have_count(4)
        assert [each.split(" · ")[0] for each in me.page.locator("#tiles .how").all_inner_texts()] == [
            "done", "nothing in it", "unsure", "nothing in it",
        ]  # fmt: skip
        me.keys("Escape")
        expect(me.page.locator("#work")).to_be_visible()
        expect(me.page.locator("#counted")).to_contain_text("3 done, 1 unsure, 0 to do")


def test_what_was_done_too_fast_is_taken_back_from_the_next_picture(chromium: Browser, page: LabelPage) -> None:
    page.workplace.store.propose(1, "model", PROPOSED)
    with hands(chromium, page) as me:
        expect(me.page.locator("#over g.proposal")).to_have_count(3)
        me.keys("Enter", "p", "z")
        me.there(NAMES[0])
        expect(me.page.locator("#over g.proposal")).to_have_count(3)
        assert me.saved() == LabelSheet(proposals=PROPOSED)


def test_the_last_box_of_a_done_picture_goes_and_it_is_not_done_any_more(
    chromium: Browser, page: LabelPage
) -> None:
    page.workplace.store.save(
        1, LabelSheet(state="done", boxes=(DrawnBox(label="car", left=9, top=9, right=99, bottom=99),)), 0
    )
    with hands(chromium, page) as me:
        me.keys("p", ".", "Delete")
        assert me.saved() == LabelSheet()


def test_small_vehicles_are_drawn_closer(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page) as me:
        me.page.mouse.move(*me.at(500, 100))
        me.page.mouse.wheel(0, -1200)
        me.drag((495, 95), (505.5, 108))
        found = me.saved().boxes[0]
        assert (found.left, found.top, found.right, found.bottom) == pytest.approx(
            (495, 95, 505.5, 108), abs=0.3
        )
        before = me.at(500, 100)
        me.keys("Escape")
        me.page.keyboard.down("Space")
        me.drag((500, 100), (495, 98))
        me.page.keyboard.up("Space")
        assert me.at(500, 100)[0] < before[0] - 20
        assert len(me.saved().boxes) == 1
        me.keys("f")
        assert me.at(0, 0)[0] >= 0


def touches(context: BrowserContext, page: Page, *steps: list[tuple[float, float]]) -> None:
    """Fingers on the glass, step by step; at the end they leave it."""
    session = context.new_cdp_session(page)
    for number, points in enumerate((*steps, [])):
        kind = "touchEnd" if not points else "touchMove" if number else "touchStart"
        points_of = [{"x": x, "y": y, "id": place} for place, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points_of})


def test_a_finger_draws_and_two_bring_the_picture_closer(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page, TABLET, has_touch=True) as me:
        touches(me.page.context, me.page, [me.at(100, 100)], [me.at(150, 150)], [me.at(200, 220)])
        assert box(me.saved()) == near(100, 100, 200, 220)
        one, two = me.at(300, 180), me.at(340, 180)
        apart = two[0] - one[0]
        touches(
            me.page.context,
            me.page,
            [one, two],
            [(one[0] - 60, one[1]), two],
            [(one[0] - 60, one[1]), (two[0] + 60, two[1])],
        )
        assert me.at(340, 180)[0] - me.at(300, 180)[0] > 1.8 * apart
        assert len(me.saved().boxes) == 1
        sizes = me.page.eval_on_selector_all(
            "#panel button", "all => all.map(e => e.getBoundingClientRect().height)"
        )
        assert min(size for size in sizes if size) >= 44


PROPOSED = tuple(
    ProposedBox(label="motorcycle", left=x, top=100, right=x + 50, bottom=180, score=0.6)
    for x in (100, 300, 500)
)


def test_proposals_are_dashed_and_no_labels_until_somebody_has_looked(
    chromium: Browser, page: LabelPage
) -> None:
    for number in (1, 2, 3):
        page.workplace.store.propose(number, "model", PROPOSED)
    with hands(chromium, page) as me:
        expect(me.page.locator("#over g.proposal")).to_have_count(3)
        assert page.workplace.dataset().images == ()
        me.keys(".", "2", ".", "Delete")  # one is another label, one is nothing
        assert [one.label for one in me.saved().boxes] == ["bicycle"]
        assert len(me.saved().proposals) == 1
        me.keys("Enter")
        me.there(NAMES[1])
        assert (me.saved().state, len(me.saved().boxes), me.saved().proposals) == ("done", 2, ())
        me.keys("r", "e")
        me.there(NAMES[2])
        assert me.saved(2) == LabelSheet(state="done")
        me.keys("a")
        assert (me.saved(3).state, len(me.saved(3).boxes)) == ("open", 3)
    assert len(page.workplace.dataset().images) == 2


def test_two_tabs_never_overwrite_each_other_unseen(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page) as me:
        me.page.route("**/changes*", lambda route: route.abort())  # it has not heard of the other one yet
        other = DrawnBox(label="bus", left=300, top=100, right=400, bottom=200)
        page.workplace.store.save(1, LabelSheet(boxes=(other,)), 0)
        me.drag((100, 100), (180, 200))
        expect(me.page.locator("#conflict")).to_be_visible()
        expect(me.page.locator("#over g")).to_have_count(1)
        row = page.workplace.store.picture(1)
        assert row is not None
        assert row.sheet.boxes == (other,)
        me.page.locator("#mine").click()
        assert [one.label for one in me.saved().boxes] == ["motorcycle"]
        page.workplace.store.save(1, LabelSheet(boxes=(other,)), 2)
        me.keys("u")
        me.page.locator("#keep").click()
        assert me.saved().boxes == (other,)
        me.complaints[:] = [each for each in me.complaints if "412" not in each and "ERR_FAILED" not in each]


def test_what_another_tab_saves_is_shown(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page) as me:
        page.workplace.store.save(
            1, LabelSheet(boxes=(DrawnBox(label="bus", left=3, top=1, right=40, bottom=20),)), 0
        )
        expect(me.page.locator("#over g")).to_have_count(1)


def test_what_cannot_be_saved_is_said_and_saved_when_it_can(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page) as me:
        me.page.route(
            "**/pictures/1", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
        )
        me.drag((100, 100), (180, 200))
        expect(me.page.locator("#trouble")).to_contain_text("Not saved yet")
        me.drag((300, 100), (380, 200))
        me.page.unroute("**/pictures/1")
        until(lambda: me.page.wait_for_timeout(50) or len(stored(page).boxes) == 2)
        expect(me.page.locator("#trouble")).to_be_hidden()
        me.complaints.clear()


def test_an_answer_that_is_lost_is_no_conflict(chromium: Browser, page: LabelPage) -> None:
    lost: list[int] = []

    def lose_one(route: Route) -> None:
        if route.request.method == "PUT" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    with hands(chromium, page) as me:
        me.page.route("**/pictures/1", lose_one)
        me.drag((100, 100), (180, 200))
        assert (len(me.saved().boxes), lost) == (1, [200])
        expect(me.page.locator("#conflict")).to_be_hidden()
        me.page.unroute_all()
        me.complaints.clear()


def stored(page: LabelPage) -> LabelSheet:
    row = page.workplace.store.picture(1)
    assert row is not None
    return row.sheet


def test_a_picture_that_cannot_be_read_is_said_and_passed_by(chromium: Browser, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set")
    (folder / NAMES[0]).write_bytes(b"no picture")
    with served(folder) as page, hands(chromium, page) as me:
        me.there(NAMES[1])  # the first that can be labelled
        me.keys("p")
        expect(me.page.locator("#fault")).to_contain_text("it is no picture")
        me.keys("b", "e", "Enter")
        me.there(NAMES[1])
        assert stored(page) == LabelSheet()


def test_names_that_would_be_markup_are_only_names(chromium: Browser, tmp_path: Path) -> None:
    folder, hostile = tmp_path / "<b>set", '"><img src=x onerror="document.title=666">'
    pictures(folder, [f"{hostile}_1.jpg", "a #?%2F_1.jpg"])
    with served(folder, classes=[hostile]) as page, hands(chromium, page) as me:
        me.keys("b", "g")
        expect(me.page.locator("#tiles li")).to_have_count(2)
        expect(me.page.locator("#tiles")).to_contain_text(hostile)
        me.keys("Escape", "n", "n")
        expect(me.page.locator("#labels")).to_contain_text(hostile)
        assert (me.page.title(), me.page.locator("img[src=x]").count()) == ("Label pictures · ngatu", 0)


def test_the_page_is_vietnamese_where_its_reader_is(chromium: Browser, page: LabelPage) -> None:
    with hands(chromium, page) as me:
        me.page.locator("#languages button[lang=vi]").click()
        expect(me.page.locator("#labels")).to_contain_text("xe máy")
        me.keys("h")
        texts = [me.page.locator("#help").inner_text()]
        me.keys("Escape")
        texts.append(me.page.locator("body").inner_text())
        me.keys("g")
        texts.append(me.page.locator("#grid").inner_text())
        assert [
            each for text in texts for each in ENGLISH.findall(text.replace(str(page.workplace.folder), ""))
        ] == []
        assert me.page.evaluate("document.documentElement.lang") == "vi"
        me.page.reload()
        expect(me.page.locator("#labels")).to_contain_text("xe máy")


@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
def test_nothing_in_the_page_hinders_people(chromium: Browser, page: LabelPage, size: dict[str, int]) -> None:
    page.workplace.store.propose(1, "model", PROPOSED)
    page.workplace.store.save(2, LabelSheet(state="unsure"), 0)
    with hands(chromium, page, size) as me:
        serious = []
        for key in (".", "h", "g"):
            me.keys(key)
            found = Axe().run(me.page).response["violations"]
            serious += [
                (each["id"], key, json.dumps(each["nodes"])[:300])
                for each in found
                if each["impact"] in ("serious", "critical")
            ]
            if key == "h":
                me.keys("Escape")
        assert serious == []
        me.keys("Escape")
        wide, tall = me.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert (wide, tall) == (size["width"], size["height"])  # nothing lies beyond the screen
