"""Models in the shadow of the network of squares: the same one, and the same with what breaks on a box.

All find what the network of squares finds, so no set of pictures shows what is wrong with them: it shows where
they work. What is added to the graph hangs on its output and changes nothing of it, but for `nonsense`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from agent.detectors.card import hashed
from tests.support.squares import FIELD_PX, STRIDE_PX, write_model

Fault = Literal["none", "slow", "hangs", "nonsense", "blind", "ghosts", "broken"]
SIDE = 256
"""Of the matrices that a slow one multiplies: a few hundredths of a second for all of them."""
TURNS = 60
ENDLESS = 2**40


def write_shadow(folder: Path, fault: Fault = "none", name: str = "new-squares", turns: int = TURNS) -> Path:
    """A model and its card; returns the .onnx.

    slow: `turns` of idle work for each picture with something white in it, so not for the empty one of a check.
    hangs: the same without end. nonsense: no numbers where something is white. blind: finds nothing.
    ghosts: four cars in the corners of every picture. broken: no network at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = write_model(folder)
    model, card = onnx.load(plain), yaml.safe_load(plain.with_suffix(".yaml").read_text(encoding="utf-8"))
    for each in (plain, plain.with_suffix(".yaml")):
        each.unlink()
    path = folder / f"{name}.onnx"
    if fault == "broken":
        path.write_bytes(b"no network")
    else:
        _spoil(model.graph, fault, turns)
        # Another file even without a fault: a model is known by its bytes.
        model.doc_string = f"{name}: {fault}"
        onnx.save(model, path)
    card |= {"name": name, "sha256": hashed(path)}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def _spoil(graph: onnx.GraphProto, fault: Fault, turns: int) -> None:
    if fault in ("slow", "hangs"):
        _idle_work(graph, ENDLESS if fault == "hangs" else turns)
    elif fault == "nonsense":
        _rename_output(graph)
        _add(graph, {"bright": np.float32(0.5), "no_number": np.float32("nan")})
        graph.node.extend(
            [
                helper.make_node("ReduceMax", ["white"], ["whitest"], keepdims=0),
                helper.make_node("Greater", ["whitest", "bright"], ["shown"]),
                helper.make_node("Mul", ["right", "no_number"], ["wrong"]),
                helper.make_node("Where", ["shown", "wrong", "right"], ["output"]),
            ]
        )
    elif fault == "blind":
        _rename_output(graph)
        _add(graph, {"nothing": np.array([1, 1, 1, 1, 0, 1, 1], np.float32)})
        graph.node.append(helper.make_node("Mul", ["right", "nothing"], ["output"]))
    elif fault == "ghosts":
        _rename_output(graph)
        grid = FIELD_PX // STRIDE_PX
        seen = np.zeros((1, grid * grid, 7), np.float32)
        for row, column in ((2, 2), (2, grid - 3), (grid - 3, 2), (grid - 3, grid - 3)):
            seen[0, row * grid + column, 4] = 0.9
        _add(graph, {"ghosts": seen})
        graph.node.append(helper.make_node("Max", ["right", "ghosts"], ["output"]))


def _rename_output(graph: onnx.GraphProto) -> None:
    """What the network gave is `right` from now on."""
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name == "output":
                node.output[index] = "right"


def _add(graph: onnx.GraphProto, constants: dict[str, object]) -> None:
    known = {each.name for each in graph.initializer}
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in constants.items()
        if name not in known
    )


def _idle_work(graph: onnx.GraphProto, turns: int) -> None:
    """A loop over a matrix, as often as there is something white, times nothing, is added to the output."""
    _rename_output(graph)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["goes_on"], ["goes_on_then"]),
            helper.make_node("MatMul", ["matrix", "matrix_in"], ["product"]),
            helper.make_node("Clip", ["product", "low", "high"], ["matrix_out"]),
        ],
        "idle",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix_in", TensorProto.FLOAT, [SIDE, SIDE]),
        ],
        [
            helper.make_tensor_value_info("goes_on_then", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix_out", TensorProto.FLOAT, [SIDE, SIDE]),
        ],
    )
    chance = np.random.default_rng(3)
    _add(
        graph,
        {
            "turns": np.int64(turns),
            "bright": np.float32(0.5),
            "matrix": chance.random((SIDE, SIDE), np.float32) / SIDE,
            "low": np.float32(0),
            "high": np.float32(1),
        },
    )
    graph.node.extend(
        [
            helper.make_node("ReduceMax", ["white"], ["whitest"], keepdims=0),
            helper.make_node("Greater", ["whitest", "bright"], ["shown"]),
            helper.make_node("Loop", ["turns", "shown", "matrix"], ["worked"], body=body),
            helper.make_node("ReduceMax", ["worked"], ["most"], keepdims=0),
            helper.make_node("Mul", ["most", "zero"], ["nought"]),
            helper.make_node("Add", ["right", "nought"], ["output"]),
        ]
    )
