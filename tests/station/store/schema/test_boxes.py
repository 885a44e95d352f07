"""station.store.schema.boxes"""

from __future__ import annotations

from station.store.schema import box, box_key, box_status, camera, camera_status, clock_map, daily_usage
from tests.support.declared_tables import is_refused
from tests.support.stores import Place


def test_a_device_stands_once_in_a_commune(declared: Place) -> None:
    row = {"first_seen_ms": 1, "last_seen_ms": 1}

    assert is_refused(declared, box, **row, id=2, commune="hai-ninh", device="north-01")
    assert not is_refused(declared, box, **row, id=2, commune="mong-cai", device="north-01")


def test_a_camera_is_of_a_box_that_is_there(declared: Place) -> None:
    row = {"name": "north", "state": "up", "since_ms": 1, "body": "{}", "received_ms": 1}

    assert is_refused(declared, camera, **row, box_id=7)
    assert not is_refused(declared, camera, **row, box_id=1)
    assert is_refused(declared, camera, **row, box_id=1)


def test_a_change_that_is_said_again_is_kept_once(declared: Place) -> None:
    of_box = {"box_id": 1, "session": "one", "state": "online", "received_ms": 1}
    of_camera = {"box_id": 1, "camera": "north", "state": "up", "received_ms": 1}

    assert not is_refused(declared, box_status, **of_box, id=1, time_ms=1)
    assert is_refused(declared, box_status, **of_box, id=2, time_ms=1)
    assert not is_refused(declared, box_status, **of_box, id=2, time_ms=2)
    assert not is_refused(declared, camera_status, **of_camera, id=1, since_ms=1)
    assert is_refused(declared, camera_status, **of_camera, id=2, since_ms=1)
    assert not is_refused(declared, camera_status, **of_camera, id=2, since_ms=2)


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
