"""A small graph model in TensorFlow.js' two files, shaped like NanoDet-g, and what it computes, in NumPy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LABELS, SIDES, OWN_PX = 10, 8, 32
_TO_NHWC, _TO_NCHW = [0, 2, 3, 1], [0, 3, 1, 2]


class SmallGraph:
    """The nodes and the numbers; a test may change either before it has them written."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        shapes = {"first": (3, 3, 3, 8), "second": (1, 1, 8, 8), "head": (1, 1, 16, LABELS + SIDES)}
        self.kernels = {name: rng.normal(0, 0.4, shape).astype(np.float16) for name, shape in shapes.items()}
        self.biases = {name: rng.normal(0, 0.4, shape[3]).astype(np.float16) for name, shape in shapes.items()}
        self.weights: list[tuple[str, Any]] = []
        self.nodes: list[dict[str, Any]] = []
        self._build()

    def _build(self) -> None:
        size = [{"size": str(n)} for n in (1, 3, OWN_PX, OWN_PX)]
        self._node("Placeholder", "x", [], shape={"shape": {"dim": size}})
        around = np.array([[0, 0], [0, 0], [1, 1], [1, 1]], np.int32)
        self._node("Pad", "padded", ["x", self._given("around", around)])
        first = self._conv("first", "padded", 2)
        self._node("LeakyRelu", "leaky", [first], alpha={"f": 0.1})
        least = self._given("least", np.array(-np.inf, np.float16))
        self._node("PadV2", "wide", ["leaky", "around", least])
        turned = self._turn("wide", _TO_NHWC)
        self._node("MaxPool", "pool", [turned], ksize=_list(1, 3, 3, 1), strides=_list(1, 2, 2, 1))
        second = self._conv("second", self._turn("pool", _TO_NCHW), 1)
        down = self._resized("down", second, OWN_PX // 8)
        up = self._resized("up", down, OWN_PX // 4)
        self._node("AddV2", "sum", [second, up])
        self._node("ConcatV2", "both", ["sum", second, self._given("axis", np.array(1, np.int32))])
        head = self._conv("head", "both", 1)
        parts = self._given("parts", np.array([LABELS, SIDES], np.int32))
        self._node("SplitV", "split", [head, parts, "axis"])
        self._node("Sigmoid", "likely", ["split"])
        for output, source in (("Identity", "likely"), ("Identity_1", "split:1")):
            self._node("Reshape", f"{output}_flat", [source, "nothing"])
            self._node("Identity", output, [self._turn(f"{output}_flat", [0, 2, 1])])

    def _node(self, kind: str, name: str, inputs: list[str], **attributes: Any) -> str:
        self.nodes.append({"op": kind, "name": name, "input": inputs, "attr": attributes})
        return name

    def _given(self, name: str, value: Any) -> str:
        self.weights.append((name, value))
        return name

    def _turn(self, source: str, axes: list[int]) -> str:
        name = f"turn_{len(self.nodes)}"
        return self._node("Transpose", name, [source, self._given(f"{name}_axes", np.array(axes, np.int32))])

    def _conv(self, name: str, source: str, stride: int) -> str:
        kernel = self._given(f"{name}_kernel", self.kernels[name])
        turned = self._turn(source, _TO_NHWC)
        self._node("Conv2D", f"{name}_conv", [turned, kernel], strides=_list(1, stride, stride, 1))
        self._node("Add", f"{name}_biased", [f"{name}_conv", self._given(f"{name}_bias", self.biases[name])])
        return self._turn(f"{name}_biased", _TO_NCHW)

    def _resized(self, name: str, source: str, width: int) -> str:
        target = self._given(f"{name}_size", np.array([width, width], np.int32))
        turned = self._turn(source, _TO_NHWC)
        self._node("ResizeBilinear", name, [turned, target], half_pixel_centers={"b": True})
        return self._turn(name, _TO_NCHW)

    def files(self) -> tuple[str, bytes]:
        """The .json and the .bin."""
        entries = []
        for name, value in self.weights:
            entry: dict[str, Any] = {"name": name, "shape": list(value.shape), "dtype": "int32"}
            if value.dtype == np.float16:
                entry |= {"dtype": "float32", "quantization": {"dtype": "float16"}}
            entries.append(entry)
        content = {
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": ["small.bin"], "weights": entries}],
            "signature": {"outputs": {"Identity_1:0": {}, "Identity:0": {}}},
        }
        return json.dumps(content), b"".join(value.tobytes() for _, value in self.weights)

    def computed(self, picture: Any) -> list[Any]:
        """Scores (places, labels) and sides (places, 8) for a picture (3, height, width)."""
        x = self._convolved("first", np.pad(picture, ((0, 0), (1, 1), (1, 1))), 2)
        x = np.where(x > 0, x, 0.1 * x)
        wide = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
        x = sliding_window_view(wide, (3, 3), (1, 2))[:, ::2, ::2].max(axis=(3, 4))
        x = self._convolved("second", x, 1)
        rows, columns = x.shape[1:]
        halved = x.reshape(len(x), rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
        both = np.concatenate([x + _doubled(_doubled(halved, 1), 2), x])
        flat = self._convolved("head", both, 1).reshape(LABELS + SIDES, -1).T
        return [1 / (1 + np.exp(-flat[:, :LABELS])), flat[:, LABELS:]]

    def _convolved(self, name: str, x: Any, stride: int) -> Any:
        kernel = self.kernels[name].astype(np.float64)
        windows = sliding_window_view(x, kernel.shape[:2], (1, 2))[:, ::stride, ::stride]
        return (
            np.einsum("cyxij,ijcf->fyx", windows, kernel) + self.biases[name].astype(np.float64)[:, None, None]
        )


def _doubled(x: Any, axis: int) -> Any:
    """Twice as long along an axis: linear, between the centres of pixels, the edge beyond the edge."""
    x = np.moveaxis(x, axis, 0)
    before, after = np.concatenate([x[:1], x[:-1]]), np.concatenate([x[1:], x[-1:]])
    pairs = np.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis=1)
    return np.moveaxis(pairs.reshape(-1, *x.shape[1:]), 0, axis)


def _list(*numbers: int) -> dict[str, Any]:
    return {"list": {"i": [str(n) for n in numbers]}}


def small_files() -> tuple[str, bytes]:
    """The .json and the .bin as they are."""
    return SmallGraph().files()
