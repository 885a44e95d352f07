"""station.shift.outages"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, insert

from station.store.schema import box
from tests.station.shift.test_shift import AT, HOUR_MS, shift
from tests.support.duty_store import MINUTE_MS, add_box_state, add_camera_state


def test_outages_touch_the_shift_whenever_they_began(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        for state, at_ms in (
            ("online", -90), ("offline", -30), ("online", 10), ("offline", 100), ("online", 130),
        ):  # fmt: skip
            add_box_state(connection, 1, state, AT + at_ms * MINUTE_MS)
        for state, at_ms in (("lost", -400), ("streaming", -300), ("blind", 200)):
            add_camera_state(connection, 1, "north", state, AT + at_ms * MINUTE_MS)
        add_camera_state(connection, 1, "south", "streaming", AT - 1)
        add_camera_state(connection, 1, "south", "lost", AT + 9 * HOUR_MS)

    found = shift(store, tmp_path).outages

    stated = [
        (each.camera, each.state, (each.start_ms - AT) // MINUTE_MS, each.end_ms is None) for each in found
    ]
    assert stated == [
        ("", "offline", -30, False),
        ("", "offline", 100, False),
        ("Hướng Bắc", "blind", 200, True),
    ]


def test_a_box_without_a_birth_message_is_called_by_its_name(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        row = {"commune": "hai-ninh", "device": "south-02", "first_seen_ms": 0, "last_seen_ms": 0}
        box_id = connection.execute(insert(box).values(row)).inserted_primary_key[0]
        add_box_state(connection, box_id, "stopped", AT + 1)

    assert [each.box for each in shift(store, tmp_path).outages] == ["south-02"]
