"""station.web.tiles"""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from station.lookup.cards import EventCard
from station.web.render import Templates
from station.web.tiles import Tiles

AT_MS = 1_795_000_000_000
CARD = EventCard(
    box_id=1, event_id="e-1", revision=1, box="cho-01", box_title="Chợ Hải Ninh", camera="north",
    camera_title="Hướng Bắc", kind="wrong_way", label="motorcycle", riders=2, direction=None, severity="alert",
    phase="start", end_reason=None, detail=None, rule="mot-chieu", rule_title="Đường một chiều",
    rule_kind="wrong_way", zones=(), zone_titles=(),
    track_id="t-1", score_permille=900, began_ms=AT_MS, latest_ms=AT_MS, ended_ms=None, received_ms=AT_MS + 800,
    late=False, replayed=False, clock="ntp", thumbnail="a" * 64, scene=None,
)  # fmt: skip


@pytest.fixture
def tiles() -> Tiles:
    return Tiles(Templates(ZoneInfo("Asia/Ho_Chi_Minh")))


def test_a_tile_says_what_who_where_and_when_in_the_language_of_whoever_looks(tiles: Tiles) -> None:
    vietnamese, english = tiles.of(CARD, "vi"), tiles.of(CARD, "en")
    assert (vietnamese["what"], vietnamese["who"]) == ("ngược chiều", "xe máy, 2 người")
    assert (english["what"], english["who"]) == ("wrong way", "motorcycle, 2 riders")
    assert vietnamese["where"] == "Chợ Hải Ninh · Hướng Bắc"
    assert vietnamese["picture"] == f"/pictures/{'a' * 64}"


@pytest.mark.parametrize("field", ["late", "replayed"])
def test_what_is_no_news_is_marked_with_when_it_came(tiles: Tiles, field: str) -> None:
    card = replace(CARD, received_ms=AT_MS + 3_600_000, **{field: True})
    made = tiles.of(card, "vi")
    assert made["is_late"]
    assert made["late"].startswith("đến muộn lúc ")
    assert not tiles.of(CARD, "vi")["is_late"]


@pytest.mark.parametrize(
    ("days", "came"), [(0, "21:26:40"), (1, "hôm qua 21:26:40"), (2, "21:26:40 18/11/2026")]
)
def test_what_came_late_on_another_day_says_on_which(days: int, came: str) -> None:
    card = replace(CARD, received_ms=AT_MS + 12_000_000, late=True)
    then = Tiles(Templates(ZoneInfo("Asia/Ho_Chi_Minh"), lambda: AT_MS / 1000 + 13_000 + 86_400 * days))

    assert then.of(card, "vi")["late"] == f"đến muộn lúc {came}"


@pytest.mark.parametrize(
    ("review", "is_open", "is_untaken"),
    [("new", True, True), ("seen", True, False), ("confirmed", False, False), ("false", False, False)],
)
def test_only_an_alert_that_nobody_has_taken_is_offered(
    tiles: Tiles, review: str, is_open: bool, is_untaken: bool
) -> None:
    card = replace(CARD, review=review, reviewed_by=None if review == "new" else "Nguyễn Thị Lan")
    made = tiles.of(card, "vi")
    assert (made["is_open"], made["is_untaken"]) == (is_open, is_untaken)
    assert bool(made["reviewed"]) is (review != "new")
    assert not tiles.of(replace(card, severity="info"), "vi")["is_open"]


def test_a_tile_says_who_works_on_an_alert_and_since_when(tiles: Tiles) -> None:
    taken = replace(CARD, review="seen", reviewed_by="Trung úy A", reviewed_ms=AT_MS)
    settled = replace(taken, review="confirmed")

    at = tiles.of(CARD, "vi")["moment"]
    assert tiles.of(taken, "vi")["reviewed"] == f"đang xử lý – Trung úy A, từ {at}"
    assert tiles.of(taken, "en")["reviewed"].startswith("being worked on – Trung úy A, since ")
    assert tiles.of(settled, "vi")["reviewed"] == f"đã xác nhận – Trung úy A, lúc {at}"


def test_a_name_from_a_box_makes_no_other_address(tiles: Tiles) -> None:
    assert tiles.of(replace(CARD, event_id="../../people?x=1"), "vi")["href"].startswith("/events/cho-01/..%2F")


def test_a_word_that_nobody_has_translated_is_shown_as_words(tiles: Tiles) -> None:
    assert tiles.of(replace(CARD, kind="of_next_year", label="hovercraft"), "vi")["what"] == "of next year"


def test_an_event_that_no_tile_can_show_is_there_all_the_same_and_leads_to_its_page(tiles: Tiles) -> None:
    """One that a box, or a mistake of ours, made so must not hide all others."""
    broken = replace(CARD, began_ms=float("nan"))  # type: ignore[arg-type]
    with capture_logs() as said:
        made, sent = tiles.of(broken, "vi"), tiles.sent(broken, "vi")

    assert made.keys() == tiles.of(CARD, "vi").keys()
    assert made == json.loads(sent)
    assert (made["href"], made["where"], made["is_untaken"]) == ("/events/cho-01/e-1", "cho-01", True)
    assert made["what"] == "sự kiện không hiển thị được ở đây"
    assert {each["event"] for each in said} == {"tile_failed"}


@pytest.mark.parametrize(
    ("detail", "who"),
    [
        (
            "neither NTP nor a battery clock keeps the time",
            "không có NTP, cũng không có đồng hồ chạy pin giữ giờ",
        ),
        ("kept by ntp after 312 s", "giờ đã có ntp giữ, sau 312 giây"),
        (
            "the disk is full: pictures are dropped, events go on",
            "ổ lưu trữ đã đầy: ảnh bị bỏ, sự kiện vẫn tiếp tục",
        ),
        ("covered", "bị che"),
    ],
)
def test_what_a_box_says_of_itself_is_said_in_the_language_of_whoever_looks(
    tiles: Tiles, detail: str, who: str
) -> None:
    card = replace(CARD, kind="clock_untrusted", label=None, riders=0, detail=detail)
    assert tiles.of(card, "vi")["who"] == who
    assert tiles.of(card, "en")["who"] == detail
