"""agent.wire.payloads.health"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import MOST_CAMERAS, MOST_DEGRADED, CameraHealth, Degradation, HealthPayload

AT = datetime(2026, 3, 2, 11, 4, 7, 412_999, tzinfo=UTC)


def test_a_word_of_what_is_amiss_says_of_what() -> None:
    health = HealthPayload(time=AT, degraded=("storage_full", "detector_failed:north", "paused:north/line"))

    assert health.degradations == (
        Degradation("storage_full"),
        Degradation("detector_failed", "north"),
        Degradation("paused", "north/line"),
    )


def test_more_than_any_box_has_to_say_is_refused() -> None:
    most = HealthPayload(
        time=AT,
        degraded=tuple(f"paused:c{at}" for at in range(MOST_DEGRADED)),
        cameras={f"c{at}": CameraHealth() for at in range(MOST_CAMERAS)},
    )
    assert codec.parse(HealthPayload, codec.encode(most)) == most

    for more in (
        {"degraded": (*most.degraded, "busy")},
        {"cameras": {**most.cameras, "another": CameraHealth()}},
    ):
        with pytest.raises(WireError):
            codec.parse(HealthPayload, codec.encode(most.model_copy(update=more)))
