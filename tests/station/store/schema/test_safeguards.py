"""station.store.schema.safeguards"""

from __future__ import annotations

from station.store.schema import alarm, box_key, clock_map, daily_usage
from tests.support.declared_tables import is_refused
from tests.support.stores import Place


def test_of_what_is_wrong_one_alarm_stands_however_many_are_over(declared: Place) -> None:
    row = {"kind": "quota", "box_id": 1, "opened_ms": 1, "last_ms": 1, "count": 1, "detail": ""}

    assert not is_refused(declared, alarm, **row, id=1, standing="quota/1")
    assert is_refused(declared, alarm, **row, id=2, standing="quota/1")
    assert not is_refused(declared, alarm, **row, id=2, standing=None, closed_ms=2)
    assert not is_refused(declared, alarm, **row, id=3, standing=None, closed_ms=3)


def test_a_key_and_a_day_stand_once_for_each_box(declared: Place) -> None:
    key = {"box_id": 1, "first_ms": 1, "last_ms": 1}
    sums = ("messages", "size_bytes", "unreadable_bytes", "streams", "refused", "refused_bytes")

    assert not is_refused(declared, box_key, **key, key="a")
    assert is_refused(declared, box_key, **key, key="a")
    assert not is_refused(declared, box_key, **key, key="b")
    assert not is_refused(declared, daily_usage, **dict.fromkeys(sums, 0), box_id=1, day=20_000)
    assert is_refused(declared, daily_usage, **dict.fromkeys(sums, 0), box_id=1, day=20_000)
    assert is_refused(declared, daily_usage, **dict.fromkeys(sums, 0), box_id=7, day=20_000)


def test_a_moment_of_a_boot_has_one_wall_time(declared: Place) -> None:
    row = {"box_id": 1, "boot_id": "b", "state": "ntp", "received_ms": 1}

    assert not is_refused(declared, clock_map, **row, mono_ms=5, wall_ms=1_000)
    assert is_refused(declared, clock_map, **row, mono_ms=5, wall_ms=2_000)
    assert not is_refused(declared, clock_map, **row, mono_ms=6, wall_ms=2_000)
