"""agent.detectors.heads.distribution: what an encoder of the family puts in, the head gets out"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detectors.heads.distribution import DistributionHead
from agent.detectors.heads.found import Floats
from tests.agent.detectors.heads.encode import ASK, LABELS, only


def spread(distance: float, bins: int) -> Floats:
    """Logits whose softmax has this mean: two neighbouring bins share it."""
    low = min(int(distance), bins - 2)
    weights = np.full(bins, 1e-9)
    weights[low], weights[low + 1] = max(1e-9, 1 - (distance - low)), max(1e-9, distance - low)
    return np.asarray(np.log(weights), np.float32)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("centre", [0.5, 0.0])
@given(st.floats(0, 7), st.floats(0, 7), st.floats(0, 7), st.floats(0, 7))
def test_picodet_and_nanodet(
    joined: bool, centre: float, left: float, top: float, right: float, bottom: float
) -> None:
    sides = (left, top, right, bottom)
    head = DistributionHead(kind="picodet", strides=(8, 64), centre=centre)
    levels = [16 * 12, 2 * 2]  # 96 / 64 rounds up
    scores = [np.zeros((n, LABELS), np.float32) for n in levels]
    distances = [np.zeros((n, 32), np.float32) for n in levels]
    scores[0][5 * 16 + 6, 3] = 0.9
    distances[0][5 * 16 + 6] = np.concatenate([spread(side, 8) for side in sides])
    x, y = (6 + centre) * 8, (5 + centre) * 8
    box = [x - sides[0] * 8, y - sides[1] * 8, x + sides[2] * 8, y + sides[3] * 8]
    arrays = [*scores, *distances]
    if joined:
        arrays = [np.concatenate([np.concatenate(scores), np.concatenate(distances)], axis=1)]

    only(head.decode({str(i): a for i, a in enumerate(arrays)}, ASK), box, 3, 0.9)
