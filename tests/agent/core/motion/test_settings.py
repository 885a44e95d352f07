"""agent.core.motion.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.core.motion.settings import MotionSettings


def test_polygons_that_are_ignored_come_as_lists_from_a_file_and_can_be_compared() -> None:
    """A state remembers what its mask was made from, and begins anew when that is another."""
    read = MotionSettings.model_validate({"ignore": [[[0, 0], [1, 0], [1, 0.5]]]})

    assert read == MotionSettings(ignore=(((0.0, 0.0), (1.0, 0.0), (1.0, 0.5)),))
    assert read != MotionSettings()


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"height_px": 20}, {"min_area": 0}, {"treshold": 4}])
def test_what_would_find_nothing_or_everything_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        MotionSettings.model_validate(wrong)
