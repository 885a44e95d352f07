"""From darknet's .cfg and .weights to ONNX, for the layers of YOLOv3 and YOLOv3-tiny.

The arithmetic is darknet's (github.com/pjreddie/darknet: batchnorm_layer.c, maxpool_layer.c for its padding,
upsample_layer.c, yolo_layer.c). Batch
normalisation is folded into the convolution before it. What the [yolo] layers do is left to the head
(agent/detectors/heads/yolov3.py), so the outputs are the raw convolutions, one per [yolo], in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Size
from agent.errors import ModelError
from models.convert.darknet_files import Section, Weights, parse_cfg
from models.convert.onnx_file import INPUT, Network, Node, serialised

LEAKY = 0.1
"""Slope of darknet's leaky activation below zero (activations.h)."""
_EPSILON = 1e-6
"""Added to the deviation, not to the variance (batchnorm_layer.c)."""

Anchors = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """A network as ONNX, and what its head needs to know."""

    network: Network
    anchors: tuple[Anchors, ...]
    """Per output: width and height in pixels of each anchor."""

    @property
    def onnx(self) -> bytes:
        """The file's bytes."""
        return serialised(self.network)


def convert(cfg: str, weights: bytes, size: Size, masks: Sequence[Sequence[int]] | None = None) -> Converted:
    """The network for pictures of this size, any number at a time.

    `size` is a multiple of 32 and need not be the one in the .cfg: the network has no dense layer. `masks`
    replaces the anchors that the [yolo] sections name, for a .cfg that does not fit its weights.

    Raises:
        ModelError: a section is unknown or wrong, or the weights do not fit.
    """
    sections = parse_cfg(cfg)
    graph = _Graph(Weights(weights))
    channels = sections[0].number("channels", 3)
    graph.add("input", channels, INPUT)
    for section in sections[1:]:
        if section.kind not in _LAYERS:
            known = ", ".join(_LAYERS)
            raise ModelError(f"line {section.line}: this converter knows no [{section.kind}], only {known}")
        _LAYERS[section.kind](graph, section)
    graph.weights.must_be_read_up()
    if not graph.outputs:
        raise ModelError("the .cfg has no [yolo] section")
    heads = [s for s in sections if s.kind == "yolo"]
    chosen = masks if masks is not None else [s.numbers("mask") for s in heads]
    anchors = tuple(_anchors(s, mask) for s, mask in zip(heads, chosen, strict=True))
    outputs = dict.fromkeys(graph.outputs, 4)
    return Converted(Network("darknet", size, channels, graph.nodes, graph.constants, outputs), anchors)


@dataclass(slots=True)
class _Graph:
    """The ONNX graph while it grows; layer i of the .cfg is `layers[i + 1]`, after the input."""

    weights: Weights
    layers: list[tuple[str, int]] = field(default_factory=list)
    """Name of the tensor and its channels."""
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def add(self, _kind: str, channels: int, name: str) -> None:
        """A layer whose tensor has this name."""
        self.layers.append((name, channels))

    def name(self, what: str) -> str:
        """A name for a tensor of the layer that is being built."""
        return f"{len(self.layers) - 1}_{what}"

    def node(self, kind: str, inputs: list[str], what: str, **attributes: Any) -> str:
        """A node; returns the name of its output."""
        name = self.name(what)
        self.nodes.append((kind, inputs, name, attributes))
        return name

    def constant(self, what: str, value: NDArray[Any]) -> str:
        """A constant; returns its name."""
        name = self.name(what)
        self.constants[name] = value
        return name

    def layer(self, section: Section, index: int) -> tuple[str, int]:
        """Layer `index` as a .cfg counts: from here if negative, else from the first after [net]."""
        place = len(self.layers) + index if index < 0 else index + 1
        if not 0 < place < len(self.layers):
            raise ModelError(f"line {section.line}: [{section.kind}] there is no layer {index}")
        return self.layers[place]


