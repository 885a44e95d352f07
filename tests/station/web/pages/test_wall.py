"""station.web.pages.wall, in a real browser at a station at work"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from agent.core.types import Event, Instant
from agent.wire import codec
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import ReviewState
from station.store.database import engine_of, url_of
from station.store.schema import box as box_table
from station.watch.embedded import Address
from tests.support.duty_room import (
    DESK,
    PHONE,
    SUPERVISOR,
    DutyRoom,
    at_the_screen,
    browser,
    duty_room,
    soon,
)
from tests.support.fake_box import FakeBox, an_event
from tests.support.told_boxes import ToldBox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def room(embedded: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DutyRoom]:
    with duty_room(tmp_path_factory.mktemp("duty"), embedded.port) as room:
        yield room


@pytest.fixture
def box(embedded: Address, request: pytest.FixtureRequest) -> Iterator[FakeBox]:
    number = crc32(request.node.name.encode())
    with FakeBox(embedded, device=f"box-{number}", stream=f"s-{number}") as box:
        box.hello()
        yield box


def an_alert(number: int, ago_s: float = 0.0) -> Event:
    made = an_event(number, picture=True)
    at = Instant(made.at.mono_s - ago_s, made.at.wall_s - ago_s)
    return replace(made, at=at, started=at)


def health_of(ago_s: float) -> bytes:
    """How a box does, as it said so many seconds ago by a clock that is right."""
    return ToldBox("any", time.time()).health(ago_s).raw


def link(box: FakeBox, number: int) -> str:
    return f"a[href='/events/{box.device}/e-{number}']"


def tile(page: Page, box: FakeBox, number: int, inside: str = "#tiles") -> Locator:
    return page.locator(f"{inside} .tile", has=page.locator(link(box, number)))


def test_an_event_appears_without_a_reload_with_its_picture_and_in_vietnamese(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        expect(officer.page.locator("#pulse.good")).to_be_visible()
        officer.page.wait_for_load_state("load")
        loads: list[str] = []
        officer.page.on("load", lambda: loads.append("load"))

        box.tell(an_alert(1))

        shown = tile(officer.page, box, 1)
        expect(shown).to_be_visible()
        expect(shown.locator("img")).to_be_visible()
        expect(shown).to_contain_text("xe máy, 2 người")
        expect(tile(officer.page, box, 1, "#alerts")).to_be_visible()
        assert not loads
        assert not officer.complaints


def test_what_comes_late_says_so_and_does_not_stand_before_what_is_new(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        box.tell(an_alert(1))
        expect(tile(officer.page, box, 1)).to_be_visible()

        box.tell(an_alert(2, ago_s=3600))

        late = tile(officer.page, box, 2)
        expect(late.locator(".late")).to_contain_text("đến muộn")
        assert "is-fresh" not in (late.get_attribute("class") or "")
        keys = officer.page.locator("#tiles .tile").evaluate_all("all => all.map(each => each.dataset.key)")
        places = [[key.endswith(f"/e-{number}") for key in keys].index(True) for number in (1, 2)]
        assert places[0] < places[1]


def test_an_alert_is_acknowledged_with_a_note_and_other_screens_hear_of_it(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as lan, at_the_screen(chrome, room, SUPERVISOR) as minh:
        box.tell(an_alert(1))
        for each in (lan, minh):
            expect(tile(each.page, box, 1, "#alerts")).to_be_visible()

        mine = tile(lan.page, box, 1, "#alerts")
        mine.locator(".take").click()
        lan.page.fill("dialog textarea", "đã cử người ra chợ")
        lan.page.click("dialog button.main")

        theirs = tile(minh.page, box, 1)
        expect(theirs.locator(".reviewed").first).to_contain_text("đang xử lý – Nguyễn Thị Lan, từ ")


def test_what_could_not_be_acknowledged_says_why_and_keeps_what_was_written(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as lan:
        box.tell(an_alert(1))
        mine = tile(lan.page, box, 1, "#alerts")
        mine.locator(".take").click()
        lan.page.fill("dialog textarea", "đã cử người ra chợ")
        problem = lan.page.locator("dialog .problem")

        lan.page.route("**/review", lambda route: route.abort())
        lan.page.click("dialog button.main")
        expect(problem).to_contain_text("Trạm không trả lời nên có thể việc này chưa tới")
        lan.page.unroute("**/review")
        lan.page.route("**/review", lambda route: route.fulfill(status=502, body="<html>"))
        lan.page.click("dialog button.main")
        expect(problem).to_contain_text("Trạm chưa nhận được việc này")
        lan.page.unroute("**/review")

        lan.page.evaluate("document.getElementById('wall').dataset.csrf = 'of another session'")
        lan.page.click("dialog button.main")
        expect(problem).to_have_text(
            "trang này đã quá cũ, chưa có gì được thực hiện · hãy tải lại trang rồi thử lại"
        )
        expect(lan.page.locator("dialog textarea")).to_have_value("đã cử người ra chợ")


def test_a_note_that_is_being_written_stays_when_the_session_ends_and_the_page_says_so(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    box.tell(an_alert(71))
    with at_the_screen(chrome, room) as lan:
        lan.go("/")
        tile(lan.page, box, 71).locator(".take").click()
        lan.page.fill("#take textarea", "đã gọi tổ 3")
        queue, other = lan.page.context.new_page(), lan.page.context.new_page()
        queue.goto(f"{room.url}/review")
        queue.fill("#judging textarea", "xe đã đi")
        other.goto(f"{room.url}/own")
        other.click(".who form button")
        places = [lan.page.locator("#take .problem"), lan.page.locator("#pulse"), queue.locator("#meanwhile")]
        for place in places:
            expect(place).to_have_text("Phiên đăng nhập đã hết.")
        queue.keyboard.press("Escape")
        queue.keyboard.press("2")
        assert queue.locator("#judging button:enabled").count() == 0, "it would take the note with it"
        expect(queue.locator("#judging textarea")).to_have_value("xe đã đi")
        expect(lan.page.locator("#take textarea")).to_have_value("đã gọi tổ 3")
        lan.page.click("#take button[value=leave]")
        lan.page.wait_for_url("**/login*")


def test_a_note_that_was_sent_keeps_no_wall_from_the_page_to_log_in(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    box.tell(an_alert(72))
    with at_the_screen(chrome, room) as lan:
        lan.go("/")
        tile(lan.page, box, 72).locator(".take").click()
        lan.page.fill("#take textarea", "đã gọi tổ 3")
        lan.page.click("#take button[value=take]")
        expect(lan.page.locator("#take")).to_be_hidden()
        other = lan.page.context.new_page()
        other.goto(f"{room.url}/own")
        other.click(".who form button")
        lan.page.wait_for_url("**/login*")


def test_a_screen_that_lost_its_process_comes_back_without_a_missed_event(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        expect(officer.page.locator("#pulse.good")).to_be_visible()
        room.kill_screen()
        for number in range(1, 6):
            box.tell(an_alert(number))

        for number in range(1, 6):
            expect(tile(officer.page, box, number)).to_be_visible(timeout=60_000)


def test_a_picture_that_comes_after_its_event_appears_in_the_tile(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        event, picture = box.put(an_alert(77))
        box.publish(event)
        expect(tile(officer.page, box, 77)).to_be_visible()
        assert not tile(officer.page, box, 77).locator("img").count()

        box.publish(picture)

        expect(tile(officer.page, box, 77).locator("img")).to_be_visible()
        expect(tile(officer.page, box, 77, "#alerts").locator("img")).to_be_visible()


def test_a_review_that_was_taken_while_a_screen_was_away_is_shown_when_it_is_back(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        box.tell(an_alert(1))
        expect(tile(officer.page, box, 1)).to_be_visible()
        room.kill_screen()
        engine = engine_of(url_of(room.config.database, room.config.state_dir))
        with engine.connect() as connection:
            box_id = connection.scalar(select(box_table.c.id).where(box_table.c.device == box.device))
        ReviewQueue(engine).acknowledge((box_id or 0, "e-1"), Reviewer("minh", "Trần Văn Minh"), seen=0)
        engine.dispose()

        shown = tile(officer.page, box, 1).locator(".reviewed").first
        expect(shown).to_contain_text("Trần Văn Minh", timeout=60_000)


def _settle_all(room: DutyRoom) -> None:
    """What other tests of this room have left open."""
    engine = engine_of(url_of(room.config.database, room.config.state_dir))
    queue = ReviewQueue(engine)
    while found := queue.open_alerts():
        for each in found:
            seen = queue.standing(each.key).change_id
            queue.mark(each.key, ReviewState.CONFIRMED, Reviewer("minh", "Trần Văn Minh"), seen=seen)
    engine.dispose()


def _settle(room: DutyRoom, box: FakeBox, numbers: range, state: ReviewState = ReviewState.CONFIRMED) -> None:
    """As officers elsewhere do it."""
    engine = engine_of(url_of(room.config.database, room.config.state_dir))
    queue = ReviewQueue(engine)
    with engine.connect() as connection:
        box_id = connection.scalar(select(box_table.c.id).where(box_table.c.device == box.device)) or 0
    for number in numbers:
        key = (box_id, f"e-{number}")
        queue.mark(key, state, Reviewer("minh", "Trần Văn Minh"), seen=queue.standing(key).change_id)
    engine.dispose()


def test_where_open_alerts_are_settled_those_behind_them_move_up(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    _settle_all(room)
    with at_the_screen(chrome, room) as officer:
        for number in range(1, 15):
            box.tell(an_alert(number, ago_s=20 - number))
        expect(tile(officer.page, box, 14, "#alerts")).to_be_visible()
        expect(tile(officer.page, box, 1, "#alerts")).to_have_count(0)  # of fourteen twelve are shown

        _settle(room, box, range(3, 15))

        expect(tile(officer.page, box, 1, "#alerts")).to_be_visible(timeout=30_000)
        expect(tile(officer.page, box, 14, "#alerts")).to_have_count(0)


def test_an_alert_that_is_open_again_stands_among_the_open_ones_again(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        box.tell(an_alert(1))
        expect(tile(officer.page, box, 1, "#alerts")).to_be_visible()
        _settle(room, box, range(1, 2))
        expect(tile(officer.page, box, 1, "#alerts")).to_have_count(0)

        _settle(room, box, range(1, 2), ReviewState.NEW)

        expect(tile(officer.page, box, 1, "#alerts")).to_be_visible()


def test_that_no_alert_is_open_is_said_without_red(chrome: Browser, room: DutyRoom, box: FakeBox) -> None:
    _settle_all(room)
    with at_the_screen(chrome, room) as officer:
        number = officer.page.locator("#open")
        expect(number).to_have_text("0")
        expect(number).not_to_contain_class("alert")
        box.tell(an_alert(1))
        expect(number).to_contain_class("alert")
        officer.page.reload()
        expect(number).to_contain_class("alert")

        _settle(room, box, range(1, 2))

        expect(number).to_have_text("0")
        expect(number).not_to_contain_class("alert")


def test_a_wall_that_hears_nothing_says_since_when(chrome: Browser, embedded: Address, tmp_path: Path) -> None:
    with (
        duty_room(tmp_path / "duty", embedded.port, commune="thieu-hoa") as room,
        at_the_screen(chrome, room) as officer,
    ):
        expect(officer.page.locator("#pulse.good")).to_be_visible()
        room.stop()
        expect(officer.page.locator("#pulse.problem")).to_contain_text("Không nhận được tin")
        room.start()
        expect(officer.page.locator("#pulse.good")).to_be_visible(timeout=60_000)


def test_a_wall_whose_boxes_are_all_away_says_when_the_last_was_heard(
    chrome: Browser, embedded: Address, tmp_path: Path
) -> None:
    with (
        duty_room(tmp_path / "duty", embedded.port, commune="quang-yen") as room,
        at_the_screen(chrome, room) as officer,
    ):
        pulse = officer.page.locator("#pulse.good")
        expect(pulse).to_contain_text("Chưa có tin từ hộp nào")
        with FakeBox(embedded, commune="quang-yen", device="box-7") as box:
            box.tell(an_alert(1))
        expect(officer.page.locator("#pulse.notice")).to_contain_text("tin mới nhất lúc")
        with FakeBox(embedded, commune="quang-yen", device="box-8", stream="s-8") as other:
            now = Instant(time.monotonic(), time.time())
            other.raw("status", codec.status("online", "life-1", now), retain=True)
            expect(pulse).to_contain_text("Tin mới nhất từ hộp")


def test_the_wall_says_that_nothing_is_kept_while_the_store_cannot(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    """The folder of pictures cannot be written: a disk that is full looks the same to the station."""
    blobs = room.config.state_dir / "blobs"
    with at_the_screen(chrome, room) as officer:
        expect(officer.page.locator("#pulse.good")).to_be_visible()
        moved = blobs.rename(blobs.with_name("elsewhere"))
        blobs.write_text("no folder")
        try:
            box.tell(an_alert(1))
            expect(officer.page.locator("#trouble")).to_be_visible()
        finally:
            blobs.unlink()
            moved.rename(blobs)
        box.tell(an_alert(2))
        expect(officer.page.locator("#trouble")).to_be_hidden(timeout=60_000)
        expect(tile(officer.page, box, 2)).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(chrome: Browser, room: DutyRoom, box: FakeBox) -> None:
    with at_the_screen(chrome, room, size=PHONE) as officer:
        box.tell(an_alert(1))
        expect(tile(officer.page, box, 1)).to_be_visible()
        width = officer.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]


WIDE = {"width": 1920, "height": 1080}


@pytest.mark.parametrize(
    ("size", "path"), [(WIDE, "/?kiosk=1"), (DESK, "/"), (PHONE, "/"), (PHONE, "/?kiosk=1")]
)
def test_a_silent_box_is_seen_at_a_glance_with_its_name_and_since_when(
    chrome: Browser, room: DutyRoom, box: FakeBox, size: dict[str, int], path: str
) -> None:
    with at_the_screen(chrome, room, size=size) as officer:
        officer.go(path)
        box.raw("status", codec.status("online", "life-1", Instant(time.monotonic(), time.time())), retain=True)
        for number in range(1, 9):
            box.tell(an_alert(number))
        expect(tile(officer.page, box, 8, "#alerts")).to_be_visible()

        box.raw("health", health_of(900), retain=True)

        thing = officer.page.locator("#needing.ill li", has_text=box.device)
        expect(thing).to_contain_text("Hộp vẫn kết nối nhưng im lặng đã 15 phút")
        expect(thing).to_contain_text("từ ")
        expect(thing).to_be_in_viewport(ratio=1)
        expect(officer.page.locator("#needing p")).to_be_in_viewport(ratio=1)
        listed = officer.page.locator("#boxes li.broken", has_text=box.device)
        expect(listed).to_contain_text("vẫn kết nối nhưng im lặng")
        name = listed.locator("a").bounding_box()
        assert name is not None and name["width"] > name["height"]  # no column of single letters
        assert not officer.complaints
        box.raw("health", health_of(0), retain=True)
        expect(thing).to_have_count(0)


TONES = """
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.tones.push(this.frequency.value);
  return start.call(this, at);
};
"""
"""What the page's oscillators were to sound."""
ALERT, HELP = [660, 880], [392]


