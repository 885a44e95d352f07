"""From a TensorFlow.js graph model to ONNX, for NanoDet-g as it is published (github.com/RangiLyu/nanodet).

The format is TensorFlow.js' (github.com/tensorflow/tfjs: tfjs-core/src/io/types.ts, and io_utils.ts for the
numbers): a .json with TensorFlow's nodes and a list of weights, and a .bin with their bytes. That graph came
from PyTorch by way of ONNX, so it is laid out in NCHW, and turned to NHWC and back around each convolution.
Here the turns fall away, and what stands around a convolution (its padding, its bias) goes into it. The last
convolution of each level gives scores and distances at once; it becomes two, and the scores are those of the
wanted labels alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Size
from agent.errors import ModelError
from models.convert.onnx_file import INPUT, Network, Node

_TURNS = ([0, 2, 3, 1], [0, 3, 1, 2])
"""NCHW to NHWC, and back."""
Pads = tuple[int, int, int, int]
"""Top, left, bottom, right, as ONNX has it."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    """What a node of TensorFlow's gives, as our graph has it."""

    name: str
    width: int
    """Columns, for a picture of the file's own width; 0 where it has none any more."""
    pads: Pads = (0, 0, 0, 0)
    """Zeros around it that the next layer adds."""


def convert(topology: str, weights: bytes, size: Size, kept: Sequence[int]) -> Network:
    """The network for pictures of this size, with these labels (indices), in this order.

    `size` is a multiple of 32 and need not be the one in the file: the network has no dense layer.

    Raises:
        ModelError: this is no such file, it has a node that this converter does not know, or the weights do
            not fit.
    """
    try:
        content = json.loads(topology)
        graph = _TfjsGraph(
            {node["name"]: node for node in content["modelTopology"]["node"]},
            _weights(content["weightsManifest"], weights),
            size,
            kept,
        )
        outputs = content["signature"]["outputs"]
        # Scores of all levels, then distances of all, as the first converter numbered them.
        for name in sorted(each.partition(":")[0] for each in outputs):
            graph.exit(name)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelError(f"this is no graph model that this converter can read: {error!r}") from error
    return Network("tfjs", size, 3, graph.nodes, graph.constants, dict.fromkeys(graph.outputs, 3))


def _weights(manifest: Sequence[dict[str, Any]], data: bytes) -> dict[str, NDArray[Any]]:
    """Every constant by its name; half floats become whole ones, which is exact."""
    found: dict[str, NDArray[Any]] = {}
    place = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        kind = entry.get("quantization", entry)["dtype"]
        if kind not in ("float16", "float32", "int32"):
            raise ModelError(f"{entry['name']}: this converter knows no numbers of kind {kind}")
        numbers = np.frombuffer(data, np.dtype(kind).newbyteorder("<"), prod(entry["shape"]), place)
        place += numbers.nbytes
        whole = np.int64 if kind == "int32" else np.float32
        found[entry["name"]] = numbers.astype(whole).reshape(entry["shape"])
    if place != len(data):
        raise ModelError(f"the weights have {len(data)} bytes, and the list of them {place}")
    return found


@dataclass(slots=True)
class _TfjsGraph:
    """TensorFlow's nodes, and the ONNX graph that grows from what its outputs need."""

    theirs: dict[str, dict[str, Any]]
    weights: dict[str, NDArray[Any]]
    size: Size
    kept: Sequence[int]
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    _known: dict[str, _Tensor] = field(default_factory=dict)

    def exit(self, name: str) -> None:
        """What this node of TensorFlow's gives is an output."""
        source = self.tensor(self.inputs(name)[0]).name
        output = f"output_{len(self.outputs)}"
        self.nodes.append(("Identity", [source], output, {}))
        self.outputs.append(output)

    def inputs(self, name: str) -> list[str]:
        """The names of a node's inputs."""
        return list(self.theirs[name]["input"])

    def attribute(self, name: str, which: str) -> Any:
        """An attribute's value: a number, a list of numbers, a text in base64."""
        value: Any = next(iter(self.theirs[name]["attr"][which].values()))
        return [int(each) for each in value["i"]] if isinstance(value, dict) and "i" in value else value

    def constant(self, name: str) -> NDArray[Any]:
        """A constant of TensorFlow's."""
        return self.weights[name]

    def tensor(self, name: str) -> _Tensor:
        """What this node (or NODE:OUTPUT) gives; its part of the graph grows when it is first asked for."""
        if name not in self._known:
            kind = self.theirs[name.partition(":")[0]]["op"]
            if kind not in _NODES:
                raise ModelError(f"{name}: this converter knows no {kind}, only {', '.join(_NODES)}")
            self._known[name] = _NODES[kind](self, name)
        return self._known[name]

    def plain(self, name: str) -> _Tensor:
        """The same, of which nothing is left to add around it."""
        tensor = self.tensor(name)
        if any(tensor.pads):
            raise ModelError(f"{name}: this converter knows padding before convolutions and pools alone")
        return tensor

    def node(self, kind: str, inputs: list[str], width: int, **attributes: Any) -> _Tensor:
        """A node of ours."""
        name = f"{len(self.nodes)}_{kind.lower()}"
        self.nodes.append((kind, inputs, name, attributes))
        return _Tensor(name, width)

    def kept_constant(self, what: str, value: NDArray[Any]) -> str:
        """A constant of ours, for the next node; returns its name."""
        name = f"{len(self.nodes)}_{what}"
        self.constants[name] = np.ascontiguousarray(value)
        return name


def _turned(graph: _TfjsGraph, name: str) -> _Tensor:
    source, turn = graph.inputs(name)
    axes = graph.constant(turn).tolist()
    if axes in _TURNS:
        return graph.tensor(source)
    return graph.node("Transpose", [graph.plain(source).name], 0, perm=axes)


