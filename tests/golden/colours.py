"""A network that knows road users by their colour: a real ONNX file, and exact.

Every value in it is a whole number or a few powers of two, so nothing is ever rounded, and colours lie far from
what tells them apart. So its boxes are the same to the last bit whatever processor and library compute it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from agent.detectors.card import hashed

FIELD_PX = 256
CELL_PX = 8
LABELS = ("car", "bicycle", "truck", "motorcycle", "person", "bus")
"""By colour: blue, green, cyan, red, magenta, yellow: the bits of 1 to 6 stand for blue, green and red."""
SURE, FAINT = 0.875, 0.3125
"""Scores of bright and of dull colours; what is larger is a little surer, so that no part of it wins."""
PER_AREA = 2.0**-20
"""So much surer for each pixel in the input."""
COLOURED, BRIGHT = 30, 110
"""Steps between a pixel's lowest and highest channel; the clips have about 0, 60 and 160."""
LEAST_PX = 6
"""What is narrower in the network's input is the rim of something, or noise."""


def write_model(folder: Path) -> Path:
    """The network and its card; returns the .onnx.

    From the middle of each cell it looks in four directions for where the colour changes. Whatever place of a
    rectangle it looks from, the four sides are the same.
    """
    places = (FIELD_PX // CELL_PX) ** 2
    nodes = [*_numbered(), *_sides("x", 3), *_sides("y", 2), *_rows()]
    ramp = np.arange(FIELD_PX, dtype=np.float32)
    constants = {
        **{f"int_{n}": np.array([n], np.int64) for n in (-1, 0, 1, 2, 3, CELL_PX // 2, CELL_PX)},
        "field": np.array([FIELD_PX], np.int64),
        "bits": np.array([1, 2, 4], np.float32).reshape(1, 3, 1, 1),
        "coloured": np.float32(COLOURED),
        "bright": np.float32(BRIGHT),
        "least": np.float32(LEAST_PX),
        "sure": np.float32(SURE),
        "faint": np.float32(FAINT),
        "per_area": np.float32(PER_AREA),
        "zero": np.float32(0),
        "one": np.float32(1),
        "two": np.float32(2),
        "side": np.float32(FIELD_PX),
        "at_x": ramp[1:].reshape(1, 1, 1, -1),
        "at_y": ramp[1:].reshape(1, 1, -1, 1),
        "from_end_x": (FIELD_PX - ramp[1:]).reshape(1, 1, 1, -1),
        "from_end_y": (FIELD_PX - ramp[1:]).reshape(1, 1, -1, 1),
        "shape": np.array([0, places, 1], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, FIELD_PX, FIELD_PX])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", places, 6])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    path = folder / "colours.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    card = {
        "name": "colours",
        "input": f"{{width_px: {FIELD_PX}, height_px: {FIELD_PX}}}",
        "resize": "letterbox_top_left",
        "channels": "bgr",
        "head": "{kind: end_to_end}",
        "labels": f"[{', '.join(LABELS)}]",
        "keep": f"[{', '.join(LABELS)}]",
        "min_score": 0.2,
        "nms_iou": 0.2,
        "licence": "Apache-2.0",
        "source": "made by the tests",
        "sha256": hashed(path),
    }
    lines = (f"{key}: {value}\n" for key, value in card.items())
    path.with_suffix(".yaml").write_text("".join(lines), encoding="utf-8")
    return path


def _numbered() -> list[onnx.NodeProto]:
    """Each pixel's number: 0 for grey, n + 1 for label n."""
    return [
        helper.make_node("ReduceMax", ["images", "int_1"], ["high"]),
        helper.make_node("ReduceMin", ["images", "int_1"], ["low"]),
        helper.make_node("Sub", ["high", "low"], ["colour"]),
        helper.make_node("Sub", ["images", "low"], ["above"]),
        helper.make_node("Mul", ["above", "two"], ["above_twice"]),
        helper.make_node("Greater", ["above_twice", "colour"], ["is_high"]),
        helper.make_node("Where", ["is_high", "bits", "zero"], ["high_bits"]),
        helper.make_node("ReduceSum", ["high_bits", "int_1"], ["which"]),
        helper.make_node("Greater", ["colour", "coloured"], ["is_coloured"]),
        helper.make_node("Where", ["is_coloured", "which", "zero"], ["number"]),
    ]


def _sides(name: str, axis: int) -> list[onnx.NodeProto]:
    """The last change of colour before the middle of each cell along an axis, and the first one after it.

    Changes lie between pixels: number n of the 255 is before pixel n + 1. A maximum over everything before
    finds the last one, and over everything after it, counted from the end, the first.
    """
    half, reach = CELL_PX // 2, FIELD_PX
    across = axis == 3

    def along(here: int, there: int) -> list[int]:
        """One value for this axis, the other for the other one, as ONNX wants them: rows first."""
        return [there, here] if across else [here, there]

    pool = {"kernel_shape": along(reach, 1), "strides": along(CELL_PX, 1)}
    return [
        helper.make_node(
            "Slice", ["number", f"int_{half}", "field", f"int_{5 - axis}", f"int_{CELL_PX}"], [f"lines_{name}"]
        ),
        helper.make_node("Slice", [f"lines_{name}", "int_1", "field", f"int_{axis}"], [f"right_{name}"]),
        helper.make_node("Slice", [f"lines_{name}", "int_0", "int_-1", f"int_{axis}"], [f"left_{name}"]),
        helper.make_node("Equal", [f"left_{name}", f"right_{name}"], [f"same_{name}"]),
        helper.make_node("Where", [f"same_{name}", "zero", f"at_{name}"], [f"changes_{name}"]),
        helper.make_node(
            "MaxPool",
            [f"changes_{name}"],
            [f"low_{name}"],
            pads=[*along(reach - half, 0), *along(0, 0)],
            **pool,
        ),
        helper.make_node("Where", [f"same_{name}", "zero", f"from_end_{name}"], [f"changes_back_{name}"]),
        helper.make_node(
            "Slice", [f"changes_back_{name}", f"int_{half}", "field", f"int_{axis}"], [f"ahead_{name}"]
        ),
        helper.make_node(
            "MaxPool",
            [f"ahead_{name}"],
            [f"rest_{name}"],
            pads=[*along(0, 0), *along(reach - half + 1, 0)],
            **pool,
        ),
        helper.make_node("Sub", ["side", f"rest_{name}"], [f"high_{name}"]),
    ]


def _rows() -> list[onnx.NodeProto]:
    """One row for each cell: four sides, score, label; no score where nothing is."""
    middles = [
        helper.make_node("Slice", ["lines_x", "int_4", "field", "int_3", "int_8"], ["here"]),
        helper.make_node("Slice", ["colour", "int_4", "field", "int_2", "int_8"], ["colour_rows"]),
        helper.make_node("Slice", ["colour_rows", "int_4", "field", "int_3", "int_8"], ["colour_here"]),
    ]
    scored = [
        helper.make_node("Greater", ["colour_here", "bright"], ["is_bright"]),
        helper.make_node("Where", ["is_bright", "sure", "faint"], ["how_sure"]),
        helper.make_node("Sub", ["high_x", "low_x"], ["width"]),
        helper.make_node("Sub", ["high_y", "low_y"], ["height"]),
        helper.make_node("Mul", ["width", "height"], ["area"]),
        helper.make_node("Mul", ["area", "per_area"], ["surer"]),
        helper.make_node("Add", ["how_sure", "surer"], ["score_if"]),
        helper.make_node("Min", ["width", "height"], ["narrow"]),
        helper.make_node("Less", ["narrow", "least"], ["too_narrow"]),
        helper.make_node("Equal", ["here", "zero"], ["grey"]),
        helper.make_node("Or", ["too_narrow", "grey"], ["nothing"]),
        helper.make_node("Where", ["nothing", "zero", "score_if"], ["score"]),
        helper.make_node("Sub", ["here", "one"], ["label"]),
    ]
    columns = ("low_x", "low_y", "high_x", "high_y", "score", "label")
    flat = [helper.make_node("Reshape", [name, "shape"], [f"{name}_flat"]) for name in columns]
    done = helper.make_node("Concat", [f"{name}_flat" for name in columns], ["output"], axis=2)
    return [*middles, *scored, *flat, done]
