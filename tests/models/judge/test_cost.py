"""models.judge.cost"""

from __future__ import annotations

from pathlib import Path

from models.judge.cost import measure_cost
from tests.support.squares import picture, write_model


def test_both_models_are_timed_in_turn_on_the_same_pictures(tmp_path: Path) -> None:
    model = str(write_model(tmp_path))

    cost = measure_cost(model, model, [picture(()), picture((48,))], calls=6)

    assert min(cost.ms) > 0
    assert cost.ratio_range[0] <= cost.ratio <= cost.ratio_range[1]
    assert cost.size_bytes[0] == cost.size_bytes[1] == Path(model).stat().st_size
