"""agent.detectors.heads.yolox: what an encoder of the family puts in, the head gets out"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given

from agent.detectors.heads.found import Outputs
from agent.detectors.heads.yolox import YoloxHead
from tests.agent.detectors.heads.encode import ASK, LABELS, boxes, centre_and_size, only


def yolox(box: Any, label: int, score: float) -> Outputs:
    """One object at the cell of stride 8 that its centre lies in."""
    output = np.zeros((16 * 12 + 8 * 6 + 4 * 3, 5 + LABELS), np.float32)
    centre, size = centre_and_size(box)
    cell = np.floor(centre / 8)
    row = int(cell[1] * 16 + cell[0])
    output[row, :2], output[row, 2:4] = centre / 8 - cell, np.log(size / 8)
    output[row, 4], output[row, 5 + label] = 0.8, score / 0.8
    return {"output": output}


@given(boxes)
def test_yolox(box: Any) -> None:
    only(YoloxHead(kind="yolox").decode(yolox(box, 3, 0.7), ASK), box, 3, 0.7)


def test_yolox_counts_the_cells_of_all_strides_in_order() -> None:
    output = np.zeros((16 * 12 + 8 * 6 + 4 * 3, 5 + LABELS), np.float32)
    output[16 * 12 + 8 * 6 + 4 * 2 + 3] = [0.5, 0.5, 0, 0, 1, 0, 1, 0, 0]

    only(YoloxHead(kind="yolox").decode({"o": output}, ASK), [96, 64, 128, 96], 1, 1.0)
