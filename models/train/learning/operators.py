"""ONNX operators in plain PyTorch, as far as YOLOX's files use them (https://onnx.ai/onnx/operators/).

Each takes its inputs, None where one is left out, and the node's attributes. What a file means by constants
(shapes, ends of slices, scales) are inputs as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Inputs = Sequence[Any]
"""Tensors, or None where an input is left out."""
Attributes = Mapping[str, Any]
Operator = Callable[[Inputs, Attributes], Tensor]


class NotSupported(Exception):
    """A way of using an operator that is not written here; its text says which."""


def _convolution(inputs: Inputs, attributes: Attributes) -> Tensor:
    source, weight, bias = (*inputs, None)[:3]
    source, padding = _padded(source, attributes, weight.shape[2:], 0.0)
    return functional.conv2d(
        source,
        weight,
        bias,
        tuple(attributes.get("strides", (1, 1))),
        padding,
        tuple(attributes.get("dilations", (1, 1))),
        attributes.get("group", 1),
    )


def _pool(inputs: Inputs, attributes: Attributes) -> Tensor:
    kernel = tuple(attributes["kernel_shape"])
    if tuple(attributes.get("dilations", (1, 1))) != (1, 1):
        raise NotSupported("MaxPool with dilations")
    source, padding = _padded(inputs[0], attributes, kernel, float("-inf"))
    strides = tuple(attributes.get("strides", (1, 1)))
    return functional.max_pool2d(
        source, kernel, strides, padding, ceil_mode=bool(attributes.get("ceil_mode", 0))
    )


def _padded(source: Tensor, attributes: Attributes, kernel: Sequence[int], value: float) -> tuple[Tensor, Any]:
    """The picture and the padding that is left for PyTorch, which pads both sides alike."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise NotSupported(f"auto_pad {attributes['auto_pad'].decode()}")
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if (top, left) == (bottom, right) and 2 * top <= kernel[0] and 2 * left <= kernel[1]:
        return source, (top, left)
    return functional.pad(source, (left, right, top, bottom), value=value), (0, 0)


def _resize(inputs: Inputs, attributes: Attributes) -> Tensor:
    source, scales, sizes = inputs[0], (*inputs, None, None)[2], (*inputs, None, None, None)[3]
    how = (
        attributes.get("mode", b"nearest"),
        attributes.get("coordinate_transformation_mode", b"half_pixel"),
        attributes.get("nearest_mode", b"round_prefer_floor"),
    )
    factors = (
        [int(size) / was for size, was in zip(sizes.tolist(), source.shape, strict=True)]
        if sizes is not None and sizes.numel()
        else scales.tolist()
    )
    whole = all(factor == int(factor) >= 1 for factor in factors)
    # Enlarged by a whole number, these two ways of counting say the same: each pixel is repeated.
    simple = how[1] == b"asymmetric" and how[2] == b"floor"
    if how[0] != b"nearest" or not simple or not whole or factors[:2] != [1.0, 1.0]:
        raise NotSupported(f"Resize ({', '.join(word.decode() for word in how)}, times {factors})")
    return functional.interpolate(source, scale_factor=(factors[2], factors[3]), mode="nearest")


def _slice(inputs: Inputs, _: Attributes) -> Tensor:
    source, starts, ends = inputs[:3]
    axes = inputs[3].tolist() if len(inputs) > 3 and inputs[3] is not None else range(len(starts))
    steps = inputs[4].tolist() if len(inputs) > 4 and inputs[4] is not None else [1] * len(starts)
    place = [slice(None)] * source.ndim
    for axis, start, end, step in zip(axes, starts.tolist(), ends.tolist(), steps, strict=True):
        if step < 1:
            raise NotSupported("Slice backwards")
        place[axis] = slice(start, end, step)
    return torch.as_tensor(source[tuple(place)])


def _reshape(inputs: Inputs, attributes: Attributes) -> Tensor:
    source, wanted = inputs[0], inputs[1].tolist()
    if attributes.get("allowzero", 0):
        raise NotSupported("Reshape with allowzero")
    shape = [source.shape[place] if size == 0 else size for place, size in enumerate(wanted)]
    # A file for one picture at a time says so in its shapes; here come several.
    if shape[0] == 1:
        shape[0] = source.shape[0]
    return torch.as_tensor(source.reshape(shape))


def _clip(inputs: Inputs, _: Attributes) -> Tensor:
    source, low, high = (*inputs, None, None)[:3]
    return torch.clamp(source, low, high)


OPERATORS: dict[str, Operator] = {
    "Add": lambda i, _: i[0] + i[1],
    "Clip": _clip,
    "Concat": lambda i, a: torch.cat(tuple(i), a["axis"]),
    "Conv": _convolution,
    "Div": lambda i, _: i[0] / i[1],
    "HardSigmoid": lambda i, a: torch.clamp(a.get("alpha", 0.2) * i[0] + a.get("beta", 0.5), 0, 1),
    "HardSwish": lambda i, _: functional.hardswish(i[0]),
    "Identity": lambda i, _: i[0],
    "LeakyRelu": lambda i, a: functional.leaky_relu(i[0], a.get("alpha", 0.01)),
    "MaxPool": _pool,
    "Mul": lambda i, _: i[0] * i[1],
    "Relu": lambda i, _: functional.relu(i[0]),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": lambda i, _: torch.sigmoid(i[0]),
    "Silu": lambda i, _: functional.silu(i[0]),  # ours: Mul(x, Sigmoid(x)) in one
    "Slice": _slice,
    "Sub": lambda i, _: i[0] - i[1],
    "Transpose": lambda i, a: i[0].permute(*a["perm"]),
}
