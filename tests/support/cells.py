"""One small network twice, for ONNX Runtime and for NCNN: each cell of a grid is as surely a car as it is red.

Both were written by hand, so neither needs a program that converts networks.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

WIDE, HIGH, CELL = 128, 96, 32
PLACES = (WIDE // CELL) * (HIGH // CELL)
WEIGHTS = np.zeros((8, 3), np.float32)
WEIGHTS[5:] = np.eye(3, dtype=np.float32) / 255
BIAS = np.array([0.5, 0.5, 0, 0, 1, 0, 0, 0], np.float32)
"""Each cell is its own box, surely something, and of the three labels as likely as its channels are bright."""
PARAM = f"""7767517
5 5
Input in0 0 1 in0
Pooling mean 1 1 in0 mean 0=1 1={CELL} 2={CELL}
Convolution map 1 1 mean map 0=8 1=1 5=1 6={WEIGHTS.size}
Reshape rows 1 1 map rows 0={PLACES} 1=8
Permute output 1 1 rows out0 0=1
"""
BIN = struct.pack("<I", 0) + WEIGHTS.tobytes() + BIAS.tobytes()
SURE = {"car": 0.6, "bus": 0.99, "truck": 0.99}
"""Least scores by which it sees bright squares (squares.py) as cars, and nothing else."""
CARD: dict[str, Any] = {
    "name": "cells", "input": {"width_px": WIDE, "height_px": HIGH}, "resize": "letterbox_top_left",
    "channels": "rgb", "head": {"kind": "yolox", "strides": [CELL]}, "labels": ["car", "bus", "truck"],
    "keep": ["car", "bus", "truck"], "licence": "ours", "source": "made in a test",
}  # fmt: skip


def carded(path: Path, **changes: Any) -> Path:
    """Write the card of a model beside it."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".yaml").write_text(yaml.safe_dump(CARD | {"sha256": sha256} | changes))
    return path


def write_ncnn(folder: Path, members: Mapping[str, bytes] | None = None, **card: Any) -> Path:
    """cells.ncnn with its card; `members` in place of the network's two files."""
    path = folder / "cells.ncnn"
    with ZipFile(path, "w") as archive:
        for name, data in ({"param": PARAM.encode(), "bin": BIN} if members is None else members).items():
            archive.writestr(name, data)
    return carded(path, **card)


def write_onnx(folder: Path, name: str = "twin", **card: Any) -> Path:
    """The same network as an .onnx file with its card."""
    nodes = [
        helper.make_node("AveragePool", ["images"], ["mean"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        helper.make_node("Conv", ["mean", "weights", "bias"], ["map"], kernel_shape=[1, 1]),
        helper.make_node("Reshape", ["map", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["output"], perm=[0, 2, 1]),
    ]
    constants = {"weights": WEIGHTS.reshape(8, 3, 1, 1), "bias": BIAS, "flat": np.array([0, 8, -1], np.int64)}
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, HIGH, WIDE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), word) for word, value in constants.items()],
    )
    path = folder / f"{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return carded(path, **card)
