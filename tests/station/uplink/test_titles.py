"""station.uplink.titles"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.settings.base import LONGEST_PLACE, LONGEST_TITLE
from station.lookup.places import camera_places
from station.store.events import LONGEST_WORD
from station.store.titles import told_title
from station.uplink.envelope import MAX_PACKED_BYTES, compact
from station.uplink.titles import MOST_BYTES, read_titles, titles_said

NORTH = {
    "id": "north",
    "name": "Hướng chợ",
    "zones": [{"id": "lane", "name": "Làn xe máy"}, {"id": "yard"}],
    "rules": [{"id": "stop", "kind": "line", "name": "Vạch dừng"}, {"id": "way", "kind": "wrong_way"}],
}


def born(*cameras: dict[str, Any], place: str | None = None) -> str:
    location = {"location": {"description": place}} if place is not None else {}
    return json.dumps({"cameras": cameras} | location, ensure_ascii=False)


def shown(said: dict[str, Any]) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What a console shows of what was read: camera -> its title, and those of its zones and rules."""
    info = json.dumps({"cameras": list(said.get("cameras", {}).values())})
    return {
        each.name: (each.title, each.zone_titles, tuple(rule.title for rule in each.rules))
        for each in camera_places(info)
    }


def test_what_has_a_title_goes_up_by_its_id_and_what_has_none_costs_nothing() -> None:
    said = titles_said(born(NORTH, {"id": "south"}, place="Ngã tư Bưu điện"))

    assert said == {
        "place": "Ngã tư Bưu điện",
        "cameras": {
            "north": {"title": "Hướng chợ", "zones": {"lane": "Làn xe máy"}, "rules": {"stop": "Vạch dừng"}}
        },
    }
    assert titles_said(born({"id": "south", "name": "south"})) == titles_said("") == titles_said("[") == {}


def test_what_is_read_has_the_form_of_a_birth_message() -> None:
    titles = read_titles(titles_said(born(NORTH, place="Ngã tư Bưu điện")))

    assert told_title(json.dumps(titles)) == "Ngã tư Bưu điện"
    assert shown(titles) == {"north": ("Hướng chợ", ("Làn xe máy",), ("Vạch dừng",))}
    assert read_titles({}) == {}


def test_those_that_look_alike_go_up_with_their_ids_and_are_shown_with_them_once() -> None:
    cameras = ({"id": "a", "name": "Cổng chợ"}, {"id": "b", "name": "Cổng\u200b chợ"}, {"id": "c", "name": "A"})
    rules = [{"id": "way", "kind": "line", "name": "stop"}, {"id": "stop", "kind": "line"}]

    said = titles_said(born(*cameras, {"id": "d", "rules": rules}))

    called = {"a": "Cổng chợ (a)", "b": "Cổng chợ (b)", "c": "A (c)"}
    assert {name: said["cameras"][name]["title"] for name in "abc"} == called
    assert said["cameras"]["d"] == {"rules": {"way": "stop (way)"}}
    assert {name: title for name, (title, *_) in shown(read_titles(said)).items() if name != "d"} == called


def test_a_box_that_claims_titles_without_end_says_some_that_fit_and_its_cameras_before_anything_else() -> None:
    places = [{"id": f"z-{n}", "name": f"{n}" + "Ữ" * 300} for n in range(20)]
    cameras = [{"id": f"c-{n}", "name": f"Hướng {n}", "zones": places, "rules": places} for n in range(256)]

    said = titles_said(born(*cameras, place="W" * 5_000))

    assert len(said["place"]) == LONGEST_PLACE + 1
    assert all("title" in said["cameras"][f"c-{n}"] for n in range(256))
    assert MOST_BYTES // 2 < len(compact(said)) <= MOST_BYTES < MAX_PACKED_BYTES // 2
    assert read_titles(said)


def test_of_cameras_and_zones_of_one_name_the_first_counts_and_an_endless_id_has_no_title() -> None:
    zones = [{"id": "z", "name": "Vỉa hè"}, {"id": "z", "name": "Lòng đường"}, {"id": "y" * 201, "name": "Xa"}]

    said = titles_said(born({"id": "a", "name": "Một", "zones": zones}, {"id": "a", "name": "Hai"}))

    assert said == {"cameras": {"a": {"title": "Một", "zones": {"z": "Vỉa hè"}}}}


@pytest.mark.parametrize(
    "said",
    [
        None, [], "Cổng chợ", {"place": 5}, {"place": "W" * (LONGEST_PLACE + LONGEST_WORD + 9)},
        {"cameras": []}, {"cameras": {"north": "Bắc"}}, {"cameras": {"north": {"title": None}}},
        {"cameras": {"north": {"zones": [["lane", "Làn"]]}}}, {"cameras": {"north": {"rules": {"stop": {}}}}},
        {"cameras": {"n" * 201: {}}}, {"cameras": {"north": {"zones": {"z" * 201: "Làn"}}}},
        {"cameras": {f"c-{n}": {} for n in range(257)}},
        {"cameras": {"north": {"zones": {f"z-{n}": "" for n in range(257)}}}},
        {"cameras": {f"c-{n}": {"title": "W" * 200} for n in range(200)}},
        {f"of-later-{n}": 1 for n in range(100_000)},
    ],
)  # fmt: skip
def test_what_no_station_says_is_refused(said: object) -> None:
    with pytest.raises(WireError, match=r"no (titles|title|id)|titles are no group"):
        read_titles(said)


HOSTILE = {
    "bidi": "Cổng\u202e\u2066 chợ\u200f",
    "nothing": "\u200b\u2060\ufeff\u00ad",
    "lines": "Cổng\r\nchợ\x1b[31m\x00\u2028",
    "markup": "<script>alert(1)</script>",
    "half": "\ud800",
    "endless": "W" * 400,
}


def test_whatever_a_title_holds_it_is_shown_in_one_short_line_that_steers_nothing() -> None:
    said = {"cameras": {"north": {"zones": HOSTILE, "rules": HOSTILE}}}
    titles = read_titles(json.loads(json.dumps(said | {"of-later": [1]})))

    ((camera, zones, rules),) = shown(titles).values()

    assert camera == "north" and zones == rules
    for title in zones:
        assert len(title) <= LONGEST_TITLE + 1 and title.isprintable()
        assert not set(title) & set("\u202e\u2066\u200f\u200b\r\n\x1b\0\u2028\ud800")


json_values = st.recursive(
    st.none() | st.integers() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)
)


@given(st.dictionaries(st.sampled_from(["place", "cameras"]), json_values) | json_values)
def test_whatever_comes_it_is_read_or_refused(said: object) -> None:
    try:
        titles = read_titles(said)
    except WireError:
        return
    assert "\0" not in json.dumps(titles, ensure_ascii=False).encode().decode()
