"""station.web.search.chips"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from agent.language import translated
from station.lookup.places import BoxPlace, CameraPlace, PlacedRule
from station.web.search.address import AskedSearch, asked_of
from station.web.search.chips import LISTED_CAMERAS, LISTED_PLACES, chips_of, choices_of, spans_of

NOW = datetime(2026, 11, 27, 15, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
CAMERA = CameraPlace("north", "Hướng Bắc", ("lane-1",), (PlacedRule("stop-line", "line"),))
PLACES = {1: BoxPlace(1, "hai-ninh-03", "Ngã tư chợ", 0, (CAMERA,))}


def asked(query: str) -> AskedSearch:
    return asked_of(QueryParams(query), NOW)


def test_each_value_is_a_chip_in_words_that_can_be_taken_away() -> None:
    query = (
        "box=hai-ninh-03&camera=hai-ninh-03/north&camera=gone/north&label=car&colour=red&clothes=blue"
        "&direction=in&riders=3%2B&late=1"
    )
    chips = chips_of(asked(query), PLACES)

    assert [translated(each.words, "vi") for each in chips] == [
        "Ngã tư chợ", "Hướng Bắc, Ngã tư chợ", "gone/north", "ô tô", "xe màu đỏ", "áo màu xanh dương",
        "hướng: vào", "từ 3 người trở lên",
        "đến muộn",
    ]  # fmt: skip
    assert "camera=gone" not in chips[2].address
    assert "camera=hai-ninh-03%2Fnorth" in chips[2].address
    assert "riders" not in chips[7].address


def test_zones_and_rules_are_called_by_their_titles_where_all_who_have_them_call_them_so() -> None:
    rules = (PlacedRule("stop", "line", "Vạch dừng"), PlacedRule("way", "wrong_way", "Một chiều"))
    titled = CameraPlace("north", "Bắc", ("lane", "gate"), rules, ("Làn xe máy", ""))
    other = CameraPlace("south", "Nam", (), (PlacedRule("way", "wrong_way"),))
    places = {1: BoxPlace(1, "hn-01", "Chợ", 0, (titled,)), 2: BoxPlace(2, "hn-02", "Cầu", 0, (other,))}

    chips = chips_of(asked("zone=lane&rule=stop&rule=way&rule=gone"), places)
    choices = choices_of(asked(""), places, [])

    assert [translated(each.words, "vi") for each in chips] == [
        "vùng: Làn xe máy", "quy tắc: Vạch dừng", "quy tắc: way", "quy tắc: gone",
    ]  # fmt: skip
    assert [(each.value, each.words) for each in (*choices.zones, *choices.rules)] == [
        ("gate", "gate"), ("lane", "Làn xe máy"), ("stop", "Vạch dừng"), ("way", "way"),
    ]  # fmt: skip


def test_a_colour_that_is_not_known_is_a_chip_and_a_choice_of_its_own() -> None:
    chips = chips_of(asked("colour=unknown&clothes=unknown"), PLACES)
    choices = choices_of(asked("colour=unknown"), PLACES, [])

    assert [translated(each.words, "vi") for each in chips] == ["xe không rõ màu", "áo không rõ màu"]
    assert [translated(each.words, "en") for each in choices.vehicle_colours if each.on] == ["not known"]
    assert choices.clothes_colours[-1].value == "unknown"


def test_what_is_asked_for_can_be_chosen_also_where_nobody_knows_it() -> None:
    choices = choices_of(asked("label=tram&riders=7&zone=old"), PLACES, ["bac"])

    assert [each.value for each in choices.labels if each.on] == ["tram"]
    assert [each.value for each in choices.riders if each.on] == ["7"]
    assert [(each.value, each.on) for each in choices.zones] == [("lane-1", False), ("old", True)]
    assert [each.value for each in choices.directions] == ["in", "out", "bac"]
    assert choices.places[0][1][0].words == "Hướng Bắc"


def test_no_box_fills_the_form_with_what_it_invents() -> None:
    cameras = (CAMERA, *(CameraPlace(f"c{at}", f"C {at}") for at in range(LISTED_CAMERAS + 9)))
    zones = tuple(f"a{at:04}" for at in range(LISTED_PLACES + 30))
    evil = BoxPlace(2, "evil-01", "Chợ", 0, (*cameras, CameraPlace("zoned", "Z", zones)))
    last = f"c{LISTED_CAMERAS + 8}"

    choices = choices_of(asked(f"camera=evil-01/{last}"), PLACES | {2: evil}, [])

    assert "lane-1" in [each.value for each in choices.zones]
    assert (len(choices.zones), choices.more) == (LISTED_PLACES + 1, 31)
    assert choices.places[0][2] == 0
    _, listed, more = choices.places[1]
    assert (len(listed), more) == (LISTED_CAMERAS + 1, 10)
    assert [each.value for each in listed if each.on] == [f"evil-01/{last}"]


def test_usual_times_are_whole_days_of_the_place() -> None:
    spans = {translated(each.words, "en"): each.address for each in spans_of(asked("label=car"), NOW)}

    assert spans["yesterday"] == "/lookup?from=2026-11-26T00%3A00&to=2026-11-27T00%3A00&label=car"
    assert spans["last hour"].startswith("/lookup?from=2026-11-27T14%3A01&to=2026-11-27T15%3A01")
