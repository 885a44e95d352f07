"""agent.core.sampling.conditions"""

from __future__ import annotations

import numpy as np
import pytest

from agent.core.sampling.conditions import condition
from agent.core.types import Frame
from tests.support.sampled_frames import at


def frame(low: int, high: int) -> Frame:
    luma = np.full((96, 128), low, np.uint8)
    luma[:, ::2] = luma[::32] = high
    luma[:, :64] = high
    luma[:, 64:] = low
    half = np.full((48, 64), 128, np.uint8)
    return Frame(0, at(0), luma, half, half)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (20, 30, "night-flat"),
        (0, 80, "night-plain"),
        (70, 80, "dusk-flat"),
        (40, 200, "day-hard"),
        (110, 120, "day-flat"),
        (150, 215, "glare-plain"),
    ],
)
def test_light_and_contrast_make_a_word(low: int, high: int, words: str) -> None:
    assert condition(frame(low, high)) == words