def _convolutional(graph: _Graph, section: Section) -> None:
    source, channels = graph.layers[-1]
    filters, size = section.number("filters", 1), section.number("size", 1)
    groups = section.number("groups", 1)
    bias = graph.weights.take(filters)
    scale = None
    if section.number("batch_normalize", 0):
        gain, mean, variance = (graph.weights.take(filters) for _ in range(3))
        scale = gain / (np.sqrt(variance) + _EPSILON)
        bias = bias - mean * scale
    kernel = graph.weights.take(filters, channels // groups, size, size)
    if scale is not None:
        kernel = kernel * scale[:, None, None, None]
    pad = size // 2 if section.number("pad", 0) else section.number("padding", 0)
    inputs = [
        source,
        graph.constant("kernel", kernel.astype(np.float32)),
        graph.constant("bias", bias.astype(np.float32)),
    ]
    output = graph.node(
        "Conv", inputs, "conv", kernel_shape=[size] * 2,  # may be left out, but OpenCV 4.10 to 4.12 needs it
        strides=[section.number("stride", 1)] * 2, pads=[pad] * 4, group=groups,
    )  # fmt: skip
    graph.add("conv", filters, _activated(graph, section, output))


def _activated(graph: _Graph, section: Section, source: str) -> str:
    activation = section.options.get("activation", "linear")
    if activation == "leaky":
        return graph.node("LeakyRelu", [source], "leaky", alpha=LEAKY)
    if activation != "linear":
        raise ModelError(f"line {section.line}: this converter knows no activation {activation}")
    return source


def _maxpool(graph: _Graph, section: Section) -> None:
    source, channels = graph.layers[-1]
    size, stride = section.number("size", 2), section.number("stride", 2)
    # Darknet pads size - 1 in all, the smaller half first: a pool of size 2 and stride 1 looks right and down,
    # and keeps the size.
    padding = section.number("padding", size - 1)
    first = padding // 2
    output = graph.node(
        "MaxPool",
        [source],
        "pool",
        kernel_shape=[size] * 2,
        strides=[stride] * 2,
        pads=[first, first, padding - first, padding - first],
    )
    graph.add("maxpool", channels, output)


def _upsample(graph: _Graph, section: Section) -> None:
    source, channels = graph.layers[-1]
    stride = float(section.number("stride", 2))
    scales = graph.constant("scales", np.array([1, 1, stride, stride], np.float32))
    output = graph.node(
        "Resize",
        [source, "", scales],
        "upsample",
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    graph.add("upsample", channels, output)


def _route(graph: _Graph, section: Section) -> None:
    if section.number("groups", 1) != 1:
        raise ModelError(f"line {section.line}: this converter knows no [route] with groups")
    parts = [graph.layer(section, index) for index in section.numbers("layers")]
    names = [name for name, _ in parts]
    output = names[0] if len(names) == 1 else graph.node("Concat", names, "concat", axis=1)
    graph.add("route", sum(channels for _, channels in parts), output)


def _shortcut(graph: _Graph, section: Section) -> None:
    source, channels = graph.layers[-1]
    other, others = graph.layer(section, section.number("from", -1))
    if others != channels:
        raise ModelError(f"line {section.line}: [shortcut] joins {channels} and {others} channels")
    output = graph.node("Add", [source, other], "sum")
    graph.add("shortcut", channels, _activated(graph, section, output))


def _yolo(graph: _Graph, section: Section) -> None:
    source, channels = graph.layers[-1]
    output = f"scale_{len(graph.outputs)}"
    graph.nodes.append(("Identity", [source], output, {}))
    graph.outputs.append(output)
    graph.add("yolo", channels, output)


_LAYERS: dict[str, Callable[[_Graph, Section], None]] = {
    "convolutional": _convolutional,
    "maxpool": _maxpool,
    "upsample": _upsample,
    "route": _route,
    "shortcut": _shortcut,
    "yolo": _yolo,
}


def _anchors(section: Section, mask: Sequence[int]) -> Anchors:
    numbers = section.numbers("anchors")
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if any(not 0 <= index < len(pairs) for index in mask):
        raise ModelError(f"line {section.line}: [yolo] mask {list(mask)}: there are {len(pairs)} anchors")
    return tuple((float(pairs[index][0]), float(pairs[index][1])) for index in mask)
