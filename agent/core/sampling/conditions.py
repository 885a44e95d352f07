"""In what light and haze a frame was taken, coarsely: enough to see that it is a rare one. Pure."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from agent.core.types import Frame

STEP_PX = 16
"""Every sixteenth pixel each way: 3,600 of a view of 1280 x 720."""
LIGHT = 45.0, 90.0, 140.0
"""Mean brightness (0..255): night, dusk or lamps, day, glare."""
CONTRAST = 22.0, 45.0
"""Standard deviation of the brightness: fog and rain, usual, hard shadows and lamps."""
LIGHT_WORDS = "night", "dusk", "day", "glare"
CONTRAST_WORDS = "flat", "plain", "hard"


def condition(frame: Frame) -> str:
    """One of twelve words such as `night-hard`."""
    some = frame.luma[::STEP_PX, ::STEP_PX]
    light, contrast = float(np.mean(some)), float(np.std(some))
    return f"{LIGHT_WORDS[bisect_right(LIGHT, light)]}-{CONTRAST_WORDS[bisect_right(CONTRAST, contrast)]}"
