"""station.web.pages.lookup over HTTP, with a real store"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import URL

from station.lookup.search import PAGE
from tests.support.duty_room import browser
from tests.support.duty_screen import PASSWORD, DutyScreen
from tests.support.jpegs import jpeg
from tests.support.stores import Place
from tests.support.told_events import born, camera_status, event_at, picture_of, road_user, status

AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
"""Nine in the morning in Hanoi."""
WEEK = "from=2026-11-20T00:00&to=2026-11-27T00:00"
HOSTILE = "<script>alert(1)</script>\x1b[2J"


def seen(number: int, **fields: Any) -> dict[str, Any]:
    return {"object": road_user(number, AT, **fields)}


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DutyScreen]:
    """Motorcycles with one rider, every tenth with two; one alert with a picture; an outage."""
    folder: Path = tmp_path_factory.mktemp("duty")
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    now = [AT - timedelta(days=40)]
    with closing(place.open(now=lambda: now[0].timestamp() + 0)) as store:
        cameras = {"north": "Hướng Bắc", "south": HOSTILE}
        store.commit([born("north-01", "Ngã tư chợ", cameras, now[0]), status("north-01", "online", now[0])])
        for state, hours in (("streaming", -900), ("lost", 3), ("streaming", 4)):
            store.commit([camera_status("north-01", "north", state, AT + timedelta(hours=hours))])
        now[0] = AT
        image, picture = picture_of(jpeg(), 1, 900)
        store.commit(
            [event_at(1, AT, severity="alert", kind="wrong_way", image=image, **seen(1, riders=3)), picture]
        )
        for number in range(2, 100):
            at = AT + timedelta(minutes=number)
            store.commit([event_at(number, at, **seen(number, riders=2 if number % 10 == 0 else 1))])
        store.commit([event_at(500, AT, camera="south", rule={"id": "=cmd|' /C calc'!A0", "kind": HOSTILE})])
    place.close()
    screen = DutyScreen(folder, "hai-ninh")
    with screen.served():
        yield screen
    screen.close()


@pytest.fixture(scope="module")
def lan(screen: DutyScreen) -> Iterator[httpx.Client]:
    with closing(screen.client()) as client:
        yield client


def page(client: httpx.Client, query: str) -> str:
    answer = client.get(f"/lookup?{query}")
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def links(text: str) -> list[str]:
    return re.findall(r'href="/events/north-01/(e-\d+)"', text)


@pytest.mark.long
def test_words_become_an_address_that_can_be_shared(lan: httpx.Client) -> None:
    answer = lan.get("/lookup", params={"q": "xe máy 2 người 26/11/2026 9h-11h"})

    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address.startswith("/lookup?from=2026-11-26T09%3A00&to=2026-11-26T11%3A00&label=motorcycle&riders=2")
    text = unescape(lan.get(address).text)
    assert "9 sự kiện" in text
    assert links(text) == [f"e-{number}" for number in range(90, 0, -10)]
    assert "xe máy" in text
    assert "2 người" in text


def test_a_colour_that_is_said_becomes_part_of_the_look_up_and_can_be_taken_away(lan: httpx.Client) -> None:
    address = lan.get("/lookup", params={"q": "xe máy đỏ áo xanh dương 26/11/2026"}).headers["location"]
    assert "&label=motorcycle&colour=red&clothes=blue" in address

    text = unescape(lan.get(address).text)
    assert "xe màu đỏ" in text and "áo màu xanh dương" in text
    assert links(text) == [], "no box told a colour here"


def test_who_asks_for_a_colour_hears_of_those_of_whom_none_is_known_and_can_see_them(lan: httpx.Client) -> None:
    address = lan.get("/lookup", params={"q": "xe máy đỏ 26/11/2026"}).headers["location"]
    text = unescape(lan.get(address).text)
    assert "100 sự kiện khác cũng khớp nhưng không rõ màu" in text

    (wider,) = re.findall(r'<a href="([^"]+)">Xem cả những sự kiện này', text)
    assert "&colour=red&colour=unknown" in wider and "said=xe+m" in wider
    text = unescape(lan.get(wider).text)
    assert len(links(text)) == PAGE and "xe không rõ màu" in text
    assert "cũng khớp nhưng" not in text
    export = re.search(r'href="(/lookup\.csv[^"]+)"', text)
    assert export and len(list(csv.DictReader(io.StringIO(lan.get(export[1]).text[1:])))) == 1 + 100

    assert "cũng khớp nhưng" not in page(lan, f"{WEEK}&label=motorcycle"), "no colour was asked for"
    assert "cũng khớp nhưng" not in page(lan, f"{WEEK}&label=bus&colour=red"), "there are none"


def test_what_may_be_read_in_another_way_is_offered_with_the_time_that_is_shown(lan: httpx.Client) -> None:
    address = lan.get("/lookup", params={"q": "xe may den 26/11/2026"}).headers["location"]
    text = unescape(lan.get(address).text)
    assert "“den” được hiểu là màu đen. Nếu là từ khác:" in text

    (other,) = re.findall(r'<a class="chip" href="([^"]+)">bỏ màu này', text)
    assert other == "/lookup?from=2026-11-26T00%3A00&to=2026-11-27T00%3A00&label=motorcycle"
    assert "100 sự kiện" in unescape(lan.get(other).text)


def test_a_part_of_the_name_of_a_place_is_enough(lan: httpx.Client) -> None:
    address = lan.get("/lookup", params={"q": "chợ 26/11/2026"}).headers["location"]

    assert address.startswith("/lookup?from=2026-11-26T00%3A00&to=2026-11-27T00%3A00&box=north-01&said=")


def test_what_was_not_understood_is_said(lan: httpx.Client) -> None:
    answer = lan.get("/lookup", params={"q": "xe máy foobar"}, follow_redirects=True)

    assert "Không hiểu nên đã bỏ qua: foobar" in answer.text
    assert "Chưa nói thời gian" in answer.text


def test_all_pages_together_have_every_event_once(lan: httpx.Client) -> None:
    text = page(lan, f"{WEEK}&label=motorcycle")
    first = links(text)
    assert len(first) == PAGE
    further = re.search(r'rel="next" href="([^"]+)"', text)
    assert further is not None
    rest = links(unescape(lan.get(further[1]).text))

    assert len(set(first + rest)) == len(first) + len(rest) == 100
    assert "100 sự kiện" in text


def test_a_chip_takes_its_value_away_and_leaves_the_rest(lan: httpx.Client) -> None:
    text = page(lan, f"{WEEK}&label=motorcycle&riders=3%2B&camera=north-01/north")

    assert links(text) == ["e-1"]
    addresses = re.findall(r'<a class="chip on" href="([^"]+)" title', text)
    assert len(addresses) == 3
    without_riders = next(each for each in addresses if "riders" not in each)
    assert "label=motorcycle" in without_riders
    assert "camera=north-01%2Fnorth" in without_riders
    assert len(links(page(lan, without_riders.partition("?")[2]))) == PAGE


def test_the_list_has_the_same_events_as_the_pictures(lan: httpx.Client) -> None:
    grid, listed = page(lan, f"{WEEK}&riders=2"), page(lan, f"{WEEK}&riders=2&view=list")

    assert links(grid) == links(listed)
    assert '<table class="fold results"' in listed


def test_a_time_without_events_says_when_nobody_watched(lan: httpx.Client) -> None:
    text = page(lan, "from=2026-11-26T12:00&to=2026-11-26T13:00&camera=north-01/north")

    assert "Không tìm thấy" in text
    assert "Camera không có hình" in text
    assert "không có nghĩa là không có gì xảy ra" in text
    assert '<rect class="unseen"' in text


def test_a_look_up_of_all_cameras_says_which_of_them_did_not_watch_where_none_told_anything(
    lan: httpx.Client,
) -> None:
    text = page(lan, "from=2026-11-26T11:30&to=2026-11-26T13:30")

    assert "Không tìm thấy" in text and 'class="density"' not in text
    notice = re.search(r'<details class="notice unwatched" open>(.*?)</details>', text, re.DOTALL)
    assert notice is not None
    assert "Hướng Bắc, Ngã tư chợ</strong>: không có hình" in notice[1]
    assert "12:00:00 26/11/2026 – 13:00:00 26/11/2026" in notice[1] and "60 phút trong khoảng này" in notice[1]
    assert "không có nghĩa là không có gì xảy ra" in notice[1]
    assert 'class="notice unwatched"' not in page(lan, "from=2026-11-26T13:30&to=2026-11-26T14:30")
    assert 'class="notice unwatched"' not in page(lan, f"{WEEK}&camera=north-01/south"), "it saw all the time"


def test_a_csv_has_all_of_the_look_up_and_no_formula(lan: httpx.Client, screen: DutyScreen) -> None:
    answer = lan.get(f"/lookup.csv?{WEEK}")

    assert answer.text.startswith("\ufeff")
    assert 'filename="events-20261120-0000-20261127-0000.csv"' in answer.headers["content-disposition"]
    unwatched, *rows = csv.DictReader(io.StringIO(answer.text[1:]))
    assert len(rows) == 100
    assert (unwatched["sự kiện"], unwatched["bắt đầu lúc"]) == ("không thấy hết: không có hình", "12:00:00")
    assert {row["quy tắc"] for row in rows} == {"stop-line", "'=cmd|' /C calc'!A0"}
    assert "\x1b" not in answer.text
    assert rows[0]["nhãn"] == "xe máy"
    assert screen.acts()[-1][0] == "export"


def test_a_json_has_the_words_of_the_wire(lan: httpx.Client) -> None:
    found = json.loads(lan.get(f"/lookup.json?{WEEK}&kind=wrong_way").text)["events"]

    assert [(each["id"], each["riders"], each["severity"]) for each in found] == [("e-1", 3, "alert")]
    assert found[0]["start"] == "2026-11-26T09:00:00.000+07:00"
    none = json.loads(lan.get(f"/lookup.json?{WEEK}&label=tram").text)
    assert none["events"] == []
    assert [(each["camera"], each["state"], each["start"], each["end"]) for each in none["unwatched"]] == [
        ("north", "lost", "2026-11-26T12:00:00.000+07:00", "2026-11-26T13:00:00.000+07:00")
    ]


def test_every_look_up_is_noted_with_its_address(lan: httpx.Client, screen: DutyScreen) -> None:
    page(lan, f"{WEEK}&label=bus")

    verb, subject = screen.acts()[-1]
    assert verb == "look_up"
    assert subject == "/lookup?from=2026-11-20T00%3A00&to=2026-11-27T00%3A00&label=bus"


def test_no_text_of_a_box_is_a_part_of_the_page(lan: httpx.Client) -> None:
    for view in ("grid", "list"):
        raw = lan.get(f"/lookup?{WEEK}&camera=north-01/south&view={view}").text
        assert "<script>alert" not in raw
        assert "\x1b" not in raw
        assert links(raw) == ["e-500"]


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday", "to=9999-12-31T00:00", "riders=many", "from=2026-11-27T00:00&to=2026-11-20T00:00",
        "label=%00", "view=sideways", "camera=%2F%2F", "word=%25%5F'%22", "from=2026-11-20T00:00%2B99:00",
    ],
)  # fmt: skip
def test_an_address_that_somebody_has_mistyped_gives_a_page_all_the_same(lan: httpx.Client, query: str) -> None:
    assert "Tra cứu sự kiện" in page(lan, query)


def test_a_page_that_is_none_of_ours_is_said_to_be_missing(lan: httpx.Client) -> None:
    answer = lan.get("/lookup?after=nonsense")

    assert answer.status_code in (404, 503)
    assert "không tìm thấy trang tra cứu này" in answer.text


def test_it_speaks_english_where_that_is_chosen(screen: DutyScreen) -> None:
    with closing(screen.client(language="en")) as client:
        client.get("/language/en")
        text = page(client, f"{WEEK}&label=motorcycle")

    assert "100 events" in text
    assert "Motorcycle, 3 people, goes the wrong way" in page_of(screen, "en", f"{WEEK}&kind=wrong_way")


def page_of(screen: DutyScreen, language: str, query: str) -> str:
    with closing(screen.client(language=language)) as client:
        client.get(f"/language/{language}")
        return page(client, query)


def test_nobody_sees_it_without_a_login(screen: DutyScreen) -> None:
    with closing(screen.client(login=None)) as client:
        for path in ("/lookup", "/lookup.csv", "/lookup.json"):
            answer = client.get(path)
            assert answer.status_code in (303, 401), path
            assert "e-1" not in answer.text


@pytest.mark.browser
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "vi",
            ["Thứ Sáu, ngày 20 tháng 11 năm 2026, 00 giờ 00", "Thứ Ba, ngày 3 tháng 11 năm 2026, 21 giờ 05"],
        ),
        ("en", ["Friday 20 November 2026, 00:00", "Tuesday 3 November 2026, 21:05"]),
    ],
)
def test_what_is_typed_into_a_field_of_time_is_said_in_words_whatever_language_the_browser_has(
    screen: DutyScreen, language: str, said: list[str]
) -> None:
    with browser() as opened:
        tab = opened.new_context(locale="en-US", base_url=screen.url).new_page()
        tab.set_default_timeout(60_000)
        tab.goto(f"/language/{language}")
        tab.goto("/login")
        tab.fill("[name=login]", "lan")
        tab.fill("[name=password]", PASSWORD)
        tab.click("button.main")
        tab.wait_for_selector("nav.menu")
        tab.goto(f"/lookup?{WEEK}")
        tab.click("details.filters > summary")
        shown = tab.locator(".filters .when")
        expect(shown.first).to_have_text(said[0])

        tab.locator("[name=from]").press_sequentially("110320260905PM")
        expect(shown.first).to_have_text(said[1])
        assert tab.locator("[name=from]").input_value() == "2026-11-03T21:05", (
            "the browser asks for the month first"
        )
        tab.locator("[name=to]").fill("")
        expect(shown.last).to_have_text("")


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_arrow_keys_lead_from_tile_to_tile_and_enter_opens_one(screen: DutyScreen) -> None:
    with browser() as opened:
        tab = opened.new_page(viewport={"width": 1366, "height": 768}, base_url=screen.url)
        tab.set_default_timeout(60_000)
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto("/login")
        tab.fill("[name=login]", "lan")
        tab.fill("[name=password]", PASSWORD)
        tab.click("button.main")
        tab.wait_for_selector("nav.menu")
        tab.goto(f"/lookup?{WEEK}&label=motorcycle")
        in_a_row = tab.evaluate(
            "(all => all.filter(a => a.offsetTop === all[0].offsetTop).length)"
            "([...document.querySelectorAll('#results .tile')])"
        )
        seen = []
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"):
            tab.keyboard.press(key)
            seen.append(tab.evaluate("document.activeElement.getAttribute('href')").rpartition("-")[2])
        assert in_a_row > 2
        assert seen == ["99", "98", str(98 - in_a_row), "98", "99"]

        tab.keyboard.press("Enter")
        tab.wait_for_url("**/events/north-01/e-99")
        assert not complaints
