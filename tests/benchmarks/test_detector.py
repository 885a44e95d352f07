"""benchmarks.detector"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.errors import NgatuError
from benchmarks.detector import main, sure_from
from models.judge.measure.figures import plain_outcome


@pytest.mark.parametrize("bar", [0.3, 0.43, 0.6])
def test_the_score_at_which_three_of_four_are_right_is_found(bar: float) -> None:
    """Boxes that are right with the chance that a network with this bar has at each score."""
    chance = np.random.default_rng(1)
    scores = chance.uniform(0.05, 0.95, 20_000)
    odds = np.log(scores / (1 - scores)) - np.log(bar / (1 - bar)) + np.log(3)
    hits = chance.uniform(size=scores.size) < 1 / (1 + np.exp(-odds))
    half = scores.size // 2

    scored = [
        plain_outcome(scores[:half], hits[:half], 9),
        plain_outcome(scores[half:], hits[half:], 9),
    ]

    assert sure_from(scored) == pytest.approx(bar, abs=0.02)


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('{"images": [], "categories": [{"id": 1, "name": "car"}]}')

    with pytest.raises(NgatuError, match="no pictures"):
        main([tmp_path, tmp_path / "a.onnx"])
