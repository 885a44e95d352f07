"""station.store.alarms"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from station.ingest.alarms import AlarmKind
from station.store.alarms import StandingAlarm, close_alarm, raise_alarm, standing
from station.store.id_cache import IdCache
from tests.support.stores import Place

BOX = "hai-ninh", "north-01"


@pytest.fixture
def tables(place: Place) -> Iterator[Place]:
    with closing(place.open()):
        yield place


def test_an_alarm_stands_once_however_often_it_is_raised_and_is_told_once(tables: Place) -> None:
    with tables.engine.begin() as connection:
        box_id = IdCache().box_id(connection, BOX, 1)
        opened = raise_alarm(connection, AlarmKind.QUOTA, box_id, 1000, "3 messages", count=3)
        again = raise_alarm(connection, AlarmKind.QUOTA, box_id, 2000, "5 messages", count=2)
        found = standing(connection)

    fields = {"kind": "quota", "box": "hai-ninh/north-01", "why": "3 messages", "hint": AlarmKind.QUOTA.meaning}
    assert (opened, again) == (("alarm_opened", fields), None)
    assert found == (StandingAlarm("quota", "hai-ninh/north-01", 1000, 2000, 5, "5 messages"),)
    assert found[0].meaning == AlarmKind.QUOTA.meaning


def test_one_that_is_over_is_closed_once_and_a_new_one_is_another_row(tables: Place) -> None:
    with tables.engine.begin() as connection:
        assert close_alarm(connection, AlarmKind.SECOND_STATION, None, 500) is None
        raise_alarm(connection, AlarmKind.SECOND_STATION, None, 1000, "x")
        closed = close_alarm(connection, AlarmKind.SECOND_STATION, None, 4500)
        assert close_alarm(connection, AlarmKind.SECOND_STATION, None, 5000) is None
        assert standing(connection) == ()
        assert raise_alarm(connection, AlarmKind.SECOND_STATION, None, 6000, "y") is not None

    assert closed == ("alarm_closed", {"kind": "second_station", "count": 1, "lasted_s": 3})
    rows = tables.rows("select opened_ms, closed_ms, detail from alarm order by id")
    assert rows == [(1000, 4500, "x"), (6000, None, "y")]


def test_alarms_of_two_boxes_and_of_none_stand_beside_each_other(tables: Place) -> None:
    with tables.engine.begin() as connection:
        ids = IdCache()
        for box_id in (ids.box_id(connection, BOX, 1), ids.box_id(connection, ("hai-ninh", "b-02"), 1), None):
            raise_alarm(connection, AlarmKind.RETAINED_FLOOD, box_id, 1000, "x")
        close_alarm(connection, AlarmKind.RETAINED_FLOOD, None, 2000)
        assert [each.box for each in standing(connection)] == ["hai-ninh/north-01", "hai-ninh/b-02"]


def test_a_detail_that_no_database_takes_is_made_to_fit(tables: Place) -> None:
    with tables.engine.begin() as connection:
        raise_alarm(connection, AlarmKind.QUOTA, None, 1, "a\0b\ud800" + "x" * 1000)
        (found,) = standing(connection)

    assert found.detail.startswith("a\ufffdb?x")
    assert len(found.detail) == 500


def test_a_kind_of_a_newer_version_speaks_for_itself() -> None:
    assert StandingAlarm("flying_pole", None, 1, 1, 1, "").meaning == "flying_pole"
