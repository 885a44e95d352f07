"""agent.detectors.heads.yolov3: what an encoder of the family puts in, the head gets out"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.detectors.heads.found import logit
from agent.detectors.heads.yolov3 import Yolov3Head
from tests.agent.detectors.heads.encode import ASK, LABELS, boxes, centre_and_size, only

ANCHORS = (((20, 30), (60, 60)), ((8, 8), (12, 20)))


@given(boxes, st.integers(0, 1), st.integers(0, 1))
def test_yolov3(box: Any, scale: int, anchor: int) -> None:
    head = Yolov3Head(kind="yolov3", anchors=ANCHORS)
    stride = 32 if scale == 0 else 16
    outputs = {str(s): np.full((2 * (5 + LABELS), 96 // s, 128 // s), -20, np.float32) for s in (32, 16)}
    centre, size = centre_and_size(box)
    cell = np.floor(centre / stride).astype(int)
    part = centre / stride - cell
    values = [logit(part[0]), logit(part[1]), *np.log(size / ANCHORS[scale][anchor])]
    values += [logit(0.8), -20, logit(0.75), -20, -20]
    first = anchor * (5 + LABELS)
    outputs[str(stride)][first : first + 5 + LABELS, cell[1], cell[0]] = values

    only(head.decode(outputs, ASK), box, 1, 0.6)
