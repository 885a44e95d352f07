"""agent.detectors"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from onnx import TensorProto, helper

from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings

from .conftest import save, with_card

ROOT = Path(__file__).resolve().parents[3]


def test_importing_the_door_does_not_load_onnx_runtime() -> None:
    code = "import sys, agent.detectors, agent.detectors.settings; sys.exit('onnxruntime' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_network_in_the_form_of_tensorflows_export_works(tmp_path: Path) -> None:
    """Bytes in, axes last, boxes as top, left, bottom, right, and COCO's ids with their gaps."""
    path = tmp_path / "ssd.onnx"
    names = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
    boxes = np.array([[[0.1, 0.2, 0.5, 0.6], [0.1, 0.7, 0.5, 0.8], [0, 0, 1, 1]]], np.float32)
    constants = {
        "b": boxes,
        "c": np.array([[3, 1, 8]], np.float32),
        "n": np.array([2], np.float32),
        "white": np.array([255, 510, 255], np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["float"], ["brightest"], axes=[1, 2], keepdims=0),
        helper.make_node("Div", ["brightest", "white"], ["detection_scores"]),
        helper.make_node("Identity", ["b"], ["detection_boxes"]),
        helper.make_node("Identity", ["c"], ["detection_classes"]),
        helper.make_node("Identity", ["n"], ["num_detections"]),
    ]
    exits = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    entry = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "height", "width", 3])
    save(path, nodes, entry, exits, constants)
    card = {
        "name": "ssd",
        "input": {"width_px": 300, "height_px": 300},
        "layout": "nhwc",
        "resize": "stretch",
        "channels": "rgb",
        "head": {"kind": "ssd"},
        "labels": "coco91",
    }

    detector = load_detector(DetectorSettings(model=str(with_card(path, card))))

    (found,) = detector.detect([np.full((200, 400, 3), 204, np.uint8)])
    assert [(one.label, round(one.score, 3)) for one in found] == [("car", 0.8), ("person", 0.4)]
    box = found[0].box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.2, 0.1, 0.6, 0.5), abs=1e-4)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("detector_benchmark", ROOT / "benchmarks/detector.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
@pytest.mark.footage
@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("yolox_nano_416", {"person": 64, "car": 55, "motorcycle": 55, "bus": 91}),
        ("picodet_s_320", {"person": 61, "car": 54, "motorcycle": 44, "bus": 96}),
    ],
)
def test_the_published_precision_is_reached(
    shared_data: Path, benchmark: ModuleType, model: str, published: dict[str, int]
) -> None:
    """Proves what goes in and what comes out: a wrong colour order alone costs ten points."""
    truths = benchmark.read_coco(shared_data / "detection")

    reached = benchmark.accuracy(str(shared_data / f"models/{model}.onnx"), truths)

    for label, points in published.items():
        assert abs(100 * reached[label] - points) <= 2, (label, reached)
