"""agent.core.sampling.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.core.sampling.settings import ALL_REASONS, SampleReason, SamplingSettings


def test_all_reasons_count_unless_some_are_named() -> None:
    assert SamplingSettings().kinds == ALL_REASONS
    one = SamplingSettings.model_validate({"kinds": ["missed_motion"]})
    assert one.kinds == (SampleReason.MISSED_MOTION,)


@pytest.mark.parametrize("wrong", [{"kinds": []}, {"kinds": ["faces"]}, {"per_hour": 0}, {"per_day": 10**6}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SamplingSettings.model_validate(wrong)
