"""models.convert.ranges"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.detectors.card import Card
from agent.errors import ModelError
from models.convert.quantise import tensors
from models.convert.ranges import main, measured

from .small_net import small


def card() -> Card:
    return Card.model_validate(
        {
            "name": "small", "input": {"width_px": 32, "height_px": 32}, "resize": "stretch", "channels": "rgb",
            "scale": 1 / 255, "head": {"kind": "ultralytics"}, "licence": "ours", "source": "ours",
        }
    )  # fmt: skip


def test_the_least_and_the_greatest_value_of_each_tensor_over_all_pictures() -> None:
    dark, light = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)

    both = measured(small(), card(), [dark, light])
    alone = measured(small(), card(), [light])

    assert list(both) == tensors(small())
    assert both["images"] == (0.0, 1.0)
    assert all(both[name][0] <= low and high <= both[name][1] for name, (low, high) in alone.items())
    assert both["leaky_0"][1] == pytest.approx(max(0.0, both["conv_0"][1]), rel=1e-3)


def test_a_model_that_is_no_package_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="only what lies in a package"):
        main("yolox-nano-416", [tmp_path])
