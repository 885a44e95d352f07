"""agent.detectors.heads: what all families have in common"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.detectors.heads.distribution import DistributionHead
from agent.detectors.heads.found import Outputs
from agent.detectors.heads.ssd import SsdHead
from agent.detectors.heads.ultralytics import EndToEndHead, UltralyticsHead
from agent.detectors.heads.yolov3 import Yolov3Head
from agent.detectors.heads.yolox import YoloxHead
from agent.errors import ModelError
from tests.agent.detectors.heads.encode import ASK

ANCHORS = (((20, 30), (60, 60)), ((8, 8), (12, 20)))


@pytest.mark.parametrize(
    "head",
    [
        YoloxHead(kind="yolox"),
        Yolov3Head(kind="yolov3", anchors=ANCHORS),
        UltralyticsHead(kind="ultralytics"),
        EndToEndHead(kind="end_to_end"),
        DistributionHead(kind="picodet"),
        SsdHead(kind="ssd"),
    ],
)
@pytest.mark.parametrize("shape", [(3, 7), (2,), (4, 3, 2), (252, 8)])
def test_outputs_of_another_family_are_told(head: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=f"do not fit the head {head.kind}"):
        head.decode({"out": np.zeros(shape, np.float32)}, ASK)


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        (YoloxHead(kind="yolox"), {"o": np.zeros((252, 9), np.float32)}),
        (UltralyticsHead(kind="ultralytics"), {"o": np.zeros((8, 50), np.float32)}),
        (EndToEndHead(kind="end_to_end"), {"o": np.zeros((9, 6), np.float32)}),
        (
            Yolov3Head(kind="yolov3", anchors=ANCHORS),
            {"a": np.full((18, 3, 4), -20, np.float32), "b": np.full((18, 6, 8), -20, np.float32)},
        ),
    ],
)
def test_nothing_in_the_picture_gives_no_boxes(head: Any, outputs: Outputs) -> None:
    found = head.decode(outputs, ASK)

    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.labels.shape == (0,)
