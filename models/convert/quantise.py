"""A network in eight-bit numbers: a quarter of the bytes, and less arithmetic where a processor has it.

The last convolutions, which give scores and distances, stay as they are: they are little, and what they lose is
lost for good.

Written as QuantizeLinear and DequantizeLinear around each layer (ONNX; onnxruntime.ai/docs/performance/
model-optimizations/quantization.html), of which ONNX Runtime makes layers of whole numbers. Weights are
symmetric with a scale for each output channel, activations are bytes with one scale and zero for each tensor
(Jacob et al., 2017, arXiv:1712.05877). The range of each tensor was measured once and is given: so nobody needs
pictures to make the file, and it has the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agent.errors import ModelError
from models.convert.onnx_file import INPUT, Network, Node

Ranges = Mapping[str, tuple[float, float]]
"""The least and the greatest value of each tensor, by its name in our graph."""
_LAYERS = ("Conv", "LeakyRelu", "MaxPool", "AveragePool", "Concat", "Add", "Resize")
"""What computes in whole numbers."""
_SAME_SCALE = ("MaxPool", "Resize")
"""What gives back values that came in, or lies between them."""
_BYTES = 255
_MOST = 63
"""Of a weight: seven bits. An x86 processor without instructions for this (VNNI) adds two products in sixteen
bits, which eight-bit weights overflow: that costs NanoDet-g 5 points of AP50 for cars (measured), and one file
would see differently on each machine."""


def read_ranges(path: Path) -> Ranges:
    """The least and greatest value of each tensor, by its name in our graph.

    Raises:
        ModelError: the file is not that.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {str(name): (float(low), float(high)) for name, (low, high) in content.items()}
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: these are no ranges: {error}") from error


def tensors(network: Network) -> list[str]:
    """The names of those whose ranges are needed, in order: what layers in whole numbers read and give."""
    inner = {name for kind, inputs, _, _ in network.nodes if kind in _LAYERS for name in inputs}
    layers = [output for kind, _, output, _ in network.nodes if kind in _LAYERS]
    return [name for name in (INPUT, *layers) if name in inner]


def quantised(network: Network, ranges: Ranges) -> Network:
    """The same network in eight-bit numbers.

    Raises:
        ModelError: the ranges are another network's.
    """
    wanted = tensors(network)
    if missing := [name for name in wanted if name not in ranges]:
        raise ModelError(f"there are no ranges for {', '.join(missing[:3])}: they are another network's")
    graph = _Quantised(network, {name: ranges[name] for name in wanted})
    graph.take(INPUT, INPUT)
    for node in network.nodes:
        graph.layer(node)
    return replace(network, nodes=graph.nodes, constants=graph.constants)


class _Quantised:
    """The graph while it grows."""

    def __init__(self, network: Network, ranges: Ranges) -> None:
        self._old, self._ranges = network.constants, ranges
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray[np.generic]] = {}
        self._scales: dict[str, tuple[np.float32, np.uint8]] = {}

    def layer(self, node: Node) -> None:
        """A node of the network, with its weights and what it gives in eight bits."""
        kind, inputs, output, attributes = node
        given = [self._read(name) for name in inputs]
        if output not in self._ranges:
            self.nodes.append((kind, given, output, attributes))
            return
        if kind == "Conv":
            given = [given[0], *self._weights(inputs[0], *inputs[1:])]
        self.nodes.append((kind, given, f"{output}_float", attributes))
        self.take(f"{output}_float", output, inputs[0] if kind in _SAME_SCALE else None)

    def take(self, source: str, name: str, like: str | None = None) -> None:
        """Round the tensor `source` to bytes, and call it `name`; on the scale of another, or on its own."""
        scale, zero = self._scales[like] if like else _affine(*self._ranges[name])
        self._scales[name] = scale, zero
        self.constants |= {f"{name}_scale": np.asarray(scale), f"{name}_zero": np.asarray(zero)}
        parameters = [f"{name}_scale", f"{name}_zero"]
        self.nodes.append(("QuantizeLinear", [source, *parameters], f"{name}_bytes", {}))
        self.nodes.append(("DequantizeLinear", [f"{name}_bytes", *parameters], f"{name}_read", {}))

    def _read(self, name: str) -> str:
        """What a layer reads for a tensor of the network."""
        if name in self._old:
            self.constants[name] = self._old[name]
        return f"{name}_read" if name in self._scales else name

    def _weights(self, source: str, kernel: str, bias: str) -> list[str]:
        """Kernel and bias of a convolution in whole numbers, on the scales that ONNX Runtime needs."""
        weights = self.constants.pop(kernel).astype(np.float32)
        most = np.abs(weights).reshape(len(weights), -1).max(axis=1)
        scales = np.maximum(most, np.float32(1e-12)) / np.float32(_MOST)
        whole = np.clip(np.rint(weights / scales.reshape(-1, 1, 1, 1)), -_MOST, _MOST).astype(np.int8)
        together = (scales * self._scales[source][0]).astype(np.float32)
        shift = np.rint(self.constants.pop(bias).astype(np.float64) / together).astype(np.int32)
        self.constants |= {f"{kernel}_whole": whole, f"{kernel}_scales": scales}
        self.constants |= {f"{kernel}_zeros": np.zeros(len(scales), np.int8)}
        self.constants |= {f"{bias}_whole": shift, f"{bias}_scales": together}
        self.constants |= {f"{bias}_zeros": np.zeros(len(scales), np.int32)}
        for name in (kernel, bias):
            parts = [f"{name}_whole", f"{name}_scales", f"{name}_zeros"]
            self.nodes.append(("DequantizeLinear", parts, f"{name}_read", {"axis": 0}))
        return [f"{kernel}_read", f"{bias}_read"]


def _affine(low: float, high: float) -> tuple[np.float32, np.uint8]:
    """Scale and zero of bytes for values between these, zero among them exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32(max(high - low, 1e-12) / _BYTES)
    return scale, np.uint8(np.clip(np.rint(-low / float(scale)), 0, _BYTES))
