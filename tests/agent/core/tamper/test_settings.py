"""agent.core.tamper.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.core.tamper.settings import TamperSettings


def test_by_default_a_fault_is_told_within_ten_seconds_and_what_a_bus_could_do_later_than_the_rest() -> None:
    wait = TamperSettings()

    assert wait.after_s < wait.partly_after_s
    assert max(wait.partly_after_s, wait.frozen_after_s) + 2 * wait.look_every_s < 10


@pytest.mark.parametrize("wrong", [{"lost_share": 1.0}, {"look_every_s": 5}, {"sharpness": 0}, {"lost": 0.5}])
def test_what_would_see_no_fault_or_nothing_else_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        TamperSettings.model_validate(wrong)
