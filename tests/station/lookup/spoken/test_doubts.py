"""station.lookup.spoken.doubts: of places and names see test_names"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from station.lookup.spoken.doubts import with_spots
from station.lookup.spoken.understood import understood
from station.lookup.wanted import EventSearch

NOW = datetime(2026, 11, 27, 2, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("text", "said", "colour"),
    [
        ("xe may den hom nay", "den", "black"),
        ("o to trang hom nay", "trang", "white"),
        ("xe may vang tu 9h den 10h hom nay", "vang", "yellow"),
        ("XE TAI DEN HOM NAY", "DEN", "black"),
    ],
)
def test_without_accents_a_colour_behind_a_vehicle_is_one_and_that_is_said(
    text: str, said: str, colour: str
) -> None:
    found = understood(text, NOW)

    assert (found.search.vehicle_colours, found.unknown) == ((colour,), ())
    (doubt,) = found.doubts
    assert str(doubt.words).startswith(f"“{said}” was read as a colour: {colour}.")
    assert [each.search for each in doubt.readings] == [replace(found.search, vehicle_colours=())]


@pytest.mark.parametrize(
    "text", ["xe may từ 9h den 10h", "tim xe may hom nay", "xe máy đến hôm nay", "nguoi den hom nay"]
)
def test_what_is_no_colour_stays_none(text: str) -> None:
    found = understood(text, NOW)

    assert (found.search.vehicle_colours, found.search.clothes_colours, found.doubts) == ((), (), ())


def test_a_lamp_is_no_colour_and_is_said_to_be_left_out() -> None:
    assert understood("xe máy đèn hôm nay", NOW).unknown == ("đèn",)


def test_places_are_boxes_and_cameras_of_a_look_up() -> None:
    search = EventSearch(NOW - timedelta(1), NOW)

    found = with_spots(search, [("b-1", ""), ("b-2", "north")])
    assert found == replace(search, boxes=("b-1",), cameras=("b-2/north",))
