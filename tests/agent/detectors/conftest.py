"""Small real networks, made here: what they find follows from the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

Writer = Callable[..., Path]


def save(path: Path, nodes: list[Any], entry: Any, exits: list[Any], constants: dict[str, Any]) -> None:
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "made", [entry], exits, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def with_card(path: Path, content: dict[str, Any]) -> Path:
    card = {"licence": "ours", "source": "made in a test", "sha256": sha256_of(path)} | content
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def cells(tmp_path: Path) -> Writer:
    """A YOLOX of cells of 32 pixels: a cell is an object as likely as its brightest channel is bright,
    the cell is its box, and each channel is a label: car, bus, truck, in the order of the input's channels.
    """

    def write(width: int = 128, height: int = 96, batch: int | str = "batch", **card: Any) -> Path:
        nodes = [
            helper.make_node("AveragePool", ["images"], ["mean"], kernel_shape=[32, 32], strides=[32, 32]),
            helper.make_node("Div", ["mean", "white"], ["labels"]),
            helper.make_node("ReduceMax", ["labels"], ["object"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["object", "zeros"], ["nothing"]),
            helper.make_node("Add", ["nothing", "middle"], ["box"]),
            helper.make_node("Concat", ["box", "object", "labels"], ["map"], axis=1),
            helper.make_node("Reshape", ["map", "flat"], ["rows"]),
            helper.make_node("Transpose", ["rows"], ["output"], perm=[0, 2, 1]),
        ]
        constants = {
            "white": np.float32(255),
            "zeros": np.zeros((1, 4, 1, 1), np.float32),
            "middle": np.array([0.5, 0.5, 0, 0], np.float32).reshape(1, 4, 1, 1),
            "flat": np.array([0, 8, -1], np.int64),
        }
        path = tmp_path / "cells.onnx"
        entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, height, width])
        save(
            path,
            nodes,
            entry,
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, None, 8])],
            constants,
        )
        content = {
            "name": "cells",
            "input": {"width_px": width, "height_px": height},
            "resize": "letterbox_top_left",
            "pad": 0,
            "channels": "bgr",
            "head": {"kind": "yolox", "strides": [32]},
            "labels": ["car", "bus", "truck"],
            "keep": ["car", "bus", "truck"],
            "min_score": 0.5,
        }
        return with_card(path, content | card)

    return write