@contextmanager
def listening(opened: Browser, room: DutyRoom) -> Iterator[Page]:
    """An officer's wall whose tones are written down, with a clock that can be put on."""
    with at_the_screen(opened, room) as officer:
        officer.page.add_init_script(TONES)
        officer.page.clock.install()
        officer.go("/")
        expect(officer.page.locator("#pulse.good")).to_be_visible()
        yield officer.page
        assert not officer.complaints


def sounded(page: Page) -> list[int]:
    """The tones since this was asked before."""
    return [round(each) for each in page.evaluate("window.tones.splice(0)")]


ON, OFF, HELD = (
    f"Âm báo (cảnh báo, cần xử lý): {how}"
    for how in ("đang bật", "đang tắt", "hãy bấm một phím, trình duyệt đang chặn âm")
)


def says_of_sound(page: Page, words: str) -> None:
    expect(page.locator("#sound")).to_have_text(words, use_inner_text=True)


def switch_on(page: Page) -> None:
    """It lets both be heard once."""
    page.click("#sound")
    says_of_sound(page, ON)
    assert sounded(page) == [*ALERT, *HELP]


def falls_silent(box: FakeBox, page: Page) -> None:
    """Returns when the strip says it."""
    box.raw("health", health_of(900), retain=True)
    expect(page.locator("#needing.ill li", has_text=box.device)).to_have_count(1)


