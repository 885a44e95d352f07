"""agent.core.attention.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.core.attention.settings import AttentionSettings


def test_by_default_the_newer_a_thing_is_the_sooner_it_is_looked_at() -> None:
    wait = AttentionSettings()

    assert wait.min_interval_s < wait.doubt_s < wait.follow_s < wait.negative_s < wait.stationary_check_s
    assert wait.stationary_check_s < wait.full_scan_s


@pytest.mark.parametrize("wrong", [{"max_crops": 0}, {"full_scan_s": 0}, {"object_share": 1.5}, {"scan_s": 30}])
def test_what_would_leave_a_blind_spot_or_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        AttentionSettings.model_validate(wrong)
