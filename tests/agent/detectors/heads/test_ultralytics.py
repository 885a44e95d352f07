"""agent.detectors.heads.ultralytics: what an encoder of the family puts in, the head gets out"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given

from agent.detectors.heads.ultralytics import EndToEndHead, UltralyticsHead
from tests.agent.detectors.heads.encode import ASK, LABELS, boxes, centre_and_size, only


@given(boxes)
def test_ultralytics(box: Any) -> None:
    output = np.zeros((4 + LABELS, 50), np.float32)
    centre, size = centre_and_size(box)
    output[:, 17] = [*centre, *size, 0, 0.7, 0, 0.1]

    only(UltralyticsHead(kind="ultralytics").decode({"output0": output}, ASK), box, 1, 0.7)


@given(boxes)
def test_end_to_end(box: Any) -> None:
    output = np.zeros((5, 6), np.float32)
    output[0] = [*box, 0.7, 3]
    output[1] = [*box, 0.9, 2]  # not wanted
    output[2] = [*box, 0.4, 3]  # not likely enough for this label

    only(EndToEndHead(kind="end_to_end").decode({"output0": output}, ASK), box, 3, 0.7)
