"""agent.detectors.heads.ssd: what an encoder of the family puts in, the head gets out"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given

from agent.detectors.heads.found import Outputs
from agent.detectors.heads.ssd import SsdHead
from tests.agent.detectors.heads.encode import ASK, boxes, only


@given(boxes)
def test_ssd_after_suppression(box: Any) -> None:
    fractions = box[[1, 0, 3, 2]] / [96, 128, 96, 128]
    outputs: Outputs = {
        "detection_boxes": np.array([fractions] * 4, np.float32),
        "detection_classes": np.array([2, 3, 3, 1], np.float32),
        "detection_scores": np.array([0.9, 0.6, 0.3, 0.9], np.float32),
        "num_detections": np.array(3, np.float32),
    }

    only(SsdHead(kind="ssd").decode(outputs, ASK), box, 3, 0.6)


@given(boxes)
def test_ssd_before_suppression(box: Any) -> None:
    head = SsdHead(kind="ssd", boxes="b", scores="s", classes=None, count=None, order="xyxy", unit="pixel")
    outputs: Outputs = {
        "b": np.array([box, box], np.float32),
        "s": np.array([[0, 0.6, 0.9, 0], [0, 0.1, 0, 0.4]], np.float32),
    }

    only(head.decode(outputs, ASK), box, 1, 0.6)
