"""station.store.titles"""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from station.boxes.standing import standings
from station.lookup.places import read_places
from station.store.titles import bare_title, seen_title, shown_title, told_title
from tests.support.stores import Place
from tests.support.told_boxes import COMMUNE, ToldBox

NOW_S = 1_795_860_000.0
HONEST = "Ngã tư Hải Ninh"
ALIKE = [
    "  ngã  tư\u2003HẢI ninh ",
    "Nga\u0303 tu\u031b Ha\u0309i Ninh",
    "Ngã tư Hải\u200b Ninh\u2060",
    "Ngã tư Hài Nịnh.",
    "Ng\u00e3 t\u01b0 H\u0430\u0309i Ninh",
    "\uff2e\uff47\u00e3 t\u01b0 H\u1ea3i Ninh",
    "Ngã tư Hả1 N|nh",
    "\u039dgã tư Hải \u039dinh",
    "Ngã tư\u3164Hải\u2800Ninh",
]


def titles(place: Place) -> dict[str, str]:
    with place.engine.connect() as connection, connection.begin():
        read = {each.device: each.title for each in read_places(connection).values()}
    assert read == {each.device: each.title for each in standings(place.engine, COMMUNE, round(NOW_S * 1000))}
    return read


def alarms(place: Place) -> list[str]:
    rows = place.rows(
        "select detail from alarm where kind = 'same_title' and closed_ms is null order by detail"
    )
    return [detail for (detail,) in rows]


@pytest.mark.parametrize("title", [HONEST, *ALIKE], ids=ascii)
def test_a_box_that_calls_itself_like_another_is_shown_with_its_device_and_so_is_the_other(
    sqlite_place: Place, title: str
) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox("hn-01", NOW_S, HONEST).info(), ToldBox("hn-03", NOW_S, "Chợ Đông").info()])
        assert titles(sqlite_place) == {"hn-01": HONEST, "hn-03": "Chợ Đông"}
        store.commit([ToldBox("hn-02", NOW_S, title).info()])

        shown = titles(sqlite_place)
        assert shown["hn-01"] == f"{HONEST} (hn-01)" and shown["hn-02"].endswith(" (hn-02)")
        assert shown["hn-03"] == "Chợ Đông"


def test_an_alarm_names_both_and_is_over_once_they_are_called_otherwise(place: Place) -> None:
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox("hn-01", NOW_S, HONEST).info(), ToldBox("hn-02", NOW_S, HONEST).info()])
        assert alarms(place) == [
            f'hn-01 and hn-02 are called "{HONEST}"',
            f'hn-02 and hn-01 are called "{HONEST}"',
        ]
        store.commit([ToldBox("hn-02", NOW_S, HONEST).info(uptime_s=1)])
        assert place.rows("select count from alarm") == [(1,), (1,)], "told again it is no news"

        store.commit([ToldBox("hn-02", NOW_S, "Bến xe").info()])
        assert alarms(place) == []
        assert titles(place) == {"hn-01": HONEST, "hn-02": "Bến xe"}


def test_who_is_called_like_another_s_device_or_puts_it_in_brackets_is_called_like_it(
    sqlite_place: Place,
) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox("hn-01", NOW_S, HONEST).info(), ToldBox("hn-04", NOW_S).info()])
        store.commit(
            [
                ToldBox("hn-02", NOW_S, f"{HONEST} \uff08hn-01\uff09").info(),
                ToldBox("hn-03", NOW_S, "HN-04").info(),
                ToldBox("hn-05", NOW_S, "Bến xe (hn-05)").info(),
            ]
        )
        assert titles(sqlite_place) == {
            "hn-01": f"{HONEST} (hn-01)",
            "hn-02": f"{HONEST} \uff08hn-01\uff09 (hn-02)",
            "hn-03": "HN-04 (hn-03)",
            "hn-04": "hn-04",
            "hn-05": "Bến xe (hn-05)",
        }


def test_a_store_of_before_is_looked_through_once_the_station_is_at_work(sqlite_place: Place) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox(f"hn-0{number}", NOW_S, HONEST).info() for number in (1, 2)])
    sqlite_place.do("delete from alarm")
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.attend()
        assert len(alarms(sqlite_place)) == 2


@pytest.mark.parametrize("title", ["Chợ \u13a0", "\u4e2d\u5fc3", "\u2605\u2605"], ids=ascii)
def test_a_title_in_letters_that_nobody_here_reads_is_always_shown_with_its_device(title: str) -> None:
    assert shown_title(title, "hn-01", is_shared=False) == f"{title} (hn-01)"


def test_what_differs_in_a_letter_is_another_title_and_no_blank_hides_a_device() -> None:
    assert len({bare_title(each) for each in (HONEST, "Ngã tư Hải Minh", "Ngã ba Hải Ninh", "Cổng chợ")}) == 4
    assert seen_title(f" Ngã\n tư{chr(0x2800) * 300}x\u202e") == "Ngã tư x\ufffd"


def test_at_the_province_a_title_is_always_shown_behind_commune_and_box() -> None:
    assert shown_title(HONEST, "hai-ninh.hn-01", is_shared=False) == f"hai-ninh.hn-01 · {HONEST}"
    assert shown_title("", "hai-ninh.hn-01", is_shared=False) == "hai-ninh.hn-01"
    assert shown_title(HONEST, "hn-01", is_shared=False) == HONEST


def test_a_title_is_no_longer_than_an_honest_one_can_be() -> None:
    assert seen_title("W" * 100) == "W" * 100
    assert seen_title("W" * 4_000) == "W" * 100 + "…"
    assert told_title(json.dumps({"location": {"description": "W" * 4_000}})) == "W" * 200 + "…"
