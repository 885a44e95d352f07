"""station.lookup.timeline.outages"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from station.lookup.timeline.outages import BRIEF_MS, Outage, brief_outages, outage_sums
from station.shift.words import went_wrong
from station.store.schema import box
from tests.station.shift.test_shift import AT, HOUR_MS, shift
from tests.support.duty_store import MINUTE_MS, add_alarm, add_box, add_box_state, add_camera_state


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


def stretches(found: tuple[Outage, ...]) -> list[tuple[str, str, int, int | None]]:
    """Camera, state, from and until in minutes after the shift's beginning."""
    return [
        (
            each.camera,
            each.state,
            (each.start_ms - AT) // MINUTE_MS,
            None if each.end_ms is None else (each.end_ms - AT) // MINUTE_MS,
        )
        for each in found
    ]


def test_a_camera_that_starts_is_not_called_paused_and_one_that_is_paused_not_off(
    store: Engine, tmp_path: Path
) -> None:
    with store.begin() as connection:
        for state, at_ms, reason in (
            ("disabled", 10, "starting"), ("streaming", 11, None), ("disabled", 20, "paused by lan until 2026"),
            ("streaming", 30, None), ("disabled", 40, "the agent stops"), ("blind", 50, "covered"),
        ):  # fmt: skip
            add_camera_state(connection, 1, "north", state, AT + at_ms * MINUTE_MS, reason)

    found = shift(store, tmp_path).outages

    assert [each[1:] for each in stretches(found)] == [
        ("starting", 10, 11), ("paused", 20, 30), ("disabled", 40, 50), ("blind", 50, None),
    ]  # fmt: skip
    assert [went_wrong(each) for each in found] == [
        "was starting, gave no pictures yet", "was paused by lan",
        "was off: the program of the box was stopped",
        "could not see: covered",
    ]  # fmt: skip


def test_a_box_that_was_silent_though_connected_too_hot_or_without_a_detector_is_among_them(
    store: Engine, tmp_path: Path
) -> None:
    with store.begin() as connection:
        add_alarm(connection, 1, "box_silent", AT - 20 * MINUTE_MS, AT + 5 * MINUTE_MS)
        add_alarm(connection, 1, "detector_failed", AT + 10 * MINUTE_MS, None)
        add_alarm(connection, 1, "overheated", AT + 20 * MINUTE_MS, AT + 9 * HOUR_MS)
        add_alarm(connection, 1, "box_silent", AT - 90 * MINUTE_MS, AT - 80 * MINUTE_MS)

    found = shift(store, tmp_path)

    assert stretches(found.outages) == [
        ("", "silent", -20, 5), ("", "detector_failed", 10, None), ("", "overheated", 20, None),
    ]  # fmt: skip
    assert not found.alarms  # told once


def test_what_overlaps_is_counted_once_and_only_what_lies_in_the_shift(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        add_box_state(connection, 1, "offline", AT - 30 * MINUTE_MS)
        add_box_state(connection, 1, "online", AT + 20 * MINUTE_MS)
        add_alarm(connection, 1, "box_silent", AT + 10 * MINUTE_MS, AT + 30 * MINUTE_MS)
        for state, at_ms in (("lost", 25), ("streaming", 35), ("lost", 475)):
            add_camera_state(connection, 1, "north", state, AT + at_ms * MINUTE_MS)

    sums = outage_sums(shift(store, tmp_path).outages, AT, AT + 8 * HOUR_MS)

    assert [(each.camera, each.lasted_ms // MINUTE_MS) for each in sums] == [("Hướng Bắc", 40), ("", 30)]


def lost(
    start_s: float, end_s: float | None, state: str = "lost", whose: tuple[int, str] = (1, "north")
) -> Outage:
    """Of a camera or a box; seconds after the shift's beginning."""
    ends_ms = None if end_s is None else AT + round(end_s * 1000)
    return Outage("Chợ", whose[1], state, AT + round(start_s * 1000), ends_ms, "", whose)


def test_what_was_over_within_ten_seconds_is_brief_and_what_goes_on_or_began_long_before_is_not() -> None:
    restart = [lost(100, 108.2, "stopped", (1, "")), lost(108, 108.02, "starting")]
    others = [lost(200, 210), lost(-3600, 2), lost(28_795, None)]

    assert BRIEF_MS == 10_000
    assert brief_outages([*restart, *others]) == set(restart)
    assert brief_outages([]) == frozenset()


def test_short_ones_that_follow_each_other_without_a_pause_are_told_where_together_they_last_longer() -> None:
    hour = [lost(4 * n, 4 * n + 4, ("lost", "stalled")[n % 2]) for n in range(900)]
    now_and_then = [lost(20_000 + 60 * n, 20_004 + 60 * n) for n in range(100)]
    elsewhere = [lost(4, 8, whose=(1, "south")), lost(8, 12, whose=(2, "north"))]

    assert brief_outages([*hour, *now_and_then, *elsewhere]) == {*now_and_then, *elsewhere}


def test_what_is_brief_is_in_the_sum_of_its_camera_and_counted_there() -> None:
    found = [lost(0, 60), lost(100, 104), lost(200, 203), lost(300, 308, "stopped", (1, ""))]

    sums = outage_sums(found, AT, AT + 8 * HOUR_MS)

    assert [(each.camera, each.lasted_ms, each.brief) for each in sums] == [
        ("north", 75_000, 3), ("", 8_000, 1),
    ]  # fmt: skip


def test_of_a_box_that_changes_without_end_the_newest_changes_are_read_and_all_of_the_others(
    store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.lookup.timeline.outages.MOST_CHANGES", 10)
    with store.begin() as connection:
        add_box(connection, "hai-ninh", "box-2", {})
        for number in range(40):
            state = ("offline", "online")[number % 2]
            add_box_state(connection, 1, state, AT + number * MINUTE_MS)
        for at_min, state in ((3, "offline"), (5, "online")):
            add_box_state(connection, 2, state, AT + at_min * MINUTE_MS)

    assert stretches(shift(store, tmp_path).outages) == [
        ("", "offline", 3, 5),
        *(("", "offline", minute, minute + 1) for minute in range(30, 40, 2)),
    ]


def test_a_box_that_was_first_heard_in_the_shift_was_not_there_before(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        for number, at_min in ((2, -30), (3, 45), (4, 9 * 60)):
            add_box(connection, "hai-ninh", f"box-{number}", {}, first_seen_ms=AT + at_min * MINUTE_MS)

    read = shift(store, tmp_path)

    assert stretches(read.outages) == [("", "absent", 0, 45)]
    assert (read.outages[0].box, read.boxes) == ("box-3", 3)


def test_a_box_without_a_birth_message_is_called_by_its_name(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        row = {"commune": "hai-ninh", "device": "south-02", "first_seen_ms": 0, "last_seen_ms": 0}
        box_id = connection.execute(insert(box).values(row)).inserted_primary_key[0]
        add_box_state(connection, box_id, "stopped", AT + 1)

    assert [each.box for each in shift(store, tmp_path).outages] == ["south-02"]
