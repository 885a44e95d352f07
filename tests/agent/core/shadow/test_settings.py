"""agent.core.shadow.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.core.shadow.settings import ShadowTrialSettings


def test_a_trial_that_would_be_given_up_before_it_may_pass_is_refused() -> None:
    with pytest.raises(ValidationError, match="give_up_s"):
        ShadowTrialSettings(for_s=3600, give_up_s=3599)
    assert ShadowTrialSettings(for_s=3600, give_up_s=3600).give_up_s == 3600


def test_without_a_word_a_model_looks_for_an_hour_and_takes_a_tenth_of_a_core() -> None:
    usual = ShadowTrialSettings()

    assert (usual.for_s, usual.share) == (3600, 0.1)
    assert usual.give_up_s >= usual.for_s
