"""station.lookup.spoken.understood, station.lookup.spoken.vocabulary, station.lookup.spoken.moments"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import translated
from agent.wire.words import COLOURS, KINDS, LABELS
from station.lookup.places import BoxPlace, CameraPlace, PlacedRule
from station.lookup.spoken.text import bare
from station.lookup.spoken.understood import KnownNames, Understood, understood

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 15, 0, tzinfo=HANOI)
"""A Friday."""
CAMERA = CameraPlace("north", "Chợ, hướng bắc", ("lane-1",), (PlacedRule("stop-line", "line"),))
KNOWN = KnownNames((BoxPlace(1, "hai-ninh-03", "Ngã tư chợ", 0, (CAMERA,)),), ("in", "out", "bac"))
BIKE = {"labels": ("motorcycle",)}


def said(found: Understood) -> dict[str, Any]:
    """What of the search is no default, but for its time."""
    plain = {each.name: each.default for each in fields(found.search) if each.name not in ("since", "until")}
    return {
        name: getattr(found.search, name)
        for name, usual in plain.items()
        if getattr(found.search, name) != usual
    }


def span(found: Understood) -> str:
    since, until = found.search.since, found.search.until
    return f"{since:%d/%m %H:%M} {until:%d/%m %H:%M}"


@pytest.mark.parametrize(
    ("text", "time", "expected"),
    [
        ("xe máy 2 người hôm qua 9h-10h", "26/11 09:00 26/11 10:00", BIKE | {"riders": 2}),
        ("motorcycle two riders yesterday 9 to 10", "26/11 09:00 26/11 10:00", BIKE | {"riders": 2}),
        (
            "two riders on a motorbike, northbound, Tuesday between nine and ten",
            "24/11 09:00 24/11 10:00",
            BIKE | {"riders": 2, "directions": ("bac",)},
        ),
        (
            "xe máy chở 3 người, đi ngược chiều ở ngã tư chợ sáng nay",
            "27/11 05:00 27/11 12:00",
            BIKE | {"riders": 3, "kinds": ("wrong_way",), "boxes": ("hai-ninh-03",)},
        ),
        (
            "ô tô dừng đỗ tối qua",
            "26/11 18:00 26/11 23:00",
            {"labels": ("car",), "kinds": ("stopped_vehicle",)},
        ),
        (
            "người đi bộ quanh quẩn thứ ba tuần trước",
            "17/11 00:00 18/11 00:00",
            {"labels": ("person",), "kinds": ("loitering",)},
        ),
        (
            "xe tải qua vạch vào từ 14h đến 15h30 ngày 20/11",
            "20/11 14:00 20/11 15:30",
            {"labels": ("truck",), "kinds": ("line_crossed",), "directions": ("in",)},
        ),
        ("từ 3 người trở lên 2 giờ qua", "27/11 13:00 27/11 15:00", {"riders": 3, "riders_at_least": True}),
        (
            "at least three riders, last 2 hours",
            "27/11 13:00 27/11 15:00",
            {"riders": 3, "riders_at_least": True},
        ),
        ("more than 2 people today", "27/11 00:00 28/11 00:00", {"riders": 3, "riders_at_least": True}),
        ("stop-line 27/11/2026 14h03", "27/11 13:53 27/11 14:13", {"rules": ("stop-line",)}),
        ("late events last week", "16/11 00:00 23/11 00:00", {"late_only": True}),
        ("báo sai hôm kia", "25/11 00:00 26/11 00:00", {"reviews": ("false",)}),
        ("bus at 9pm", "26/11 21:00 26/11 22:00", {"labels": ("bus",)}),
        ("xe đạp 9 giờ rưỡi tối", "26/11 21:20 26/11 21:40", {"labels": ("bicycle",)}),
        ("after 22h yesterday", "26/11 22:00 27/11 00:00", {}),
        ("đêm qua", "26/11 22:00 27/11 05:00", {}),
        ("tháng này, cũ nhất trước", "01/11 00:00 28/11 00:00", {"newest_first": False}),
        ("Chợ, hướng bắc trước 8h hôm nay", "27/11 00:00 27/11 08:00", {"cameras": ("hai-ninh-03/north",)}),
        ("lane 1 2026-11-20", "20/11 00:00 21/11 00:00", {"zones": ("lane-1",)}),
        ('"0192-aa" hôm nay', "27/11 00:00 28/11 00:00", {"words": ("0192-aa",)}),
    ],
)
def test_what_officers_say_is_understood_with_and_without_accents(
    text: str, time: str, expected: dict[str, Any]
) -> None:
    for written in (text, bare(text) if '"' not in text else text, text.upper() if '"' not in text else text):
        found = understood(written, NOW, KNOWN)
        assert span(found) == time, written
        assert said(found) == expected, written
        assert (found.unknown, found.time_is_said) == ((), True), written


@pytest.mark.parametrize(
    ("text", "riders"),
    [
        ("hai đối tượng", 2), ("2 thanh niên", 2), ("hai tên", 2), ("2ng", 2), ("đèo 2", 2), ("kẹp 3", 3),
        ("xe máy đỏ 2ng", 2), ("xe máy đỏ đèo hai", 2),
    ],
)  # fmt: skip
def test_how_many_ride_is_understood_as_it_is_called_in_by_telephone(text: str, riders: int) -> None:
    found = understood(f"{text} đêm qua 1h20", NOW, KNOWN)

    assert (found.search.riders, found.unknown) == (riders, ())
    assert found.search.vehicle_colours == (("red",) if "đỏ" in text else ())


@pytest.mark.parametrize(
    ("text", "riders"),
    [
        ("chợ 26/11/2026", None),
        ("xe máy ở chợ 9h", None),
        ("chợ hai", None),
        ("xe máy chợ 2 người", 2),
        ("cho 2", 2),
    ],
)
def test_a_market_carries_nobody(text: str, riders: int | None) -> None:
    found = understood(text, NOW, KNOWN)

    assert found.search.riders == riders
    assert found.search.boxes == (("hai-ninh-03",) if "chợ" in text else ())


def test_a_place_where_two_boxes_say_that_they_hang_is_looked_for_at_both() -> None:
    names = ((1, "hn-01", "Ngã tư chợ (hn-01)"), (2, "hn-02", "NGÃ TƯ CHỢ (hn-02)"))
    boxes = tuple(BoxPlace(*each, 0, (), "Ngã tư chợ") for each in names)

    assert said(understood("ngã tư chợ hôm nay", NOW, KnownNames(boxes))) == {"boxes": ("hn-01", "hn-02")}


@pytest.mark.parametrize("text", ["cảnh báo chưa xem", "alerts not looked at"])
def test_where_no_time_is_said_the_last_week_is_looked_through(text: str) -> None:
    found = understood(text, NOW)

    assert (found.search.until - found.search.since, found.time_is_said) == (timedelta(days=7), False)
    assert said(found) == {"severities": ("alert",), "reviews": ("new",)}


@pytest.mark.parametrize(
    ("text", "vehicle", "clothes"),
    [
        ("xe máy đỏ hôm nay", ("red",), ()),
        ("a red motorbike today", ("red",), ()),
        ("xe may mau den hom nay", ("black",), ()),
        ("xe máy đen hôm nay", ("black",), ()),
        ("xe may do hom nay", ("red",), ()),
        ("xe máy màu bạc hôm nay", ("grey",), ()),
        ("xe máy xanh lá hôm nay", ("green",), ()),
        ("xe máy xanh dương hôm nay", ("blue",), ()),
        ("xe máy xanh hôm nay", ("green", "blue"), ()),
        ("xe máy hôm nay mặc áo vàng", (), ("yellow",)),
        ("xe máy đỏ áo khoác đen hôm nay", ("red",), ("black",)),
        ("a white motorbike, blue jacket, today", ("white",), ("blue",)),
        ("motorbike today, wearing a grey", (), ("grey",)),
        ("xe máy đỏ hoặc không rõ màu hôm nay", ("red", "unknown"), ()),
        ("motorbike, colour unknown, today", ("unknown",), ()),
    ],
)
def test_the_colour_of_a_vehicle_and_of_what_its_rider_wears_can_be_said(
    text: str, vehicle: tuple[str, ...], clothes: tuple[str, ...]
) -> None:
    found = understood(text, NOW)

    wanted = {"vehicle_colours": vehicle, "clothes_colours": clothes}
    assert said(found) == BIKE | {name: value for name, value in wanted.items() if value}
    assert (found.unknown, found.notes) == ((), ())


def test_a_camera_that_is_called_cam_and_a_number_is_no_orange_vehicle() -> None:
    found = understood("xe máy cam 3 hôm nay", NOW)

    assert said(found) == BIKE
    assert found.unknown == ("cam 3",)
    assert said(understood("xe máy cam hôm nay", NOW)) == BIKE | {"vehicle_colours": ("orange",)}


@pytest.mark.parametrize("text", ["người đi bộ màu đỏ hôm nay", "a pedestrian in red today"])
def test_of_who_goes_on_foot_a_colour_is_the_clothes(text: str) -> None:
    found = said(understood(text, NOW))
    assert (found.get("clothes_colours"), found.get("vehicle_colours")) == (("red",), None)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_colour_that_a_page_shows_is_understood_when_it_is_typed(language: str) -> None:
    for value, word in COLOURS.items():
        text = f"xe máy {translated(word, language)} hôm nay"
        assert understood(text, NOW).search.vehicle_colours == (value,), text


def test_a_point_of_the_compass_that_no_rule_knows_is_answered_with_what_they_know() -> None:
    found = understood("xe máy hướng nam hôm nay", NOW, KNOWN)

    assert said(found) == BIKE
    assert [str(note) for note in found.notes] == ["directions are called as the rules call them: in, out, bac"]


def test_what_nobody_understood_is_given_back_as_it_was_written() -> None:
    found = understood("Xyzzy xe máy và Đồ Gì Đó hôm nay", NOW)

    assert said(found) == BIKE
    assert found.unknown == ("Xyzzy", "Đồ", "Đó")
    assert found.notes == (), "đồ and đó are no colours"


@pytest.mark.parametrize("words", [KINDS, LABELS])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_word_that_a_page_shows_is_understood_when_it_is_typed(
    words: dict[str, str], language: str
) -> None:
    field = "kinds" if words is KINDS else "labels"
    for value, word in words.items():
        text = translated(word, language).replace("_", " ")
        assert value in getattr(understood(text, NOW).search, field), text


def test_an_hour_that_is_yet_to_come_was_yesterday() -> None:
    assert span(understood("9h", NOW)) == "27/11 09:00 27/11 10:00"
    assert span(understood("16h", NOW)) == "26/11 16:00 26/11 17:00"


def test_a_day_that_there_is_not_is_not_understood_as_another() -> None:
    assert not understood("31/2", NOW).time_is_said


@given(st.text(max_size=60))
def test_whatever_is_written_gives_a_look_up(text: str) -> None:
    found = understood(text, NOW, KNOWN)

    assert found.search.since < found.search.until
    assert found.search.since.tzinfo is not None
