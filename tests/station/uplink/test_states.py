"""station.uplink.states"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

from agent.wire.payloads import MOST_CAMERAS
from station.province.items import ItemRows
from station.uplink.states import AGAIN_MS, TITLES_AGAIN_MS, StateNews
from tests.support.stores import Place
from tests.support.told_events import COMMUNE, born, camera_status, status

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)


def test_a_box_is_told_when_it_or_a_camera_stands_otherwise_and_now_and_then(place: Place) -> None:
    news, told_changed = StateNews(), list[int]()
    with closing(place.open()) as store:

        def told_now(now_ms: int) -> list[dict[str, object]]:
            with place.engine.begin() as connection:
                changed, heard = news.news(connection, COMMUNE, now_ms)
                told_changed.append(len(changed))
                return [json.loads(item.raw) for item in (*changed, *heard)]

        store.commit([status("north-01", "online", AT), status("south-01", "online", AT)])
        assert {each["state"] for each in told_now(1)} == {"online"}
        assert told_now(2) == []
        store.commit([camera_status("north-01", "north", "lost", AT)])
        (one,) = told_now(3)
        assert one["cameras"] == {"north": ["lost", round(AT.timestamp() * 1000)]} and one["said_ms"] == 3
        store.commit([status("south-01", "stopped", AT + timedelta(seconds=9))])
        assert [each["state"] for each in told_now(4)] == ["stopped"]
        assert len(told_now(4 + AGAIN_MS)) == 2
        news.forget()
        assert len(told_now(5 + AGAIN_MS)) == 2
        assert told_changed == [2, 0, 1, 1, 0, 2]


def test_of_a_box_that_invents_cameras_no_more_go_up_than_the_province_takes(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([status("north-01", "online", AT)])
        store.commit([camera_status("north-01", f"c{at:04}", "lost", AT) for at in range(MOST_CAMERAS + 20)])
        with place.engine.begin() as connection:
            (item,), _ = StateNews().news(connection, COMMUNE, 1)

    assert sorted(json.loads(item.raw)["cameras"]) == [f"c{at:04}" for at in range(MOST_CAMERAS)]
    rows = ItemRows()
    rows.add(COMMUNE, [item], 1)
    assert rows.unreadable == []


def test_what_a_box_is_called_goes_up_when_it_changes_and_once_a_day(place: Place) -> None:
    news = StateNews()
    with closing(place.open(now=AT.timestamp)) as store:

        def titles(now_ms: int) -> list[object]:
            with place.engine.begin() as connection:
                changed, heard = news.news(connection, COMMUNE, now_ms)
                return [json.loads(item.raw).get("titles", "not said") for item in (*changed, *heard)]

        store.commit([status("north-01", "online", AT)])
        assert titles(1) == ["not said"]  # nobody knows yet
        store.commit([born("north-01", "Ngã tư", {"north": "Hướng chợ"}, AT)])
        first = {"place": "Ngã tư", "cameras": {"north": {"title": "Hướng chợ"}}}
        assert (titles(2), titles(3)) == ([first], [])
        assert titles(2 + AGAIN_MS) == ["not said"]  # the box was heard
        assert titles(2 + TITLES_AGAIN_MS) == [first]
        news.forget()
        assert titles(3 + TITLES_AGAIN_MS) == [first]


def test_a_box_that_calls_itself_otherwise_all_the_time_is_told_once_in_ten_minutes(place: Place) -> None:
    news, now = StateNews(), [AT.timestamp()]
    with closing(place.open(now=lambda: now[0])) as store:

        def called(title: str, after_ms: int) -> list[object]:
            now[0] += 0.001
            store.commit([born("north-01", title, {}, AT)])
            with place.engine.begin() as connection:
                changed, heard = news.news(connection, COMMUNE, 1 + after_ms)
                return [json.loads(item.raw).get("titles") for item in (*changed, *heard)]

        assert called("Một", 0) == [{"place": "Một"}]
        assert [called(f"Lần {n}", n) for n in range(5)] == [[]] * 5
        assert called("Hai", AGAIN_MS) == [{"place": "Hai"}]
        assert called("Hai", AGAIN_MS + 1) == []
        assert called("", 2 * AGAIN_MS) == [{}]
        assert called("Ba", 0) == [{"place": "Ba"}]  # the station's clock was put back
