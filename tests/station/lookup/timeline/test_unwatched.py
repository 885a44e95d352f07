"""station.lookup.timeline.unwatched"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from station.lookup.timeline.unwatched import MOST, unwatched
from station.lookup.wanted import EventSearch
from tests.support.duty_store import MINUTE_MS, add_alarm, add_box, add_box_state, add_camera_state

AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)


def found(
    engine: Engine, minutes: int = 60, now: int = 60, **wanted: Any
) -> list[tuple[str, str, int, int | None]]:
    """Camera, state, from and until in minutes, of what did not watch since AT."""
    search = EventSearch(AT, AT + timedelta(minutes=minutes), **wanted)
    return [
        (
            each.whose[1],
            each.state,
            (each.start_ms - AT_MS) // MINUTE_MS,
            None if each.end_ms is None else (each.end_ms - AT_MS) // MINUTE_MS,
        )
        for each in unwatched(engine, search, AT_MS + now * MINUTE_MS)
    ]


@pytest.fixture
def night(store: Engine) -> Engine:
    """A box switched off with its cameras, then silent; one of these covered; another box away for a moment."""
    with store.begin() as connection:
        other = add_box(connection, "hai-ninh", "south-02")
        for state, at in (("online", -90), ("stopped", 10), ("online", 20)):
            add_box_state(connection, 1, state, AT_MS + at * MINUTE_MS)
        for camera in ("north", "south"):
            for state, at in (("streaming", -80), ("disabled", 10), ("streaming", 20)):
                add_camera_state(connection, 1, camera, state, AT_MS + at * MINUTE_MS - 900)
        add_camera_state(connection, 1, "south", "blind", AT_MS + 40 * MINUTE_MS)
        add_alarm(connection, 1, "box_silent", AT_MS + 30 * MINUTE_MS, AT_MS + 35 * MINUTE_MS)
        for state, at_ms in (
            ("online", -90 * MINUTE_MS),
            ("offline", 5 * MINUTE_MS),
            ("online", 5 * MINUTE_MS + 9_000),
        ):
            add_box_state(connection, other, state, AT_MS + at_ms)
    return store


def test_the_outages_of_all_are_told_without_brief_ones_and_what_the_box_says_for_its_cameras(
    night: Engine,
) -> None:
    assert found(night) == [("", "stopped", 10, 20), ("", "silent", 30, 35), ("south", "blind", 40, None)]


def test_of_a_camera_that_is_asked_for_its_own_and_those_of_its_box_are_told(night: Engine) -> None:
    assert found(night, cameras=("north-01/north",)) == [("", "stopped", 10, 20), ("", "silent", 30, 35)]
    assert found(night, boxes=("south-02",)) == []
    assert len(found(night, boxes=("north-01",))) == 3


def test_a_camera_that_was_lost_is_told_however_often_its_box_came_and_went_meanwhile(store: Engine) -> None:
    with store.begin() as connection:
        add_camera_state(connection, 1, "north", "lost", AT_MS)
        for number in range(200):
            state = ("offline", "online")[number % 2]
            add_box_state(connection, 1, state, AT_MS + 5_000 * number)

    assert found(store) == [("north", "lost", 0, None)]


def test_of_a_box_whose_camera_comes_and_goes_all_the_time_the_longest_are_told(store: Engine) -> None:
    with store.begin() as connection:
        for number in range(MOST + 5):
            begun_ms, lasted_ms = AT_MS + 30_000 * number, 29_000 if number % 2 else 20_000
            add_camera_state(connection, 1, "north", "lost", begun_ms)
            add_camera_state(connection, 1, "north", "streaming", begun_ms + lasted_ms)
        add_camera_state(connection, 1, "south", "lost", AT_MS)

    listed = found(store, minutes=24 * 60, now=24 * 60)

    assert len(listed) == MOST
    assert ("south", "lost", 0, None) in listed


def test_nothing_is_listed_what_is_still_to_come(night: Engine) -> None:
    assert found(night, now=25) == [("", "stopped", 10, 20)]
    assert found(night, now=0) == []


def test_where_no_changes_are_kept_what_lasts_still_is_told(night: Engine) -> None:
    with night.begin() as connection:
        connection.exec_driver_sql(
            f"update box set state = 'offline', last_seen_ms = {AT_MS} where device = 'south-02'"
        )
    search = EventSearch(AT, AT + timedelta(hours=1))

    (only,) = unwatched(night, search, AT_MS + 60 * MINUTE_MS, only_lasting=True)

    assert (only.state, only.start_ms, only.end_ms) == ("offline", AT_MS, None)
    before = EventSearch(AT - timedelta(hours=2), AT - timedelta(hours=1))
    assert unwatched(night, before, AT_MS, only_lasting=True) == ()
