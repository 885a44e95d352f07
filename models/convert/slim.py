"""The same network with less to do: only the labels that are told, and hard-swish in two nodes instead of four.

Both are exact but for rounding. The last layers of a network for COCO give eighty scores for each place, of
which six are read. Hard-swish, x * clip(x + 3, 0, 6) / 6, is x * HardSigmoid(x) with a slope of 1/6 (Howard et
al., 2019, arXiv:1905.02244); exporters for old operator sets write it out, which ONNX Runtime computes as four
passes over the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.convert.onnx_file import imported_onnx

_SWISH = ("Add", "Clip", "Mul", "Div")


def slimmed(model: bytes, labels: int, kept: Sequence[int]) -> bytes | None:
    """The network whose outputs hold only these labels, in this order; None if it has no such layers.

    `labels` is how many it knows, `kept` the indices of these. Places and sides stay as they are.

    Raises:
        ModelError: the package onnx is not installed.
    """
    onnx = imported_onnx()
    graph = _Slimming(onnx, onnx.load_model_from_string(model))
    graph.join_hard_swishes()
    if not graph.keep_labels(labels, kept):
        return None
    graph.drop_unread()
    return bytes(graph.model.SerializeToString(deterministic=True))


class _Slimming:
    """A network in ONNX that is changed in place."""

    def __init__(self, onnx: Any, model: Any) -> None:
        self._onnx, self.model, self._graph = onnx, model, model.graph
        self._constants = {each.name: each for each in self._graph.initializer}
        for node in [n for n in self._graph.node if n.op_type == "Constant" and n.attribute[0].name == "value"]:
            tensor = node.attribute[0].t
            tensor.name = node.output[0]
            self._graph.initializer.append(tensor)
            self._constants[tensor.name] = self._graph.initializer[-1]
            self._graph.node.remove(node)

    def join_hard_swishes(self) -> None:
        """Write x * clip(x + 3, 0, 6) / 6 as x * HardSigmoid(x)."""
        for add in [node for node in self._graph.node if node.op_type == "Add"]:
            chain = [add]
            while len(chain) < len(_SWISH) and (after := self._only_reader(chain[-1])) is not None:
                chain.append(after)
            if tuple(node.op_type for node in chain) == _SWISH:
                self._join(*chain)

    def _join(self, add: Any, clip: Any, mul: Any, div: Any) -> None:
        source = next((name for name in add.input if name not in self._constants), None)
        numbers = [self._number(name) for node in (add, clip, div) for name in node.input]
        if source not in mul.input or [n for n in numbers if n is not None] != [3.0, 0.0, 6.0, 6.0]:
            return
        gate = self._onnx.helper.make_node(
            "HardSigmoid", [source], [f"{div.output[0]}_gate"], alpha=1 / 6, beta=0.5
        )
        product = self._onnx.helper.make_node("Mul", [source, gate.output[0]], list(div.output))
        place = list(self._graph.node).index(div)
        self._graph.node.insert(place, product)
        self._graph.node.insert(place, gate)
        for node in (add, clip, mul, div):
            self._graph.node.remove(node)

    def keep_labels(self, labels: int, kept: Sequence[int]) -> bool:
        """Of the convolutions that give the scores, these rows alone; whether there were any."""
        cut = False
        for conv in [node for node in self._graph.node if node.op_type == "Conv"]:
            rows = len(self._array(conv.input[1]))
            after = self._only_reader(conv)
            if after is None:
                continue
            if after.op_type == "Sigmoid" and rows == labels:
                self._take_rows(conv, list(kept))
            elif after.op_type == "Split" and self._parts(after) == [labels, rows - labels]:
                self._take_rows(conv, [*kept, *range(labels, rows)])
                self._set_parts(after, [len(kept), rows - labels])
            else:
                continue
            cut = True
        if cut:
            self._reshape(labels, len(kept))
        return cut

    def _take_rows(self, conv: Any, rows: list[int]) -> None:
        for place in range(1, len(conv.input)):
            # Under a name of its own: a bias of zeros may be that of several layers.
            name = f"{conv.output[0]}_{'kernel' if place == 1 else 'bias'}_kept"
            self._add(name, self._array(conv.input[place])[rows])
            conv.input[place] = name

    def _parts(self, split: Any) -> list[int]:
        given = [list(each.ints) for each in split.attribute if each.name == "split"]
        return given[0] if given else [int(n) for n in self._array(split.input[1])]

    def _set_parts(self, split: Any, parts: list[int]) -> None:
        for each in split.attribute:
            if each.name == "split":
                each.ints[:] = parts
        if len(split.input) > 1:
            name = f"{split.output[0]}_parts"
            self._add(name, np.array(parts, np.int64))
            split.input[1] = name

    def _reshape(self, labels: int, kept: int) -> None:
        """Shapes that count the labels, or the labels behind YOLOX' five numbers, count what is left."""
        for node in [node for node in self._graph.node if node.op_type == "Reshape"]:
            shape = self._array(node.input[1]) if node.input[1] in self._constants else np.zeros(0, np.int64)
            less = [int(n) - labels + kept if n in (labels, labels + 5) else int(n) for n in shape]
            if less != shape.tolist():
                name = f"{node.output[0]}_shape_kept"
                self._add(name, np.array(less, np.int64))
                node.input[1] = name

    def drop_unread(self) -> None:
        """Leave out constants that nothing reads, and the shapes that were noted for what has changed."""
        read = {name for node in self._graph.node for name in node.input}
        for each in [each for each in self._graph.initializer if each.name not in read]:
            self._graph.initializer.remove(each)
        del self._graph.value_info[:]
        for output in self._graph.output:
            dims = output.type.tensor_type.shape.dim
            for dim in dims[1:]:
                dim.Clear()

    def _only_reader(self, node: Any) -> Any:
        """The one node that reads what this one gives; None: there are none, or several, or it is an output."""
        name = node.output[0]
        readers = [each for each in self._graph.node if name in each.input]
        is_output = any(output.name == name for output in self._graph.output)
        return readers[0] if len(readers) == 1 and not is_output else None

    def _array(self, name: str) -> Any:
        return self._onnx.numpy_helper.to_array(self._constants[name])

    def _number(self, name: str) -> float | None:
        if name not in self._constants or self._array(name).size != 1:
            return None
        return float(self._array(name).reshape(-1)[0])

    def _add(self, name: str, value: Any) -> None:
        self._graph.initializer.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        self._constants[name] = self._graph.initializer[-1]
