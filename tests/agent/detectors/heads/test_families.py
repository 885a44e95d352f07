"""agent.detectors.heads: what an encoder of each family puts in, the head gets out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Size
from agent.detectors.heads.distribution import DistributionHead
from agent.detectors.heads.found import Ask, Floats, Outputs, RawDetections, logit
from agent.detectors.heads.ssd import SsdHead
from agent.detectors.heads.ultralytics import EndToEndHead, UltralyticsHead
from agent.detectors.heads.yolov3 import Yolov3Head
from agent.detectors.heads.yolox import YoloxHead
from agent.errors import ModelError

FIELD = Size(128, 96)
LABELS = 4
KEPT = np.array([1, 3])
ASK = Ask(FIELD, KEPT, np.array([0.25, 0.5], np.float32), LABELS)

boxes = st.builds(
    lambda x, y, w, h: np.array([x, y, x + w, y + h]),
    st.floats(0, 60),
    st.floats(0, 40),
    st.floats(4, 60),
    st.floats(4, 50),
)


def centre_and_size(box: Any) -> tuple[Any, Any]:
    return (box[:2] + box[2:]) / 2, box[2:] - box[:2]


def only(found: RawDetections, box: Any, label: int, score: float) -> None:
    assert found.labels.tolist() == [label]
    assert found.scores == pytest.approx([score], abs=1e-3)
    assert found.boxes[0] == pytest.approx(box, abs=0.05)


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
