"""agent.wire.payloads.health"""

from __future__ import annotations

from datetime import UTC, datetime

from agent.wire.payloads import Degradation, HealthPayload

AT = datetime(2026, 3, 2, 11, 4, 7, 412_999, tzinfo=UTC)


def test_a_word_of_what_is_amiss_says_of_what() -> None:
    health = HealthPayload(time=AT, degraded=("storage_full", "detector_failed:north", "paused:north/line"))

    assert health.degradations == (
        Degradation("storage_full"),
        Degradation("detector_failed", "north"),
        Degradation("paused", "north/line"),
    )
