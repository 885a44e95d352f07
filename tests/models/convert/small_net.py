"""A small network as our converters write them, for the tests of what is done with one."""

from __future__ import annotations

import numpy as np

from agent.core.types import Size
from models.convert.onnx_file import Network


def small() -> Network:
    """Two convolutions with what stands between such, and one that gives the output."""
    rng = np.random.default_rng(5)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    constants = {
        "k0": numbers(8, 3, 3, 3), "b0": numbers(8), "k1": numbers(8, 8, 3, 3), "b1": numbers(8),
        "k2": numbers(6, 16, 1, 1), "b2": numbers(6), "scales": np.array([1, 1, 2, 2], np.float32),
    }  # fmt: skip
    three = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        ("Conv", ["images", "k0", "b0"], "conv_0", three | {"strides": [2, 2]}),
        ("LeakyRelu", ["conv_0"], "leaky_0", {"alpha": 0.1}),
        ("MaxPool", ["leaky_0"], "pool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", ["pool", "k1", "b1"], "conv_1", three | {"strides": [1, 1]}),
        ("Resize", ["conv_1", "", "scales"], "large", {"mode": "linear"}),
        ("Concat", ["large", "leaky_0"], "both", {"axis": 1}),
        ("Conv", ["both", "k2", "b2"], "conv_2", {"kernel_shape": [1, 1]}),
        ("Sigmoid", ["conv_2"], "scores", {}),
    ]
    return Network("small", Size(32, 32), 3, nodes, constants, {"scores": 4})