def _padded(graph: _TfjsGraph, name: str) -> _Tensor:
    source, pads, *value = graph.inputs(name)
    if value and not np.isneginf(graph.constant(value[0])):
        raise ModelError(f"{name}: this converter knows padding with zeros, and with nothing, alone")
    (_, _), (_, _), (top, bottom), (left, right) = graph.constant(pads).tolist()
    return replace(graph.plain(source), pads=(top, left, bottom, right))


def _summed(graph: _TfjsGraph, name: str) -> _Tensor:
    first, second = graph.inputs(name)
    if graph.theirs[first]["op"] == "Conv2D":
        return _convolved(graph, first, graph.constant(second).reshape(-1))
    one, other = graph.plain(first), graph.plain(second)
    return graph.node("Add", [one.name, other.name], one.width)


def _convolved(graph: _TfjsGraph, name: str, bias: NDArray[Any], rows: Sequence[int] | None = None) -> _Tensor:
    """A convolution with its bias; with `rows`, these of its channels alone."""
    source, weights = graph.inputs(name)
    tensor, kernel = graph.tensor(source), graph.constant(weights).transpose(3, 2, 0, 1)
    if rows is not None:
        kernel, bias = kernel[rows], bias[rows]
    stride, edge = graph.attribute(name, "strides")[1], kernel.shape[2]
    inputs = [tensor.name, graph.kept_constant("kernel", kernel), graph.kept_constant("bias", bias)]
    width = (tensor.width + tensor.pads[1] + tensor.pads[3] - edge) // stride + 1
    return graph.node(
        "Conv", inputs, width, kernel_shape=[edge] * 2, strides=[stride] * 2, pads=list(tensor.pads)
    )


def _pooled(graph: _TfjsGraph, name: str) -> _Tensor:
    tensor = graph.tensor(graph.inputs(name)[0])
    edge, stride = graph.attribute(name, "ksize")[1], graph.attribute(name, "strides")[1]
    width = (tensor.width + tensor.pads[1] + tensor.pads[3] - edge) // stride + 1
    return graph.node(
        "MaxPool",
        [tensor.name],
        width,
        kernel_shape=[edge] * 2,
        strides=[stride] * 2,
        pads=list(tensor.pads),
    )


def _leaky(graph: _TfjsGraph, name: str) -> _Tensor:
    tensor = graph.plain(graph.inputs(name)[0])
    return graph.node("LeakyRelu", [tensor.name], tensor.width, alpha=float(graph.attribute(name, "alpha")))


def _joined(graph: _TfjsGraph, name: str) -> _Tensor:
    *sources, axis = graph.inputs(name)
    tensors = [graph.plain(source) for source in sources]
    return graph.node(
        "Concat", [each.name for each in tensors], tensors[0].width, axis=int(graph.constant(axis))
    )


def _resized(graph: _TfjsGraph, name: str) -> _Tensor:
    """Twice or half as large; half as large, with half-pixel centres, is the mean of four."""
    source, target = graph.inputs(name)
    tensor, width = graph.plain(source), int(graph.constant(target)[1])
    if not graph.attribute(name, "half_pixel_centers"):
        raise ModelError(f"{name}: this converter knows half-pixel centres alone")
    if 2 * width == tensor.width:
        return graph.node("AveragePool", [tensor.name], width, kernel_shape=[2, 2], strides=[2, 2])
    if width != 2 * tensor.width:
        raise ModelError(f"{name}: this converter knows twice and half as large alone")
    scales = graph.kept_constant("scales", np.array([1, 1, 2, 2], np.float32))
    return graph.node("Resize", [tensor.name, "", scales], width, mode="linear")


def _part(graph: _TfjsGraph, name: str) -> _Tensor:
    """Scores (the first output) or distances of a level: the convolution before it, with these rows alone."""
    node, _, output = name.partition(":")
    source, sizes, _ = graph.inputs(node)
    while graph.theirs[source]["op"] == "Transpose":
        source = graph.inputs(source)[0]
    first, bias = graph.inputs(source)
    labels, rest = graph.constant(sizes).tolist()
    rows = list(range(labels, labels + rest)) if output == "1" else list(graph.kept)
    return _convolved(graph, first, graph.constant(bias).reshape(-1), rows)


def _sigmoid(graph: _TfjsGraph, name: str) -> _Tensor:
    tensor = graph.plain(graph.inputs(name)[0])
    return graph.node("Sigmoid", [tensor.name], tensor.width)


def _flattened(graph: _TfjsGraph, name: str) -> _Tensor:
    """All places in one row, for each channel: the only shape that is asked for."""
    source = graph.plain(graph.inputs(name)[0])
    shape = graph.kept_constant("shape", np.array([0, 0, -1], np.int64))
    return graph.node("Reshape", [source.name, shape], 0)


def _picture(graph: _TfjsGraph, name: str) -> _Tensor:
    return _Tensor(INPUT, int(graph.theirs[name]["attr"]["shape"]["shape"]["dim"][3]["size"]))


_NODES: dict[str, Callable[[_TfjsGraph, str], _Tensor]] = {
    "Placeholder": _picture,
    "Transpose": _turned,
    "Pad": _padded,
    "PadV2": _padded,
    "Add": _summed,
    "AddV2": _summed,
    "MaxPool": _pooled,
    "LeakyRelu": _leaky,
    "ConcatV2": _joined,
    "ResizeBilinear": _resized,
    "SplitV": _part,
    "Sigmoid": _sigmoid,
    "Reshape": _flattened,
}
