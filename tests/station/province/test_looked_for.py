"""station.province.looked_for"""

from __future__ import annotations

from typing import Any

from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, an_hour, up

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