def speaks(box: FakeBox, page: Page) -> None:
    """Returns when the strip says it."""
    box.raw("health", health_of(0), retain=True)
    expect(page.locator("#needing li", has_text=box.device)).to_have_count(0)


def hears_a_beat(page: Page) -> None:
    """Returns after the next one."""
    before = page.locator("#clock").inner_text()
    soon(lambda: page.locator("#clock").inner_text() != before, page=page)


def is_there(box: FakeBox) -> None:
    box.raw("status", codec.status("online", "life-1", Instant(time.monotonic(), time.time())), retain=True)


def test_what_newly_needs_help_sounds_once_lower_than_an_alert_and_not_again_for_ten_minutes(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    is_there(box)
    with listening(chrome, room) as page:
        switch_on(page)
        falls_silent(box, page)
        soon(lambda: sounded(page) == HELP, page=page)
        box.tell(an_alert(1))
        soon(lambda: sounded(page) == ALERT, page=page)

        speaks(box, page)
        falls_silent(box, page)
        speaks(box, page)
        falls_silent(box, page)
        assert sounded(page) == []

        page.clock.fast_forward("10:01")
        soon(lambda: sounded(page) == HELP, page=page)  # it stands still
        speaks(box, page)
        assert sounded(page) == []


def test_what_needed_help_when_the_page_was_opened_makes_no_sound_and_a_second_box_does(
    chrome: Browser, room: DutyRoom, box: FakeBox, embedded: Address
) -> None:
    is_there(box)
    box.raw("health", health_of(900), retain=True)
    with (
        at_the_screen(chrome, room) as other,
        FakeBox(embedded, device="box-2nd", stream="s-2nd") as second,
    ):
        expect(other.page.locator("#needing.ill li", has_text=box.device)).to_have_count(1)
        is_there(second)
        with listening(chrome, room) as page:
            switch_on(page)
            hears_a_beat(page)
            assert sounded(page) == []
            falls_silent(second, page)
            assert sounded(page) == HELP
            speaks(second, page)
            speaks(box, page)


def test_where_the_sound_is_off_nothing_sounds_and_what_came_meanwhile_does_not_when_it_is_switched_on(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    is_there(box)
    with listening(chrome, room) as page:
        falls_silent(box, page)
        speaks(box, page)
        falls_silent(box, page)
        assert sounded(page) == []
        switch_on(page)
        hears_a_beat(page)
        page.click("#sound")
        says_of_sound(page, OFF)
        assert sounded(page) == []
        speaks(box, page)


def test_a_sound_that_was_switched_on_stays_on_over_a_reload_and_another_page_and_is_off_in_another_tab(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    is_there(box)
    with listening(chrome, room) as page:
        switch_on(page)
        with page.expect_navigation():
            page.evaluate("location.reload()")  # as the wall does at midnight
        says_of_sound(page, ON)
        page.click(".menu a[href='/boxes']")
        page.click(".menu a[href='/']")
        says_of_sound(page, ON)
        expect(page.locator("#pulse.good")).to_be_visible()
        assert sounded(page) == []
        falls_silent(box, page)
        assert sounded(page) == HELP
        other = page.context.new_page()
        other.goto(room.url)
        says_of_sound(other, OFF)
        page.click("#sound")
        page.goto(room.url)
        says_of_sound(page, OFF)
        speaks(box, page)


def test_where_the_browser_holds_the_sound_back_the_button_says_so_and_any_key_lets_it_sound(
    chrome: Browser, room: DutyRoom
) -> None:
    with listening(chrome, room) as page:
        switch_on(page)
        page.goto(room.url)  # as if its address were typed: a browser asks for a press again then
        says_of_sound(page, HELD)
        hears_a_beat(page)
        assert sounded(page) == []
        page.keyboard.press("a")
        says_of_sound(page, ON)
        page.goto(room.url)
        says_of_sound(page, HELD)
        page.click("#sound")
        says_of_sound(page, ON)
        page.click("#sound")
        says_of_sound(page, OFF)
        assert sounded(page) == []


def test_the_menu_of_a_phone_lies_at_the_thumb_with_all_its_pages_and_the_number_of_open_alerts(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room, size=PHONE) as officer:
        officer.go("/shift")
        badge = officer.page.locator(".menu [data-badge=open]")
        before = int(badge.text_content() or "0")
        box.tell(an_alert(1))
        expect(badge).to_have_text(str(before + 1), timeout=20_000)
        assert not officer.complaints
        links = officer.page.locator(".menu a")
        for link in links.all():
            expect(link).to_be_in_viewport(ratio=1)
            placed = link.bounding_box()
            assert placed is not None
            assert placed["y"] > PHONE["height"] * 0.75
            assert placed["height"] >= 44
        officer.page.mouse.wheel(0, 20_000)
        expect(links.last).to_be_in_viewport(ratio=1)


def test_who_is_logged_out_elsewhere_sees_no_further_event(
    chrome: Browser, room: DutyRoom, box: FakeBox
) -> None:
    with at_the_screen(chrome, room) as officer:
        expect(officer.page.locator("#pulse.good")).to_be_visible()
        other = officer.page.context.new_page()
        other.goto(room.url)
        other.click("form[action='/logout'] button")
        officer.page.wait_for_url("**/login*")
