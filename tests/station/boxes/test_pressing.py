"""station.boxes.pressing"""

from __future__ import annotations

from dataclasses import replace

from station.boxes.findings import judged
from station.boxes.pressing import Pressing, pressing
from station.boxes.standing import BoxStanding
from tests.station.boxes.test_findings import NOW_MS, WELL, alarm, camera, health


def found(*boxes: BoxStanding) -> list[Pressing]:
    return list(pressing(judged(each, NOW_MS) for each in boxes))


def test_where_all_is_well_nothing_presses_and_what_needs_only_a_look_does_not() -> None:
    assert found(WELL, replace(WELL, alarms=(alarm("quota"),))) == []


def test_a_box_that_is_silent_comes_before_one_that_is_away_and_a_box_before_a_camera() -> None:
    lost = replace(WELL, device="a", cameras=(camera("lost"),))
    hot = replace(WELL, device="b", health=health(degraded=["overheated"]))
    full = replace(WELL, device="c", health=health(degraded=["storage_full"]))
    away = replace(WELL, device="d", state="offline")
    silent = replace(WELL, device="e", health_age_ms=400_000)

    assert [each.device for each in found(lost, hot, full, away, silent)] == ["e", "d", "a", "c", "b"]


def test_of_what_is_as_urgent_the_newest_comes_first() -> None:
    old = replace(WELL, device="a", cameras=(camera("blind", since_ms=NOW_MS - 90_000),))
    new = replace(WELL, device="b", cameras=(camera("blind", since_ms=NOW_MS - 10_000),))

    assert [each.device for each in found(old, new)] == ["b", "a"]


def test_each_says_what_it_is_where_and_since_when() -> None:
    (each,) = found(replace(WELL, cameras=(camera("lost", since_ms=NOW_MS - 90_000),)))

    assert (each.box, each.what, each.since_ms) == (
        "Chợ", "Camera Cổng chợ gives no picture", NOW_MS - 90_000,
    )  # fmt: skip
