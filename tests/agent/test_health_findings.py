"""agent.health_findings"""

from __future__ import annotations

from typing import Any

import pytest

from agent.health_findings import DEGRADED_NOW, PENDING_LATE_S, REPORTED_PER_CAMERA, WARM_C, health_findings
from agent.wire import codec
from agent.wire.payloads import HealthPayload
from tests.support.told_boxes import ToldBox


def found(**more: Any) -> list[tuple[bool, str, dict[str, Any]]]:
    health = codec.parse(HealthPayload, ToldBox("hn-01", 1_795_860_000.0).health(**more).raw)
    return [(each.is_pressing, each.key, dict(each.values)) for each in health_findings(health)]


def test_a_box_that_is_well_is_found_nothing_of() -> None:
    assert found() == []


@pytest.mark.parametrize("word", DEGRADED_NOW)
def test_what_loses_something_now_presses(word: str) -> None:
    assert found(degraded=[f"{word}:north"]) == [(True, "degraded", {"word": word, "of": "north"})]


@pytest.mark.parametrize("word", ["clock_untrusted", "a_word_of_a_later_version"])
def test_what_does_not_can_wait(word: str) -> None:
    assert found(degraded=[word]) == [(False, "degraded", {"word": word, "of": ""})]


@pytest.mark.parametrize("word", REPORTED_PER_CAMERA)
def test_what_the_cameras_say_is_not_said_twice(word: str) -> None:
    assert found(degraded=[f"{word}:north"]) == []


def test_heat_is_told_before_the_box_slows_down_and_once_only() -> None:
    assert found(cpu_temp_c=WARM_C - 0.1) == []
    assert found(cpu_temp_c=WARM_C) == [(False, "warm", {"celsius": 75})]
    assert [key for _, key, _ in found(cpu_temp_c=86.0, degraded=["overheated"])] == ["degraded"]


def test_power_that_was_too_low_is_told_unless_it_is_now() -> None:
    once = {"under_voltage_since_boot": True}

    assert found(throttled=once) == [(False, "under_voltage_once", {})]
    assert found(throttled=once | {"under_voltage": True}) == []


def test_what_waits_was_lost_or_was_set_aside_is_counted() -> None:
    assert found(outbox={"oldest_s": PENDING_LATE_S, "pending": 9}) == []
    assert found(outbox={"oldest_s": 2 * PENDING_LATE_S, "pending": 9}) == [
        (False, "waiting", {"pending": 9, "hours": 2})
    ]
    assert found(outbox={"dropped": {"image": 2, "update": 3}, "quarantined": 1}) == [
        (False, "dropped", {"number": 5}),
        (False, "quarantined", {"number": 1}),
    ]
