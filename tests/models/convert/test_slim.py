"""models.convert.slim"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from models.convert.slim import slimmed

LABELS, KEPT = 10, [0, 3, 2]
RNG = np.random.default_rng(8)
PICTURE = RNG.normal(0, 2, (1, 4, 8, 8)).astype(np.float32)


def constant(name: str, *shape: int) -> Any:
    return numpy_helper.from_array(RNG.normal(0, 0.5, shape).astype(np.float32), name)


def number(name: str, value: Any) -> Any:
    return numpy_helper.from_array(np.array(value, np.float32), name)


def file(nodes: list[Any], constants: list[Any], outputs: list[str]) -> bytes:
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 4, 8, 8])
    exits = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(nodes, "theirs", [entry], exits, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)
    return bytes(model.SerializeToString())


def hard_swish(source: str, name: str) -> list[Any]:
    return [
        helper.make_node("Add", [source, "three"], [f"{name}_add"]),
        helper.make_node("Clip", [f"{name}_add", "zero", "six"], [f"{name}_clip"]),
        helper.make_node("Mul", [source, f"{name}_clip"], [f"{name}_mul"]),
        helper.make_node("Div", [f"{name}_mul", "six"], [name]),
    ]


def distribution() -> bytes:
    """A level as PicoDet has it: hard-swish, and scores and sides out of one convolution."""
    shape = numpy_helper.from_array(np.array([1, LABELS, -1], np.int64), "shape")
    sides = numpy_helper.from_array(np.array([1, 8, -1], np.int64), "sides_shape")
    numbers = [number("three", 3), number("zero", 0), number("six", 6)]
    nodes = [
        helper.make_node("Conv", ["images", "k0", "b0"], ["conv_0"], kernel_shape=[1, 1]),
        *hard_swish("conv_0", "swish"),
        helper.make_node("Conv", ["swish", "k1", "b1"], ["conv_1"], kernel_shape=[1, 1]),
        helper.make_node("Split", ["conv_1"], ["left", "right"], axis=1, split=[LABELS, 8]),
        helper.make_node("Sigmoid", ["left"], ["likely"]),
        helper.make_node("Reshape", ["likely", "shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["scores"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["right", "sides_shape"], ["sides"]),
    ]
    weights = [constant("k0", 6, 4, 1, 1), constant("b0", 6)]
    weights += [constant("k1", LABELS + 8, 6, 1, 1), constant("b1", LABELS + 8)]
    return file(nodes, [*weights, *numbers, shape, sides], ["scores", "sides"])


def yolox() -> bytes:
    """A level as YOLOX has it: five numbers and the labels, from convolutions of their own."""
    shape = numpy_helper.from_array(np.array([1, 5 + LABELS, -1], np.int64), "shape")
    nodes = [
        helper.make_node("Conv", ["images", "k0", "b0"], ["labels"], kernel_shape=[1, 1]),
        helper.make_node("Conv", ["images", "k1", "b1"], ["place"], kernel_shape=[1, 1]),
        helper.make_node("Sigmoid", ["labels"], ["likely"]),
        helper.make_node("Concat", ["place", "likely"], ["all"], axis=1),
        helper.make_node("Reshape", ["all", "shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["output"], perm=[0, 2, 1]),
    ]
    weights = [constant("k0", LABELS, 4, 1, 1), constant("b0", LABELS)]
    return file(nodes, [*weights, constant("k1", 5, 4, 1, 1), constant("b1", 5), shape], ["output"])


def run(model: bytes) -> list[Any]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    given: list[Any] = session.run(None, {"images": PICTURE})
    return given


def kinds(model: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_model_from_string(model).graph.node]


def test_scores_of_the_kept_labels_and_all_sides_are_the_same_to_four_digits() -> None:
    theirs = distribution()

    ours = slimmed(theirs, LABELS, KEPT)

    assert ours is not None
    (scores, sides), (ours_scores, ours_sides) = run(theirs), run(ours)
    assert ours_scores.shape == (1, 64, 3)
    assert np.abs(scores[..., KEPT] - ours_scores).max() < 1e-4
    assert np.abs(sides - ours_sides).max() < 1e-4
    assert len(ours) < len(theirs)


def test_hard_swish_is_two_nodes_instead_of_four() -> None:
    ours = slimmed(distribution(), LABELS, KEPT)

    assert ours is not None
    assert kinds(ours)[:3] == ["Conv", "HardSigmoid", "Mul"]
    assert not {"Clip", "Div", "Add"} & set(kinds(ours))


def test_a_place_keeps_its_five_numbers_before_the_labels() -> None:
    theirs = yolox()

    ours = slimmed(theirs, LABELS, KEPT)

    assert ours is not None
    [before], [after] = run(theirs), run(ours)
    assert after.shape == (1, 64, 5 + 3)
    assert np.abs(before[..., [0, 1, 2, 3, 4, *(5 + label for label in KEPT)]] - after).max() < 1e-4


def test_the_same_file_gives_the_same_bytes() -> None:
    theirs = distribution()

    assert slimmed(theirs, LABELS, KEPT) == slimmed(theirs, LABELS, KEPT)


def test_a_network_of_other_labels_is_left_alone() -> None:
    assert slimmed(yolox(), 80, KEPT) is None
