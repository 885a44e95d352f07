"""agent.mqtt.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.mqtt.settings import BrokerSettings


@pytest.mark.parametrize(("told", "words"), [
    ({"backoff_min_s": 20, "backoff_max_s": 10}, "backoff_min_s is longer than backoff_max_s"),
    ({"window": 2, "image_window": 3}, "image_window is larger than window"),
    ({"host": "a..b"}, "cannot be a host name"),
])  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(told: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        BrokerSettings.model_validate(told)


def test_settings_at_their_common_bound_are_taken() -> None:
    BrokerSettings(backoff_min_s=10, backoff_max_s=10, window=3, image_window=3)
