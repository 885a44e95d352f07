"""models.export"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from agent.detectors import load_detector
from agent.detectors.card import parse_card
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.export import card_of, export

HAS_ULTRALYTICS = importlib.util.find_spec("ultralytics") is not None
METADATA = {
    "description": "Ultralytics YOLO11n model",
    "version": "8.4.190",
    "stride": "32",
    "task": "detect",
    "batch": "1",
    "imgsz": "[64, 96]",
    "names": "{0: 'person', 1: 'xe máy', 2: 'car'}",
    "end2end": "False",
}


def exported(path: Path, shape: tuple[int, ...] = (1, 7, 126), changes: dict[str, str] | None = None) -> Path:
    """A network with the input, the output and the metadata of an Ultralytics export."""
    output = np.zeros(shape, np.float32)
    if shape == (1, 7, 126):
        output[0, :, 5] = [48, 32, 48, 32, 0.1, 0.2, 0.8]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "found"], ["output0"]),
    ]
    constants = [
        numpy_helper.from_array(np.zeros((), np.float32), "zero"), numpy_helper.from_array(output, "found"),
    ]  # fmt: skip
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 96])
    exits = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, shape)]
    model = helper.make_model(
        helper.make_graph(nodes, "main_graph", [entry], exits, constants),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    helper.set_model_props(model, METADATA | (changes or {}))
    path.write_bytes(model.SerializeToString())
    return path


def test_the_card_says_what_the_metadata_says(tmp_path: Path) -> None:
    content = card_of(exported(tmp_path / "m.onnx"), "mine-96", "runs/mine.pt", "ours")

    card = parse_card(content, tmp_path / "m.yaml")
    assert card.labels == ("person", "xe máy", "car")
    assert card.keep == ("person", "car")
    assert (card.field.width_px, card.field.height_px) == (96, 64)
    assert card.head.kind == "ultralytics"
    assert card.source == "exported from mine.pt by Ultralytics 8.4.190"


def test_own_labels_are_all_kept_and_an_end_to_end_network_is_seen(tmp_path: Path) -> None:
    path = exported(tmp_path / "m.onnx", (1, 300, 6), {"names": "{0: 'xe máy', 1: 'xích lô'}"})

    content = card_of(path, "m", "m.pt", "ours")

    assert content["keep"] == ["xe máy", "xích lô"]
    assert content["head"] == {"kind": "end_to_end"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"task": "segment"}, "its task is segment"), ({"names": "{0: open('x')}"}, "no network that")],
)
def test_what_is_no_detector_is_told(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        card_of(exported(tmp_path / "m.onnx", changes=changes), "m", "m.pt", "ours")


def test_a_file_of_another_maker_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"nothing")

    with pytest.raises(ModelError, match="no network that Ultralytics exported"):
        card_of(tmp_path / "m.onnx", "m", "m.pt", "ours")


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such checkpoint"):
        export(str(tmp_path / "best.pt"), 320, tmp_path)


@pytest.mark.skipif(HAS_ULTRALYTICS, reason="Ultralytics is installed")
def test_without_ultralytics_the_extra_is_named_with_its_licence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not installed") as caught:
        export("yolo11n.yaml", 320, tmp_path)
    assert caught.value.hint == f"{sys.executable} -m pip install 'ngatu[export]' (AGPL-3.0)"


@pytest.mark.skipif(
    not HAS_ULTRALYTICS, reason="Ultralytics (AGPL-3.0) is not here: pip install -e '.[export]'"
)
def test_a_real_network_is_exported_and_loaded(tmp_path: Path) -> None:
    path = export("yolo11n.yaml", 320, tmp_path)

    detector = load_detector(DetectorSettings(model=str(path)))
    assert detector.name == "yolo11n-320"
    assert len(detector.labels) == 80
    assert len(detector.detect([np.zeros((240, 320, 3), np.uint8)])) == 1
