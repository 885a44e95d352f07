"""station.boxes.history"""

from __future__ import annotations

from contextlib import closing

import pytest

from station.boxes.history import StateChange, changes_since
from station.store.database import StoreError, engine_of
from tests.support.stores import Place
from tests.support.told_boxes import ToldBox

NOW_S = 1_795_860_000.0
NOW_MS = round(NOW_S * 1000)


def test_each_change_is_told_the_newest_first_and_a_box_is_away_since_that_was_heard(place: Place) -> None:
    box = ToldBox("hn-01", NOW_S)
    with closing(place.open(now=lambda: NOW_S - 90_000)) as store:
        store.commit([box.status(ago_s=90_000), box.camera(since_ago_s=90_000)])
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit(
            [box.camera(state="lost", since_ago_s=60, reason="no picture"), box.status("offline", 90_000)]
        )
    (box_id,) = [row[0] for row in place.rows("select id from box")]

    found = changes_since(place.engine, box_id, NOW_MS - 3_600_000)
    assert found == (
        StateChange(NOW_MS, None, "offline"),
        StateChange(NOW_MS - 60_000, "north", "lost", "no picture"),
    )
    assert len(changes_since(place.engine, box_id, 0)) == 4
    assert changes_since(place.engine, box_id, 0, most=1) == found[:1]
    assert changes_since(place.engine, box_id + 1, 0) == ()


def test_a_camera_whose_clock_is_ahead_changed_when_that_came(sqlite_place: Place) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox("hn-01", NOW_S).camera(since_ago_s=-9_000)])
        found = changes_since(sqlite_place.engine, 1, 0)

    assert [each.at_ms for each in found] == [NOW_MS]


def test_a_store_that_cannot_be_read_is_told_in_words(sqlite_place: Place) -> None:
    engine = engine_of(sqlite_place.url, writes=False)
    with pytest.raises(StoreError):
        changes_since(engine, 1, 0)
    engine.dispose()
