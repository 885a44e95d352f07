"""How to train, and the rate at each step."""

from __future__ import annotations

import math
from dataclasses import dataclass

WARM_UP = 50
"""Steps in which the rate rises."""
LAST_RATE = 0.05
"""Of the first, at the end."""
LOOKS = 20
"""At the held-back pictures, over all steps."""
ROUNDS = 4
"""With pictures that nobody labelled: the mean of the first `FIRST_ROUNDS` labels them, the mean of the others,
which learn from that, is written."""
FIRST_ROUNDS = 2
STEPS = 1100
"""Of each round; with 800, and a round more, the mean saw less at night (decision 0054)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train; what it says is part of what a training is, and cannot change when it goes on."""

    steps: int = STEPS
    minutes: float | None = None
    """Instead of steps: as many as this machine makes in that time, by the pace of the first."""
    rate: float = 3e-4
    labelled: int = 5
    rehearsed: int = 3
    seed: int = 0


def rate_share(step: int, steps: int) -> float:
    """Share of the rate at this step: a rise over the warm-up, then a cosine down to `LAST_RATE`."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    done = min(1.0, (step - WARM_UP) / max(1, steps - WARM_UP))
    return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def steps_within(minutes: float, a_step_s: float, a_look_s: float) -> int:
    """How many steps a training makes in this time, with its looks at the held-back pictures."""
    left = minutes * 60 - LOOKS * a_look_s
    return max(WARM_UP, int(left / max(a_step_s, 1e-6)))
