"""benchmarks.detector"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.detector import Tally, sure_from


@pytest.mark.parametrize("bar", [0.3, 0.43, 0.6])
def test_the_score_at_which_three_of_four_are_right_is_found(bar: float) -> None:
    """Boxes that are right with the chance that a network with this bar has at each score."""
    chance = np.random.default_rng(1)
    scores = chance.uniform(0.05, 0.95, 20_000)
    odds = np.log(scores / (1 - scores)) - np.log(bar / (1 - bar)) + np.log(3)
    hits = chance.uniform(size=scores.size) < 1 / (1 + np.exp(-odds))
    half = scores.size // 2

    scored = [
        Tally(9, scores[:half].tolist(), hits[:half].tolist()),
        Tally(9, scores[half:].tolist(), hits[half:].tolist()),
    ]

    assert sure_from(scored) == pytest.approx(bar, abs=0.02)
