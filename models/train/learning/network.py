"""A network that can be trained, out of the ONNX file that a box runs; and back into the same file.

The graph is computed node by node in PyTorch. Weights and biases of the convolutions are parameters; batch
normalisation is folded into them already, and stays so. What is exported differs from the base in nothing
but these numbers: the same names, shapes, cost and card.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn

from agent.errors import ModelError
from agent.translatable import tr
from models.train.learning.operators import OPERATORS, NotSupported

_PASSED_ON = ("Concat", "Reshape", "Transpose", "Identity")
"""Operators that only carry scores to the output."""


@dataclass(slots=True)
class _Step:
    """One node of the graph."""

    operator: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any]
    forget: list[str] = field(default_factory=list)
    """Tensors that nobody needs after this step."""


class OnnxNetwork(nn.Module):
    """The graph of one .onnx file; `forward` takes float32 pictures (N, 3, height, width) as the card says.

    The first convolution is not trained: what every picture is made of, the base has seen more of.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ModelError: it is no ONNX file, or has operators that are not written here.
        """
        super().__init__()
        self.path = path
        self._model = _read(path)
        graph = self._model.graph
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        self._trained = _convolutions(path, graph, constants)
        self._input = next(value.name for value in graph.input if value.name not in constants)
        self._output = graph.output[0].name
        self._steps = _planned(path, graph, set(constants))
        self._last = _last_sigmoids(self._steps, self._output)
        self.weights = nn.ParameterList(
            nn.Parameter(_ordered(torch.from_numpy(constants[name].copy()))) for name in self._trained
        )
        for weight in self.weights[: _of_stem(graph, self._trained)]:
            weight.requires_grad_(False)
        self._places = {name: place for place, name in enumerate(self._trained)}
        self._whole: dict[str, Tensor] = {}
        """Constants of whole numbers, and tiny ones; they stay on the processor."""
        for name, value in constants.items():
            if name not in self._places:
                self._whole[name] = torch.from_numpy(value.copy())

    def forward(self, pictures: Tensor, logits: bool = False) -> Tensor:
        """The file's first output; with `logits`, scores as they are before the last sigmoid.

        Raises:
            ModelError: an operator is used in a way that is not written here.
        """
        known: dict[str, Tensor] = {self._input: _ordered(pictures)}
        for step in self._steps:
            inputs = [self._value(name, known, pictures.device) if name else None for name in step.inputs]
            if logits and step.output in self._last:
                known[step.output] = torch.as_tensor(inputs[0])
            else:
                try:
                    known[step.output] = OPERATORS[step.operator](inputs, step.attributes)
                except NotSupported as error:
                    raise _unknown(self.path, str(error)) from error
            for name in step.forget:
                del known[name]
        return known[self._output]

    @property
    def has_scores(self) -> bool:
        """Whether the output's scores come out of sigmoids, as the head `yolox` wants them."""
        return bool(self._last)

    def exported(self) -> bytes:
        """The file with the weights as they are now."""
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        for tensor in model.graph.initializer:
            if tensor.name in self._places:
                value = self.weights[self._places[tensor.name]].detach().cpu().numpy()
                tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
        return bytes(model.SerializeToString())

    def _value(self, name: str, known: dict[str, Tensor], device: torch.device) -> Tensor:
        if name in known:
            return known[name]
        if name in self._places:
            weight: Tensor = self.weights[self._places[name]]
            return weight
        constant = self._whole[name]
        return constant.to(device) if constant.is_floating_point() and constant.ndim != 1 else constant


def _ordered(tensor: Tensor) -> Tensor:
    """Channels last in memory: on a processor the same numbers a quarter sooner."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _read(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load_from_string(path.read_bytes())
        onnx.checker.check_model(model)
    except OSError as error:
        raise ModelError(
            tr("{path}: the model cannot be read: {reason}", path=path, reason=error.strerror or error),
            tr("check the path, and its rights"),
        ) from error
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise ModelError(tr("{path}: this is no ONNX file: {error}", path=path, error=error)) from error
    return model


def _convolutions(path: Path, graph: onnx.GraphProto, constants: dict[str, Any]) -> list[str]:
    """Names of the weights and biases of all convolutions, in the graph's order."""
    names = [name for node in graph.node if node.op_type == "Conv" for name in node.input[1:] if name]
    lacking = [name for name in names if name not in constants]
    if lacking or not names:
        raise _unknown(path, tr("convolutions without weights of their own"))
    wrong = [name for name in names if constants[name].dtype != "float32"]
    if wrong:
        raise _unknown(path, tr("weights that are {type}, not float32", type=constants[wrong[0]].dtype))
    return list(dict.fromkeys(names))


def _of_stem(graph: onnx.GraphProto, trained: list[str]) -> int:
    """How many of the trained numbers are the first convolution's."""
    first = next(node for node in graph.node if node.op_type == "Conv")
    return len([name for name in trained if name in first.input[1:]])


def _planned(path: Path, graph: onnx.GraphProto, constants: set[str]) -> list[_Step]:
    """The nodes in their order, which is one of computing; what stands for SiLU is one step."""
    users = Counter(name for node in graph.node for name in node.input)
    sigmoids = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Sigmoid"}
    steps: list[_Step] = []
    for node in graph.node:
        if node.op_type == "Constant":
            continue
        if node.op_type not in OPERATORS or len(node.output) != 1:
            raise _unknown(path, tr("the operator {operator}", operator=node.op_type))
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        step = _Step(node.op_type, list(node.input), node.output[0], attributes)
        gate = next((name for name in node.input if name in sigmoids and users[name] == 1), None)
        if node.op_type == "Mul" and gate is not None and sigmoids[gate] in node.input:
            step = _Step("Silu", [sigmoids[gate]], node.output[0], {})
            steps = [one for one in steps if one.output != gate]
        steps.append(step)
    seen = {value.name for value in graph.output} | constants
    for step in reversed(steps):
        step.forget = [name for name in dict.fromkeys(step.inputs) if name and name not in seen]
        seen.update(step.inputs)
    return steps


def _last_sigmoids(steps: list[_Step], output: str) -> frozenset[str]:
    """Outputs of the sigmoids from which scores go to the output unchanged."""
    made = {step.output: step for step in steps}
    found, asked = set(), [output]
    while asked:
        step = made.get(asked.pop())
        if step is None:
            continue
        if step.operator == "Sigmoid":
            found.add(step.output)
        elif step.operator in _PASSED_ON:
            asked.extend(step.inputs)
    return frozenset(found)


def _unknown(path: Path, what: str) -> ModelError:
    return ModelError(
        tr("{path}: this network cannot be trained here: {what}", path=path, what=what),
        tr("YOLOX's own files can; for others see docs/guide/train.md."),
    )
