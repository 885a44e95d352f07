"""models.convert.ncnn; what needs pnnx is tried where that is installed"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper, load_model_from_string, numpy_helper

from agent.detectors import load_detector
from agent.detectors.card import hashed
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.convert.ncnn import add_ncnn, without_focus
from tests.support.small_yolox import FIELD_PX, write_small_yolox

needs_pnnx = pytest.mark.skipif(find_spec("pnnx") is None, reason="needs pnnx: pip install --no-deps pnnx")


def focus(
    order: tuple[tuple[int, int], ...] = ((0, 0), (1, 0), (0, 1), (1, 1)),
    step: int = 2,
    size: tuple[int, int] = (8, 12),
) -> bytes:
    """A network of YOLOX's first layer alone: slices by rows, then by columns, joined in this order."""
    nodes, constants = [], {}
    for name, value in (("rows", 2), ("columns", 3), ("end", 2**31 - 1), ("step", step), ("0", 0), ("1", 1)):
        constants[name] = np.array([value], np.int64)
    for row, column in order:
        half, part = f"half{row}{column}", f"part{row}{column}"
        nodes.append(helper.make_node("Slice", ["images", str(row), "end", "rows", "step"], [half]))
        nodes.append(helper.make_node("Slice", [half, str(column), "end", "columns", "step"], [part]))
    parts = [f"part{row}{column}" for row, column in order]
    nodes.append(helper.make_node("Concat", parts, ["joined"], axis=1))
    nodes.append(helper.make_node("Relu", ["joined"], ["output"]))
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *size])
    leave = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "focus", [entry], [leave], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def run(model: bytes, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: picture})[0])


def kinds(model: bytes) -> list[str]:
    return [node.op_type for node in load_model_from_string(model).graph.node]


@pytest.mark.parametrize("order", [((0, 0), (1, 0), (0, 1), (1, 1)), ((1, 1), (0, 0), (1, 0), (0, 1))])
def test_slices_of_every_second_pixel_become_a_convolution_with_the_same_numbers(order: Any) -> None:
    before = focus(order)
    after = without_focus(before)
    assert kinds(after) == ["Conv", "Relu"]
    picture = np.random.default_rng(0).normal(size=(1, 3, 8, 12)).astype(np.float32)
    assert np.array_equal(run(before, picture), run(after, picture))


def test_other_slices_stay_as_they_are() -> None:
    before = focus(step=3)
    assert kinds(without_focus(before)) == kinds(before)


@needs_pnnx
def test_a_model_and_its_card_become_one_that_finds_the_same(tmp_path: Path) -> None:
    model = write_small_yolox(tmp_path)
    made = add_ncnn(model, tmp_path / "models")
    card = yaml.safe_load(made.with_suffix(".yaml").read_text())
    before = yaml.safe_load(model.with_suffix(".yaml").read_text())
    assert (made.name, card["name"]) == (f"{before['name']}-ncnn.ncnn", f"{before['name']}-ncnn")
    assert card["sha256"] == hashed(made)
    assert hashed(model) in card["source"]
    again = add_ncnn(model, tmp_path / "again")
    assert again.read_bytes() == made.read_bytes()

    least = dict.fromkeys(card["keep"], 0.0)
    ours = load_detector(DetectorSettings(model=str(made), backend="ncnn", min_score=least))
    theirs = load_detector(DetectorSettings(model=str(model), min_score=least))
    chance = np.random.default_rng(1)
    shown = [chance.integers(0, 256, (FIELD_PX, FIELD_PX, 3), np.uint8) for _ in range(10)]
    for mine, wanted in zip(ours.detect(shown), theirs.detect(shown), strict=True):
        assert len(mine) == len(wanted) > 0
        # By label, then by score: of two alike, the last bit says which is told first.
        alike, wished = (sorted((one.label, one.score) for one in found) for found in (mine, wanted))
        assert [label for label, _ in alike] == [label for label, _ in wished]
        assert [score for _, score in alike] == pytest.approx([score for _, score in wished], abs=1e-4)


@needs_pnnx
def test_what_ncnn_has_no_layer_for_is_refused_by_name_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "strange.onnx"
    path.write_bytes(focus(step=3, size=(32, 32)))
    content = {
        "name": "strange", "input": {"width_px": 32, "height_px": 32}, "resize": "stretch", "channels": "bgr",
        "head": {"kind": "yolox", "strides": [32]}, "labels": ["car"], "keep": ["car"], "licence": "ours",
        "source": "made in a test", "sha256": hashed(path),
    }  # fmt: skip
    path.with_suffix(".yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ModelError, match=r"strange: NCNN has no layer for Tensor\.slice"):
        add_ncnn(path, tmp_path / "models")
    assert not (tmp_path / "models").exists()
