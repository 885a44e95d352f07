"""station.stats"""

from __future__ import annotations

from contextlib import closing

import pytest

from station.ingest.alarms import AlarmKind
from station.stats import BoxStats, UnfilledGap, collect
from station.store.alarms import StandingAlarm
from station.store.database import StoreError, upgrade, versions
from tests.station.ingest.test_receipts import hello, messages
from tests.station.store.test_store import altered, bytes_by
from tests.support.stores import Place

NOW_MS = 1_772_449_447_000


def test_everything_is_counted_by_box(place: Place) -> None:
    with closing(place.open(gap_after_s=0, now=lambda: NOW_MS / 1000)) as store:
        event, picture = messages(1, 1, picture=True)
        store.commit([event, picture, *messages(2, 6), *messages(3, 9), hello(6, 9)])
        store.commit([bytes_by("camera/north/event", b"?"), altered(event, seq=7, severity="info")])
        for _ in range(2):
            store.attend()
        store.commit(messages(4, 8))
        store.attend()
        stats = collect(place.engine, place.folder)

    assert stats.version == versions()[0]
    counted = {"messages": 6, "events": 4, "open_events": 4, "pictures": 1, "counts": 0}
    amiss = {"missing": 0, "gone": 3, "conflicts": 1, "unreadable": 1}
    assert stats.boxes == (BoxStats("hai-ninh/north-01", "never told", NOW_MS, **counted, **amiss),)
    assert stats.gaps == (UnfilledGap("hai-ninh/north-01", "s-1", 3, 5, 3, "gone", NOW_MS),)
    assert (stats.gaps_filled, stats.event_messages, stats.unreadable_bytes) == (1, 4, 1)
    assert stats.alarms == ()
    assert stats.picture_bytes == len(picture.raw)
    assert stats.database_bytes > 50_000
    assert stats.disk_free_bytes > 0


def test_an_empty_store_has_no_figures_of_boxes(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()):
        assert collect(sqlite_place.engine, sqlite_place.folder).boxes == ()


def test_a_store_of_another_version_is_told(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()):
        sqlite_place.do("update alembic_version set version_num = '0001'")
        with pytest.raises(StoreError, match="has version 0001, not") as caught:
            collect(sqlite_place.engine, sqlite_place.folder)
        sqlite_place.do(f"update alembic_version set version_num = '{versions()[0]}'")

    assert "start the station once" in caught.value.hint
    assert upgrade(sqlite_place.engine)[0] == versions()[0]


def test_gaps_that_add_up_beyond_64_bits_are_counted(place: Place) -> None:
    with closing(place.open(gap_after_s=0)) as store:
        store.commit([*messages(1, 1)])
        for first in (2, 3):
            place.do(
                "insert into gap (stream_id, first, last, missing, state, opened_ms) select id, "
                f"{first}, 9223372036854775805, 9223372036854775800, 'open', 1 from stream"
            )
        (box,) = collect(place.engine, place.folder).boxes

    assert box.missing > 2**63


def test_alarms_that_stand_are_told_and_those_that_are_over_are_not(place: Place) -> None:
    with closing(place.open(now=lambda: NOW_MS / 1000)) as store:
        store.raise_alarm(AlarmKind.QUOTA, ("hai-ninh", "north-01"), "more than 1 GiB")
        store.raise_alarm(AlarmKind.SECOND_STATION, None, "by another session")
        store.close_alarm(AlarmKind.SECOND_STATION, None)
        (found,) = collect(place.engine, place.folder).alarms

    assert found == StandingAlarm("quota", "hai-ninh/north-01", NOW_MS, NOW_MS, 1, "more than 1 GiB")
