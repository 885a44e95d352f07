"""An ONNX file as our converters write it: a list of nodes and constants to bytes, the same ones each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from numpy.typing import NDArray

from agent.core.types import Size
from agent.errors import ModelError, how_to_install

OPSET = 13
"""New enough for every layer here, old enough for ONNX Runtime 1.20 and for TensorRT 8 on JetPack 5."""
IR_VERSION = 8
INPUT = "images"
Node = tuple[str, list[str], str, dict[str, Any]]
"""Operator, inputs, its one output, attributes."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network that takes pictures (batch, channels, height, width) of one size, any number at a time."""

    name: str
    size: Size
    channels: int
    nodes: Sequence[Node]
    constants: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, int]
    """How many axes each has, by name and in order."""


def serialised(network: Network) -> bytes:
    """The file's bytes.

    Raises:
        ModelError: the package onnx is not installed, or this is no network that can be.
    """
    onnx = imported_onnx()
    helper, float_ = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node(kind, inputs, [out], out, **more) for kind, inputs, out, more in network.nodes]
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in network.constants.items()]
    shape = ["batch", network.channels, network.size.height_px, network.size.width_px]
    entry = helper.make_tensor_value_info(INPUT, float_, shape)
    exits = [
        helper.make_tensor_value_info(name, float_, ["batch", *[None] * (axes - 1)])
        for name, axes in network.outputs.items()
    ]
    model = helper.make_model(
        helper.make_graph(nodes, network.name, [entry], exits, constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="ngatu",
    )
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"{network.name}: this gives a network that cannot be: {error}") from error
    return bytes(model.SerializeToString(deterministic=True))


def has_onnx() -> bool:
    """Whether the package onnx is installed."""
    return find_spec("onnx") is not None


def imported_onnx() -> Any:
    """The package onnx, which only those who convert need.

    Raises:
        ModelError: it is not installed.
    """
    try:
        import onnx  # noqa: PLC0415  a build-time package: a box that only runs has none
        import onnx.numpy_helper  # noqa: PLC0415
    except ImportError as error:
        raise ModelError("converting a model needs the package onnx", how_to_install("models")) from error
    return onnx
