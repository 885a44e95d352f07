"""agent.evidence.samples.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.evidence.samples.settings import SamplesSettings

RIGHT = {"purpose": "a better detector", "legal_basis": "Decision 12"}


def test_nothing_is_kept_unless_somebody_says_so() -> None:
    assert not SamplesSettings().enabled
    assert not SamplesSettings().of_camera("road")
    assert SamplesSettings().blur == "heads"


@pytest.mark.parametrize("lacking", ["purpose", "legal_basis"])
def test_enabled_without_a_stated_right_is_an_error_that_says_what_is_lacking(lacking: str) -> None:
    with pytest.raises(ValidationError, match=f"write {lacking}"):
        SamplesSettings.model_validate({"enabled": True, **RIGHT, lacking: "  "})


def test_of_cameras_that_are_named_only_these() -> None:
    some = SamplesSettings.model_validate({"enabled": True, **RIGHT, "cameras": ["road"]})
    every = SamplesSettings.model_validate({"enabled": True, **RIGHT})

    assert (some.of_camera("road"), some.of_camera("yard"), every.of_camera("yard")) == (True, False, True)


def test_the_middle_has_two_ends() -> None:
    with pytest.raises(ValidationError, match="middle_low"):
        SamplesSettings.model_validate({"middle_low": 0.6, "middle_high": 0.5})
