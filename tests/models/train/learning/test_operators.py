"""models.train.learning.operators"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch

from models.train.learning.operators import OPERATORS, NotSupported

PICTURE = np.random.default_rng(1).normal(0, 1, (1, 4, 9, 12)).astype(np.float32)
KERNEL = np.random.default_rng(2).normal(0, 1, (6, 2, 3, 3)).astype(np.float32)
BIAS = np.random.default_rng(3).normal(0, 1, (6,)).astype(np.float32)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def by_onnx_runtime(kind: str, inputs: list[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    types = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
    names = [f"i{place}" if len(one) or one.ndim > 1 else "" for place, one in enumerate(inputs)]
    entries = [
        helper.make_tensor_value_info(name, types[str(one.dtype)], one.shape)
        for name, one in zip(names, inputs, strict=True)
        if name
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["o"], **attributes)],
        "one",
        entries,
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = {name: one for name, one in zip(names, inputs, strict=True) if name}
    return np.asarray(session.run(None, given)[0])


def by_ours(kind: str, inputs: list[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    tensors = [torch.from_numpy(one) if len(one) or one.ndim > 1 else None for one in inputs]
    words = {name: value.encode() if isinstance(value, str) else value for name, value in attributes.items()}
    return np.asarray(OPERATORS[kind](tensors, words).numpy())


NONE = np.zeros(0, np.float32)
CASES: list[tuple[str, list[np.ndarray], dict[str, Any]]] = [
    ("Add", [PICTURE, PICTURE], {}),
    ("Sub", [PICTURE, PICTURE * 2], {}),
    ("Mul", [PICTURE, PICTURE], {}),
    ("Div", [PICTURE, PICTURE], {}),
    ("Concat", [PICTURE, PICTURE], {"axis": 1}),
    ("Conv", [PICTURE, KERNEL, BIAS], {"group": 2, "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
    ("Conv", [PICTURE, KERNEL, BIAS], {"group": 2, "pads": [0, 1, 2, 1], "strides": [2, 2]}),
    ("Conv", [PICTURE, KERNEL], {"group": 2, "dilations": [2, 2], "kernel_shape": [3, 3]}),
    ("MaxPool", [PICTURE], {"kernel_shape": [5, 5], "pads": [2, 2, 2, 2]}),
    ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", [PICTURE], {"kernel_shape": [3, 3], "pads": [0, 0, 2, 1]}),
    ("Relu", [PICTURE], {}),
    ("LeakyRelu", [PICTURE], {"alpha": 0.1}),
    ("HardSigmoid", [PICTURE], {"alpha": 0.25}),
    ("Sigmoid", [PICTURE], {}),
    ("Identity", [PICTURE], {}),
    ("Reshape", [PICTURE, whole(1, 0, -1)], {}),
    ("Transpose", [PICTURE], {"perm": [0, 2, 3, 1]}),
    ("Slice", [PICTURE, whole(1, 2), whole(9, 9), whole(2, 3), whole(2, 2)], {}),
    ("Slice", [PICTURE, whole(0), whole(1)], {}),
    ("Clip", [PICTURE, np.array(-0.5, np.float32).reshape(()), np.array(0.5, np.float32).reshape(())], {}),
    (
        "Resize",
        [PICTURE, NONE, np.array([1, 1, 2, 2], np.float32)],
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "inputs", "attributes"), [case for case in CASES if case[0] != "Clip"])
def test_it_gives_what_onnx_runtime_gives(
    kind: str, inputs: list[np.ndarray], attributes: dict[str, Any]
) -> None:
    assert by_ours(kind, inputs, attributes) == pytest.approx(
        by_onnx_runtime(kind, inputs, attributes), abs=1e-4
    )


def test_numbers_are_clipped() -> None:
    clipped = OPERATORS["Clip"]([torch.tensor([-2.0, 0.1, 3.0]), torch.tensor(-1.0), torch.tensor(1.0)], {})

    assert clipped.tolist() == pytest.approx([-1.0, 0.1, 1.0])


def test_a_sigmoid_and_its_product_are_one_step() -> None:
    picture = torch.from_numpy(PICTURE)

    assert torch.allclose(OPERATORS["Silu"]([picture], {}), picture * picture.sigmoid(), atol=1e-6)
    assert torch.allclose(
        OPERATORS["HardSwish"]([picture], {}), picture * (picture / 6 + 0.5).clamp(0, 1), atol=1e-6
    )


def test_a_file_for_one_picture_reshapes_several() -> None:
    three = torch.zeros(3, 4, 2, 2)

    assert OPERATORS["Reshape"]([three, torch.tensor([1, 4, -1])], {}).shape == (3, 4, 4)


@pytest.mark.parametrize(
    ("kind", "inputs", "attributes", "what"),
    [
        ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "dilations": [2, 2]}, "MaxPool with dilations"),
        ("Conv", [PICTURE, KERNEL], {"auto_pad": "SAME_UPPER"}, "auto_pad SAME_UPPER"),
        ("Resize", [PICTURE, NONE, np.array([1, 1, 2, 2], np.float32)], {"mode": "linear"}, "Resize"),
        ("Slice", [PICTURE, whole(9), whole(0), whole(2), whole(-1)], {}, "Slice backwards"),
        ("Reshape", [PICTURE, whole(1, -1)], {"allowzero": 1}, "allowzero"),
    ],
)
def test_what_is_not_written_here_is_told(
    kind: str, inputs: list[np.ndarray], attributes: dict[str, Any], what: str
) -> None:
    with pytest.raises(NotSupported, match=what):
        by_ours(kind, inputs, attributes)
