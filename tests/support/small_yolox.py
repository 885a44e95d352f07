"""A YOLOX network of a few hundred weights, which learns to see in seconds; and its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from onnx import TensorProto, helper, numpy_helper, save

from agent.detectors.card import hashed

FIELD_PX = 64
LABELS = ("person", "car", "motorcycle")


def write_small_yolox(folder: Path, seed: int = 0) -> Path:
    """Strides 8 and 16; weights of chance, and scores that begin low. Returns the .onnx."""
    chance = np.random.default_rng(seed)
    nodes, constants = [], []

    def conv(source: str, name: str, shape: tuple[int, int], stride: int, bias: float = 0.0) -> str:
        size = 3 if stride > 1 else 1
        weight = chance.normal(0, (2 / (shape[0] * size * size)) ** 0.5, (shape[1], shape[0], size, size))
        weight = weight / 128 if source == "images" else weight
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"{name}.weight"))
        constants.append(numpy_helper.from_array(np.full(shape[1], bias, np.float32), f"{name}.bias"))
        nodes.append(
            helper.make_node("Conv", [source, f"{name}.weight", f"{name}.bias"], [name], name,
                             kernel_shape=[size] * 2, strides=[stride] * 2, pads=[size // 2] * 4)
        )  # fmt: skip
        return name

    def node(kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    first = node("Relu", [conv("images", "stem", (3, 8), 2)], "stem_relu")
    second = conv(first, "second", (8, 16), 2)
    gated = node("Mul", [second, node("Sigmoid", [second], "second_gate")], "second_silu")
    third = node("Relu", [conv(gated, "third", (16, 16), 2)], "third_relu")
    fourth = node("Relu", [conv(third, "fourth", (16, 16), 2)], "fourth_relu")
    levels = []
    for level, source in enumerate((third, fourth)):
        box = conv(source, f"box{level}", (16, 4), 1)
        thing = node("Sigmoid", [conv(source, f"object{level}", (16, 1), 1, -3.0)], f"object{level}_score")
        label = node(
            "Sigmoid", [conv(source, f"label{level}", (16, len(LABELS)), 1, -1.0)], f"label{level}_score"
        )
        joined = node("Concat", [box, thing, label], f"level{level}", axis=1)
        levels.append(node("Reshape", [joined, "flat"], f"flat{level}"))
    constants.append(numpy_helper.from_array(np.array([1, 5 + len(LABELS), -1], np.int64), "flat"))
    node("Transpose", [node("Concat", levels, "all", axis=2)], "output", perm=[0, 2, 1])
    places = (FIELD_PX // 8) ** 2 + (FIELD_PX // 16) ** 2
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, FIELD_PX, FIELD_PX])
    exits = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, places, 5 + len(LABELS)])]
    model = helper.make_model(
        helper.make_graph(nodes, "small", [entry], exits, constants),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.onnx"
    save(model, path)
    card = small_card() | {"sha256": hashed(path)}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def small_card() -> dict[str, object]:
    """Its card, without the hash of a file."""
    return {
        "name": "small",
        "input": {"width_px": FIELD_PX, "height_px": FIELD_PX},
        "resize": "letterbox_top_left",
        "channels": "bgr",
        "head": {"kind": "yolox", "strides": [8, 16]},
        "labels": list(LABELS),
        "keep": list(LABELS),
        "licence": "CC0-1.0",
        "source": "made by a test",
    }
