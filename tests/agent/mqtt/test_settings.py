"""agent.mqtt.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.mqtt.settings import BrokerSettings


@pytest.mark.parametrize(("values", "words"), [
    ({"backoff_min_s": 20, "backoff_max_s": 10}, "backoff_min_s is longer than backoff_max_s"),
    ({"window": 2, "image_window": 3}, "image_window is larger than window"),
    ({"protocol": 4}, "protocol"),
])  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        BrokerSettings.model_validate(values)


def test_settings_at_their_common_bound_are_taken_as_they_are() -> None:
    taken = BrokerSettings(backoff_min_s=10, backoff_max_s=10, window=3, image_window=3)

    assert (taken.backoff_min_s, taken.backoff_max_s) == (10, 10)
    assert (taken.window, taken.image_window) == (3, 3)


@pytest.mark.parametrize(("written", "meant"), [(5, "5"), ("3.1.1", "3.1.1"), ("auto", "auto")])
def test_the_version_may_be_written_as_a_number(written: object, meant: str) -> None:
    assert BrokerSettings.model_validate({"protocol": written}).protocol == meant


def test_a_box_that_is_told_nothing_waits_for_the_station_s_receipt() -> None:
    """What the outbox's promise rests on: the broker's word is not enough unless somebody says so."""
    assert BrokerSettings().confirm == "station"
