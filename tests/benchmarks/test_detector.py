"""benchmarks.detector"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.errors import NgatuError
from benchmarks.detector import Tally, read_coco, sure_from


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


@pytest.mark.parametrize(
    ("instances", "named"),
    [
        (None, "instances.json: not there"),
        ("[]", "instances.json: not as COCO has it"),
        ('{"images": [], "annotations": [], "categories": []}', "instances.json: no pictures"),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}], '
            '"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}], '
            '"categories": [{"id": 1, "name": "car"}]}',
            r"images/a.jpg: not there \(1 are missing\)",
        ),
    ],
)
def test_what_a_folder_of_pictures_lacks_is_named(tmp_path: Path, instances: str | None, named: str) -> None:
    if instances is not None:
        (tmp_path / "instances.json").write_text(instances)

    with pytest.raises(NgatuError, match=named) as caught:
        read_coco(tmp_path)
    assert caught.value.hint
