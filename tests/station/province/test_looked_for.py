"""station.province.looked_for"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
import structlog

from station.province.looked_for import MOST_TITLE_BYTES
from tests.support.provinces_up import NOW_MS, ProvincePlace, a_box, an_alert, an_hour, up

HOUR_MS = 3_600_000


def _picture(digit: str) -> dict[str, Any]:
    return {"topic": "ngatu/v1/x", "sha256": digit * 64, "width_px": 8, "height_px": 8, "bytes": 9}


def test_an_event_names_the_pictures_of_the_highest_revision_that_names_one(province: ProvincePlace) -> None:
    store = province.open()
    try:
        store.commit([up(1, an_alert(1, 3, image=_picture("c")), an_alert(1, 1, image=_picture("a")))])
        store.commit([up(2, an_alert(1, 2, image=_picture("b"), scene=_picture("d")), an_alert(1, 4))])
    finally:
        store.close()
    query = "select revision, thumbnail_sha256, thumbnail_revision, scene_sha256, scene_revision from event"
    assert province.rows(query) == [(4, "c" * 64, 3, "d" * 64, 2)]


def test_what_came_first_stays_the_moment_at_which_an_event_came(province: ProvincePlace) -> None:
    for at_ms, revision in ((NOW_MS, 1), (NOW_MS + 5_000, 2)):
        store = province.open(now_ms=at_ms)
        try:
            store.commit([up(revision, an_alert(1, revision))])
        finally:
            store.close()
    assert province.rows("select first_received_ms, received_ms from event") == [(NOW_MS, NOW_MS + 5_000)]


def test_boxes_of_one_name_in_two_communes_are_two_and_keep_their_ids(province: ProvincePlace) -> None:
    store = province.open()
    try:
        store.commit([up(1, an_alert(1)), up(1, an_alert(1, commune="mong-cai"), commune="mong-cai")])
        before = province.rows("select id, device from box order by id")
        store.commit([up(2, an_alert(2), an_hour(NOW_MS, 1))])
        assert province.rows("select id, device from box order by id") == before
    finally:
        store.close()
    assert [device for _, device in before] == ["hn-01", "hn-01"]
    assert province.rows("select count(distinct box_id) from event") == [(2,)]


def test_a_line_reaches_from_its_first_hour_to_its_last_in_whatever_order_they_come(
    province: ProvincePlace,
) -> None:
    hour_ms = NOW_MS - NOW_MS % HOUR_MS
    store = province.open()
    try:
        store.commit([up(1, an_hour(NOW_MS, 1, hour_ms), an_hour(NOW_MS, 2, hour_ms - 2 * HOUR_MS))])
        store.commit([up(2, an_hour(NOW_MS, 3, hour_ms - HOUR_MS), an_hour(NOW_MS, 4, hour_ms + HOUR_MS))])
    finally:
        store.close()
    found = province.rows("select camera, rule, first_ms, last_ms from count_line")
    assert found == [("north", "line", hour_ms - 2 * HOUR_MS, hour_ms + HOUR_MS)]


def _places(province: ProvincePlace) -> dict[str, str | None]:
    rows = province.rows("select device, titles from box_title order by device")
    return {device: titles.get("location", {}).get("description") for device, titles in rows}


def test_titles_are_those_that_were_said_last_and_who_says_none_keeps_them(province: ProvincePlace) -> None:
    with closing(province.open(now_ms=NOW_MS + 9)) as store:
        store.commit([up(1, a_box(NOW_MS + 2, "online", titles={"place": "Hai"}))])
        store.commit([up(2, a_box(NOW_MS + 1, "online", titles={"place": "Một"}))])
        store.commit([up(3, a_box(NOW_MS + 3, "offline"))])  # an older station, or one that has said them
        assert _places(province) == {"hn-01": "Hai"}
        both = (a_box(NOW_MS + 5, "online", titles={}), a_box(NOW_MS + 4, "online", titles={"place": "Ba"}))
        store.commit([up(4, *both)])
        assert _places(province) == {"hn-01": None}
    assert province.rows("select state from box_state") == [("online",)]


def test_a_commune_that_names_things_without_end_has_room_for_some_boxes_and_takes_none_of_another(
    province: ProvincePlace,
) -> None:
    large = {"cameras": {"north": {"zones": {f"z-{n}": "W" * 200 for n in range(140)}}}}
    boxes = [a_box(NOW_MS, "online", f"hn-{n:03}", titles=large) for n in range(100)]
    with closing(province.open(now_ms=NOW_MS + 9)) as store, structlog.testing.capture_logs() as logs:
        for n in range(4):
            store.commit([up(n + 1, *boxes[25 * n : 25 * n + 25])])
        for n in range(5, 8):  # what was said before frees no room
            store.commit([up(n, *(a_box(5, "online", f"hn-{at:03}", titles={}) for at in range(100)))])
            store.commit([up(n + 10, a_box(NOW_MS, "online", f"new-{n}", titles=large))])
        store.commit([up(1, a_box(NOW_MS, "online", titles={"place": "Chợ"}), commune="mong-cai")])

    sums = "select sum(size_bytes) from box_title group by commune_id order by commune_id"
    (most,), (other,) = province.rows(sums)
    assert MOST_TITLE_BYTES - 32_768 < most <= MOST_TITLE_BYTES and other < 100
    assert province.rows("select count(*) from box_state") == [(104,)]
    warned = [each["commune"] for each in logs if each["event"] == "up_titles_too_many"]
    assert warned == ["hai-ninh"] * 6


def test_a_box_for_whose_new_titles_there_is_no_room_does_not_keep_its_old_ones(
    province: ProvincePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.province.looked_for.MOST_TITLE_BYTES", 60)
    with closing(province.open(now_ms=NOW_MS + 9)) as store:
        store.commit([up(1, a_box(NOW_MS, "online", titles={"place": "Chợ"}))])
        store.commit([up(2, a_box(NOW_MS + 1, "online", titles={"place": "Cổng chợ phía nam, cạnh bưu điện"}))])
        assert _places(province) == {"hn-01": None}
        store.commit([up(3, a_box(NOW_MS + 2, "online", titles={"place": "Cầu"}))])
        assert _places(province) == {"hn-01": "Cầu"}
