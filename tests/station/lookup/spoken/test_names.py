"""station.lookup.spoken.names, as officers meet it"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.lookup.places import BoxPlace, CameraPlace, PlacedRule
from station.lookup.spoken.names import MOST_PARTS, MOST_SPOTS, SpokenPlace, together
from station.lookup.spoken.understood import KnownNames, Understood, understood
from station.lookup.wanted import MOST_VALUES

NOW = datetime(2026, 11, 27, 2, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
SIDES = (CameraPlace("north", "Hướng Bắc"), CameraPlace("south", "Hướng Nam"))
BOXES = (
    BoxPlace(1, "hn-01", "Ngã ba chợ Hải Ninh", 0, SIDES),
    BoxPlace(2, "hn-02", "Ngã tư Cầu Trắng", 0, SIDES),
    BoxPlace(3, "hn-03", "Ngã tư Tự Do", 0, (CameraPlace("stop", "Bến bus Hải Ninh"),)),
    BoxPlace(4, "hn-04", "Đường 30 tháng 4", 0, ()),
)
KNOWN = KnownNames(BOXES, ("in", "out"))


def read(text: str, known: KnownNames = KNOWN) -> Understood:
    return understood(text, NOW, known)


def zoned(*zones: str, rules: tuple[str, ...] = ()) -> KnownNames:
    camera = CameraPlace("c", "Sân sau", zones, tuple(PlacedRule(each, "line") for each in rules))
    return KnownNames((*BOXES, BoxPlace(9, "hn-09", "Kho bạc", 0, (camera,))), KNOWN.directions)


@pytest.mark.parametrize(
    ("text", "boxes", "cameras"),
    [
        ("chợ Hải Ninh", ("hn-01",), ()),
        ("cho hai ninh", ("hn-01",), ()),
        ("xe may den cho hai ninh", ("hn-01",), ()),
        ("hải ninh", ("hn-01",), ("hn-03/stop",)),
        ("xe buýt hải ninh", ("hn-01",), ("hn-03/stop",)),
        ("bus hải ninh", (), ("hn-03/stop",)),
        ("ngã 4", ("hn-02", "hn-03"), ()),
        ("nga tu", ("hn-02", "hn-03"), ()),
        ("ngã 4 tự do", ("hn-03",), ()),
        ("tự do", ("hn-03",), ()),
        ("chợ", ("hn-01",), ()),
        ("cầu", ("hn-02",), ()),
        ("chợ ở xã hải ninh", ("hn-01",), ()),
        ("ngã ba chợ hải ninh, hướng bắc", (), ("hn-01/north",)),
        ("cầu trắng hướng nam", (), ("hn-02/south",)),
        ("hướng bắc", (), ("hn-01/north", "hn-02/north")),
        ("cầu trắng và tự do", ("hn-02", "hn-03"), ()),
        ("đường 30 tháng 4", ("hn-04",), ()),
    ],
)
def test_a_place_is_found_by_a_part_of_its_name(
    text: str, boxes: tuple[str, ...], cameras: tuple[str, ...]
) -> None:
    found = read(f"{text} hôm qua")

    assert (found.search.boxes, found.search.cameras) == (boxes, cameras)
    assert f"{found.search.since:%d/%m %H:%M}" == "26/11 00:00"
    assert set(found.unknown) <= {"xã", "buýt"}, "what was left out is said"
    assert found.search.vehicle_colours == (), "before a place den is on its way there"


@pytest.mark.parametrize(
    "text",
    [
        "xe máy chở hai người đêm qua", "ngày 30 tháng 4", "xe tải đi ra đường", "ba tháng gần đây", "ngã năm",
        "xe máy trắng hôm nay", "từ 9h đến 10h", "chờ tí", "xe bus hôm qua",
    ],
)  # fmt: skip
def test_what_is_no_part_of_a_name_is_read_as_if_there_were_no_places(text: str) -> None:
    found, alone = read(text), read(text, KnownNames((), KNOWN.directions))

    assert (found.search, found.unknown, found.doubts) == (alone.search, alone.unknown, alone.doubts)


def test_where_several_places_are_called_so_all_are_looked_for_and_each_is_offered() -> None:
    found = read("ngã 4 đêm qua")

    (doubt,) = found.doubts
    assert str(doubt.words) == (
        "“ngã 4” stands in the names of 2 places, and all of them are looked for. One alone:"
    )
    assert [str(each.words) for each in doubt.readings] == ["Ngã tư Cầu Trắng", "Ngã tư Tự Do"]
    assert [each.search for each in doubt.readings] == [
        replace(found.search, boxes=("hn-02",)),
        replace(found.search, boxes=("hn-03",)),
    ]


def test_a_part_of_very_many_names_narrows_nothing_down_and_says_so() -> None:
    boxes = tuple(BoxPlace(at, f"b-{at}", f"Ngã tư {at:03}", 0, ()) for at in range(MOST_SPOTS + 1))
    found = read("ngã tư", KnownNames(boxes))

    assert (found.search.boxes, found.unknown, found.doubts) == ((), (), ())
    assert [str(each) for each in found.notes] == [
        f"“ngã tư” stands in the names of {MOST_SPOTS + 1} places, and was left out: say more of the name."
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("xe máy", "xe máy đỏ hôm nay"),
        ("đỏ", "xe máy đỏ hôm nay"),
        ("đêm", "xe tải đêm qua"),
        ("alert", "alert today"),
    ],
)
def test_a_name_that_is_a_word_of_the_vocabulary_does_not_take_it_and_is_offered(name: str, text: str) -> None:
    for known, field in ((zoned(name), "zones"), (zoned(rules=(name,)), "rules")):
        found = read(text, known)
        assert found.search == read(text).search

        (doubt,) = found.doubts
        assert str(doubt.words) == f"“{name}” was read as a word, and something is called so, too:"
        (other,) = doubt.readings
        assert getattr(other.search, field) == (name,)
        assert str(other.words).endswith(name)


def test_a_name_that_is_no_word_of_the_vocabulary_is_taken() -> None:
    found = read("xe máy cổng hôm nay", zoned("cổng"))

    assert (found.search.zones, found.search.labels, found.doubts) == (("cổng",), ("motorcycle",), ())


WORDS = [
    "xe",
    "máy",
    "đỏ",
    "đêm",
    "qua",
    "hôm",
    "nay",
    "ngược",
    "chiều",
    "2",
    "người",
    "9h",
    "đến",
    "10h",
    "áo",
    "hai",
]


@given(
    st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join),
    st.sampled_from(["đỏ", "xe máy", "đêm", "alert"]),
)
def test_nobody_changes_a_look_up_by_what_he_calls_a_zone(text: str, name: str) -> None:
    assert read(text, zoned(name)).search == read(text, zoned()).search


def test_what_two_names_share_is_meant_and_else_both() -> None:
    boxes, cameras = (("a", ""), ("b", "")), (("a", "north"), ("c", "north"))

    assert together([SpokenPlace("x", boxes), SpokenPlace("y", cameras)]) == (("a", "north"),)
    assert together([SpokenPlace("x", boxes[:1]), SpokenPlace("y", cameras[1:])]) == (("a", ""), ("c", "north"))


def test_zones_that_are_all_called_like_words_cost_one_reading_each() -> None:
    """Each reading once asked for all the readings of the others: nine zones took hours."""
    zones = ("xe máy", "đỏ", "đen", "xe tải", "ô tô", "xe đạp", "xanh", "vàng", "trắng", "xe buýt", "người")
    found = read(" ".join(zones), zoned(*zones))

    assert len(found.doubts) >= 7


def test_a_text_of_nothing_but_parts_of_names_names_so_many_places_at_most() -> None:
    text = " ".join(f"kho{n}" for n in range(60))
    boxes = tuple(BoxPlace(n, f"b-{n}", f"Nhà kho{n}", 0, ()) for n in range(60))
    found = read(text, KnownNames(boxes, KNOWN.directions))

    assert len(found.search.boxes) == MOST_PARTS
    assert "kho59" in " ".join(found.unknown)


def alike(number: int, title: str = "Hướng chợ", zone: str = "") -> KnownNames:
    """As many boxes with a camera of one title, and a zone of one title with an id of its own."""
    boxes = [
        BoxPlace(n, f"xa-{n}.hn-01", f"Trạm {n}", 0, (CameraPlace("c", title, (f"z-{n}",), (), (zone,)),))
        for n in range(number)
    ]
    return KnownNames(tuple(boxes), KNOWN.directions)


def test_a_name_that_more_things_have_than_a_look_up_holds_is_left_out_and_that_is_said() -> None:
    few, many = read("xe máy Hướng chợ", alike(MOST_VALUES)), read("xe máy Hướng chợ", alike(MOST_VALUES + 1))

    assert len(few.search.cameras) == MOST_VALUES and few.notes == ()
    assert many.search.cameras == () and many.search.labels == ("motorcycle",) and many.doubts == ()
    assert any("Hướng chợ" in str(note) and "41" in str(note) for note in many.notes)
    assert read("Trạm 7, Hướng chợ", alike(MOST_VALUES + 1)).search.cameras == ("xa-7.hn-01/c",)


def test_a_zone_s_title_of_more_zones_than_a_look_up_holds_is_left_out_and_that_is_said() -> None:
    few, many = (read("Vỉa hè cấm", alike(MOST_VALUES + more, zone="Vỉa hè cấm")) for more in (0, 1))

    assert len(few.search.zones) == MOST_VALUES and few.notes == ()
    assert many.search.zones == () and any("Vỉa hè cấm" in str(note) for note in many.notes)
