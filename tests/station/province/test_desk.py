"""station.province.desk"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from sqlalchemy import URL, inspect

from station.province.desk import opened_to, prepare, reach, reading, with_info, writing
from station.province.settings import CommuneQuota
from station.province.store import ProvinceStore
from station.store.schema import metadata
from station.uplink.envelope import UpItem
from station.uplink.states import StateNews
from tests.support.backups import own_database
from tests.support.province_desk import ProvinceScreen, province_screen
from tests.support.provinces_up import NOW_MS, ProvincePlace, a_box, an_alert, an_hour, up, v7
from tests.support.stores import Place
from tests.support.told_events import born, camera_status, status

AT = f"{datetime.fromtimestamp(NOW_MS / 1000, UTC):%Y-%m-%dT%H:%M:%S.000Z}"
HOUR_MS = 1_795_000_000_000 - 1_795_000_000_000 % 3_600_000
SPAN = "from=2020-01-01T00:00&to=2030-01-01T00:00"
VIEWS = ("box", "camera", "event", "event_revision", "count_hour", "count_interval", "blob", "picture")


@pytest.fixture(scope="module")
def place(postgresql: URL) -> ProvincePlace:
    return ProvincePlace(own_database(postgresql))


@pytest.fixture(scope="module")
def screen(place: ProvincePlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceScreen]:
    """Two communes, with boxes of one name."""
    with province_screen(place, tmp_path_factory.mktemp("desk")) as found:
        store = place.open()
        try:
            _send(store)
        finally:
            store.close()
        found.open("lan", "hai-ninh")
        found.open("binh", "*")
        yield found


def _send(store: ProvinceStore) -> None:
    for commune in ("hai-ninh", "mong-cai"):
        kind = "wrong_way" if commune == "hai-ninh" else "loitering"
        more: dict[str, Any] = {"commune": commune, "time": AT, "start_time": AT, "kind": kind}
        items: list[UpItem] = [an_alert(1, **more), a_box(NOW_MS, "online"), an_hour(NOW_MS, 7, HOUR_MS)]
        if commune == "mong-cai":
            items.append(an_alert(2, severity="info", **more))
        store.commit([up(1, *items, commune=commune)])


def test_the_views_have_every_column_that_the_console_reads(place: ProvincePlace) -> None:
    prepare(place.url)
    engine = reading(place.url)
    try:
        looked_at = inspect(engine)
        for name in VIEWS:
            there = {each["name"] for each in looked_at.get_columns(name, schema="seen")}
            more = {"data"} if name == "picture" else set()  # there is no folder in which it would lie
            assert there == {column.name for column in metadata.tables[name].c} | more, name
    finally:
        engine.dispose()


def test_who_names_no_commune_reads_nothing_and_who_names_one_reads_that_one(
    place: ProvincePlace, screen: ProvinceScreen
) -> None:
    engine = reading(place.url)
    try:
        for communes, expected in (
            ("", set()),
            ("hai-ninh", {"hai-ninh.hn-01"}),
            ("nowhere", set()),
            ("*", {"hai-ninh.hn-01", "mong-cai.hn-01"}),
            ("hai-ninh mong-cai", {"hai-ninh.hn-01", "mong-cai.hn-01"}),
            ("%", set()),
            ("' or true --", set()),
        ):
            with opened_to(engine, communes).connect() as connection, connection.begin():
                boxes = {row[0] for row in connection.exec_driver_sql("select device from box")}
                events = connection.exec_driver_sql(
                    "select count(distinct box_id) from event join event_revision using (box_id, event_id)"
                ).scalar()
                lines = connection.exec_driver_sql("select count(distinct box_id) from count_interval").scalar()
                hours = connection.exec_driver_sql("select count(*) from count_hour").scalar()
                cameras = connection.exec_driver_sql("select count(*) from camera").scalar()
            assert (boxes, events, lines, hours, cameras) == (expected, *[len(expected)] * 4), communes
    finally:
        engine.dispose()


def test_a_setting_of_one_page_is_not_left_to_the_next(place: ProvincePlace, screen: ProvinceScreen) -> None:
    engine = reading(place.url)
    try:
        with opened_to(engine, "*").connect() as connection, connection.begin():
            assert connection.exec_driver_sql("select count(*) from box").scalar() == 2
        with engine.connect() as connection, connection.begin():
            assert connection.exec_driver_sql("select count(*) from box").scalar() == 0
    finally:
        engine.dispose()


def test_the_console_writes_beside_what_stations_sent(place: ProvincePlace, screen: ProvinceScreen) -> None:
    engine = writing(place.url)
    try:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("select count(*) from event").scalar() == 0
            assert connection.exec_driver_sql("select count(*) from account").scalar() == 3
    finally:
        engine.dispose()


def test_a_commune_that_was_silent_for_long_is_away_and_info_events_are_told_by_commune(
    place: ProvincePlace, screen: ProvinceScreen
) -> None:
    engine = reading(place.url)
    try:
        every = opened_to(engine, "*")
        assert [(each.name, each.is_away) for each in reach(every, NOW_MS)] == [
            ("hai-ninh", True),  # it never said online
            ("mong-cai", True),
        ]
        assert with_info(every, NOW_MS - 1000, NOW_MS + 1000) == {"mong-cai"}
        assert with_info(opened_to(engine, "hai-ninh"), NOW_MS - 1000, NOW_MS + 1000) == frozenset()
        assert with_info(every, NOW_MS + 1000, NOW_MS + 2000) == frozenset()
    finally:
        engine.dispose()


def test_who_sent_more_than_its_quota_today_is_named_and_tomorrow_no_more(
    place: ProvincePlace, screen: ProvinceScreen
) -> None:
    store = place.open(quota=CommuneQuota.model_construct(bytes_per_day=2**30, items_per_day=0))
    try:
        assert store.admitted([up(9, an_alert(9), commune="mong-cai")]) == []
        store.attend()
    finally:
        store.close()
    engine = opened_to(reading(place.url), "*")
    try:
        found = {each.name: each.held_back_ms for each in reach(engine, NOW_MS + 5)}
        later = {each.name: each.held_back_ms for each in reach(engine, NOW_MS + 86_400_000)}
    finally:
        engine.dispose()
    assert found == {"hai-ninh": None, "mong-cai": NOW_MS} and set(later.values()) == {None}


def test_an_officer_looks_up_what_is_open_to_him_and_nothing_else(screen: ProvinceScreen) -> None:
    lan, binh = screen.client("lan", "en"), screen.client("binh", "en")

    mine, every = lan.get(f"/lookup?{SPAN}"), binh.get(f"/lookup?{SPAN}")

    assert mine.status_code == 200 and "hai-ninh.hn-01" in mine.text and "mong-cai" not in mine.text
    assert "1 event<" in mine.text and "3 events" in every.text and "mong-cai.hn-01" in every.text
    assert "only alerts are here of this time" in mine.text
    own, other = f"/events/hai-ninh.hn-01/{v7(NOW_MS, 1)}", f"/events/mong-cai.hn-01/{v7(NOW_MS, 1)}"
    assert lan.get(own).status_code == 200 and binh.get(other).status_code == 200
    assert lan.get(other).status_code == 404
    assert lan.get("/boxes/mong-cai.hn-01").status_code == 404
    assert "mong-cai" not in lan.get("/boxes").text and "mong-cai" not in lan.get("/live/boxes").text
    assert "mong-cai" not in lan.get("/counts?line=mong-cai.hn-01/north/line").text
    for end in ("csv", "json"):
        whole = lan.get(f"/lookup.{end}?{SPAN}&box=mong-cai.hn-01").text
        assert "loitering" not in whole and "mong-cai" not in whole
    boxes = binh.get("/boxes").text
    assert "mong-cai" in boxes and "Its station is not heard" in boxes and 'count_well">0<' in boxes


def test_a_look_up_names_who_is_away_now_and_says_that_more_is_not_known(
    place: ProvincePlace, screen: ProvinceScreen
) -> None:
    store = place.open()
    try:
        store.commit([up(2, a_box(NOW_MS, "offline", "hn-02"), commune="hai-ninh")])
    finally:
        store.close()
    lan = screen.client("lan", "en")

    page = lan.get(f"/lookup?{SPAN}").text

    assert "Of these nobody hears, or they see nothing, at present: 1" in page
    assert "<strong>hai-ninh.hn-02</strong>: was not connected" in page and "goes on" in page
    assert "not when they were away before" in page
    assert "at present" not in lan.get(f"/lookup?{SPAN}&box=hai-ninh.hn-01").text.partition("<main")[2]


def test_the_page_of_a_box_that_has_a_camera_opens(screen: ProvinceScreen) -> None:
    for path in ("/boxes/hai-ninh.hn-01", "/live/boxes/hai-ninh.hn-01"):
        page = screen.client("lan", "en").get(path)
        assert page.status_code == 200 and "north" in page.text


def test_an_event_says_that_its_picture_is_at_the_station(screen: ProvinceScreen) -> None:
    page = screen.client("lan", "en").get(f"/events/hai-ninh.hn-01/{v7(NOW_MS, 1)}").text

    assert "What is not here" in page and "No message of it that came here names a picture." in page
    assert "Ask for footage" not in page and "/review" not in page and "Came to the province" in page


def test_whoever_chooses_a_commune_sees_that_one_and_is_told_so(screen: ProvinceScreen) -> None:
    binh = screen.client("binh", "en")

    assert binh.get("/commune?name=mong-cai").status_code == 303
    page = binh.get(f"/lookup?{SPAN}").text

    assert "Only mong-cai is shown." in page and "2 events" in page and "hai-ninh.hn-01" not in page
    assert binh.get("/commune?name=").status_code == 303
    assert "Only mong-cai is shown." not in binh.get("/lookup").text


def test_a_commune_that_is_not_open_cannot_be_chosen_by_address_or_by_cookie(screen: ProvinceScreen) -> None:
    lan = screen.client("lan", "en")

    refused = lan.get("/commune?name=mong-cai")
    assert refused.status_code == 403 and "not open to you" in refused.text
    assert ("refused", "/commune") in screen.acts()
    for forged in ("mong-cai", "*", "hai-ninh mong-cai", ""):
        lan.cookies.set("ngatu-commune", forged)
        page = lan.get(f"/lookup?{SPAN}").text
        assert "mong-cai" not in page and "1 event<" in page


def test_each_look_up_is_in_the_log_with_the_communes_of_which_it_was(screen: ProvinceScreen) -> None:
    lan = screen.client("lan", "en")
    lan.get("/lookup?kind=crowd")

    supervisor = screen.client("binh", "en")
    log = supervisor.get("/audit").text

    assert ("look_up", "/lookup?kind=crowd") in screen.acts()
    assert "communes: hai-ninh" in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", log))


def test_a_new_account_sees_no_commune_until_an_administrator_opens_one(screen: ProvinceScreen) -> None:
    admin = screen.client("quan.tri", "en")
    assert "No commune is open to you." in admin.get("/lookup").text
    page = admin.get("/people/quan.tri").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None and "hai-ninh, mong-cai" in page

    wrong = admin.post("/people/quan.tri/communes", data={"csrf": token[1], "communes": "Hải Ninh"})
    assert wrong.status_code == 422 and "cannot be a commune" in wrong.text
    done = admin.post("/people/quan.tri/communes", data={"csrf": token[1], "communes": "mong-cai, hai-nin"})
    assert done.status_code == 303
    assert "is the name right?" in admin.get("/people/quan.tri").text
    assert "mong-cai.hn-01" in admin.get(f"/lookup?{SPAN}").text
    lan = screen.client("lan", "en")
    own = re.search(r'name="csrf" value="([^"]+)"', lan.get("/own").text)
    assert own is not None
    assert lan.post("/people/lan/communes", data={"csrf": own[1], "communes": "*"}).status_code == 403


def test_counts_are_those_that_came_up_and_what_is_not_here_is_said(screen: ProvinceScreen) -> None:
    day = f"{datetime.fromtimestamp(HOUR_MS / 1000, UTC):%Y-%m-%d}"
    page = screen.client("lan", "en").get(
        f"/counts?line=hai-ninh.hn-01/north/line&first={day}&last={day}&step=hour"
    )

    assert page.status_code == 200 and "<strong>7</strong>" in page.text
    assert "Counts come up by the hour" in page.text


@pytest.mark.parametrize(
    "path", ["/review", "/requests", "/shift", "/retention", "/plans", "/programs", "/api/v1/events", "/feed"]
)
def test_what_is_the_work_of_a_commune_is_not_there(screen: ProvinceScreen, path: str) -> None:
    binh = screen.client("binh", "en")
    assert binh.get(path).status_code == 404
    assert binh.post("/boxes/hai-ninh.hn-01/orders", data={}).status_code in (404, 405)


STATION = datetime.fromtimestamp(NOW_MS / 1000, UTC)
MARKET: dict[str, Any] = {
    "zones": [{"id": "lane", "name": "Làn xe máy"}, {"id": "yard"}],
    "rules": [{"id": "way", "kind": "wrong_way", "name": "Ngược chiều cổng chợ"}],
}
SEEN: dict[str, Any] = {
    "track_id": "t-1", "label": "motorcycle", "score": 0.8, "top_score": 0.9, "riders": 1, "start_time": AT,
    "box": {"left": 0.4, "top": 0.5, "right": 0.5, "bottom": 0.7}, "entered_zones": ["lane", "yard"],
    "path": [],
}  # fmt: skip
FOUND = f"/events/hai-ninh.hn-01/{v7(NOW_MS, 1)}"


@pytest.fixture(scope="module")
def named_place(postgresql: URL) -> ProvincePlace:
    return ProvincePlace(own_database(postgresql))


def _said_at_a_station(folder: Path) -> list[UpItem]:
    """What a real station sends up of a box that calls everything by a title."""
    station = Place(URL.create("sqlite", database=str(folder / "station.db")), folder / "pictures")
    cameras = {"north": "Hướng chợ", "south": "Hướng\u200b chợ", "east": "<b>Đông</b>"}
    with closing(station.open(now=STATION.timestamp)) as store:
        store.commit(
            [
                status("hn-01", "online", STATION),
                born("hn-01", "Ngã tư Bưu điện", cameras, STATION, north=MARKET),
            ]
        )
        store.commit([camera_status("hn-01", each, "streaming", STATION) for each in cameras])
        with station.engine.connect() as connection, connection.begin():
            changed, heard = StateNews().news(connection, "hai-ninh", NOW_MS)
    return [*changed, *heard]


@pytest.fixture(scope="module")
def named(named_place: ProvincePlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceScreen]:
    """A commune whose station says titles, and one whose station is of before."""
    folder = tmp_path_factory.mktemp("named")
    with province_screen(named_place, folder) as found:
        with closing(named_place.open()) as store:
            event = an_alert(1, 2, time=AT, start_time=AT, object=SEEN)
            store.commit([up(1, *_said_at_a_station(folder), event, an_hour(NOW_MS, 7, HOUR_MS))])
            other = an_alert(1, 2, commune="mong-cai", time=AT, start_time=AT, object=SEEN)
            store.commit([up(1, a_box(NOW_MS, "online"), other, commune="mong-cai")])
        found.open("lan", "hai-ninh")
        found.open("binh", "*")
        yield found


def test_what_a_station_calls_its_boxes_the_province_calls_them_and_names_the_commune(
    named: ProvinceScreen,
) -> None:
    lan = named.client("lan", "en")

    event = lan.get(FOUND).text
    assert "hai-ninh.hn-01 · Ngã tư Bưu điện, Hướng chợ (north)" in event
    assert "Ngược chiều cổng chợ" in event and "Làn xe máy, yard" in event
    boxes, page = lan.get("/boxes").text, lan.get("/boxes/hai-ninh.hn-01").text
    assert "hai-ninh.hn-01 · Ngã tư Bưu điện" in boxes and "Hướng chợ (south)" in page
    assert "&lt;b&gt;Đông&lt;/b&gt;" in page and "<b>Đông" not in page
    day = f"{datetime.fromtimestamp(HOUR_MS / 1000, UTC):%Y-%m-%d}"
    assert (
        "hai-ninh.hn-01 · Ngã tư Bưu điện" in lan.get(f"/counts?line=hai-ninh.hn-01/north/line&from={day}").text
    )
    for end in ("csv", "json"):
        assert "hai-ninh.hn-01 · Ngã tư Bưu điện" in lan.get(f"/lookup.{end}?{SPAN}").text


def test_what_a_station_of_before_sends_is_called_by_its_ids(named: ProvinceScreen) -> None:
    binh = named.client("binh", "en")

    event = binh.get(f"/events/mong-cai.hn-01/{v7(NOW_MS, 1)}").text

    assert "mong-cai.hn-01, north" in event and "lane, yard" in event


def test_who_looks_something_up_may_say_titles_those_of_zones_and_rules_within_one_commune(
    named: ProvinceScreen,
) -> None:
    lan, binh = named.client("lan", "en"), named.client("binh", "en")

    def read(client: httpx.Client, words: str) -> str:
        return unquote(str(client.get("/lookup", params={"q": words}).headers["location"]))

    assert "box=hai-ninh.hn-01&" in read(binh, "ngã tư bưu điện hôm nay")
    assert "camera=hai-ninh.hn-01/north" in read(lan, "Hướng chợ (north)")
    assert "zone=lane" in read(lan, "làn xe máy") and "rule=way" in read(lan, "ngược chiều cổng chợ")
    assert "zone" not in read(binh, "làn xe máy") and "label=motorcycle" in read(binh, "làn xe máy")
    chosen = lan.get(f"/lookup?{SPAN}&zone=lane&rule=way").text
    assert "zone: Làn xe máy" in chosen and "rule: Ngược chiều cổng chợ" in chosen


def test_a_title_that_changes_is_told_of_what_was_before_too_and_one_that_goes_leaves_the_id(
    named: ProvinceScreen, named_place: ProvincePlace
) -> None:
    lan = named.client("lan", "en")
    before = named_place.rows("select titles, said_ms from box_title")
    titles = {"place": "Chợ mới", "cameras": {"north": {"rules": {"way": "Một chiều"}}}}
    with closing(named_place.open(now_ms=NOW_MS + 60_000)) as store:
        cameras = {each: ["streaming", 5] for each in ("north", "south", "east")}
        store.commit([up(2, a_box(NOW_MS + 50_000, "online", titles=titles, cameras=cameras))])
        event = lan.get(FOUND).text
        assert "hai-ninh.hn-01 · Chợ mới, north" in event and "Một chiều" in event and "lane, yard" in event

        old = {"place": "Ngã tư Bưu điện"}
        store.commit([up(3, a_box(NOW_MS + 1, "online", titles=old, cameras=cameras))])  # it came late
        assert "hai-ninh.hn-01 · Chợ mới" in lan.get(FOUND).text

        store.commit([up(4, a_box(NOW_MS + 55_000, "online", titles={}, cameras=cameras))])
        assert "hai-ninh.hn-01, north" in lan.get(FOUND).text
    assert before != named_place.rows("select titles, said_ms from box_title")


def test_whatever_a_station_calls_its_things_no_other_commune_s_page_says_it(
    named: ProvinceScreen, named_place: ProvincePlace
) -> None:
    lie = "hai-ninh.hn-01\u202e\u200b <script>alert(1)</script>\n" + "W" * 300
    hostile = {
        "place": lie,
        "cameras": {"north": {"title": lie, "rules": {"way": lie}, "zones": {"lane": lie}}},
    }
    with closing(named_place.open(now_ms=NOW_MS + 90_000)) as store:
        store.commit([up(9, a_box(NOW_MS + 80_000, "online", titles=hostile), commune="mong-cai")])
    lan, binh = named.client("lan", "en"), named.client("binh", "en")

    for path in (
        "/boxes",
        f"/lookup?{SPAN}",
        f"/events/mong-cai.hn-01/{v7(NOW_MS, 1)}",
        "/boxes/mong-cai.hn-01",
    ):
        page = binh.get(path)
        assert page.status_code == 200 and "mong-cai.hn-01" in page.text, path
        assert "<script>alert" not in page.text and not set(page.text) & set("\u202e\u200b"), path
        assert "W" * 201 not in page.text, path
    assert "WWW" not in lan.get("/boxes").text
