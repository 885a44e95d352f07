"""models.convert.tfjs, against the layers written out in NumPy"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from agent.core.types import Size
from agent.errors import ModelError
from models.convert.onnx_file import serialised
from models.convert.tfjs import convert

from .small_tfjs import LABELS, SIDES, SmallGraph

KEPT = [0, 2, 7]


def run(graph: SmallGraph, size: Size, pictures: Any) -> list[Any]:
    made = serialised(convert(*graph.files(), size, KEPT))
    given: list[Any] = ort.InferenceSession(made, providers=["CPUExecutionProvider"]).run(
        None, {"images": pictures}
    )
    return given


@pytest.mark.parametrize("size", [Size(32, 32), Size(96, 64)])
def test_the_kept_scores_and_all_sides_are_those_of_the_graph_at_any_size(size: Size) -> None:
    graph = SmallGraph()
    pictures = np.random.default_rng(9).normal(0, 1, (2, 3, size.height_px, size.width_px)).astype(np.float32)

    scores, sides = run(graph, size, pictures)

    for row, picture in enumerate(pictures):
        expected_scores, expected_sides = graph.computed(picture.astype(np.float64))
        assert scores[row].shape == (len(expected_scores), len(KEPT))
        assert np.abs(scores[row] - expected_scores[:, KEPT]).max() < 1e-4
        assert np.abs(sides[row] - expected_sides).max() < 1e-4 * np.abs(expected_sides).max()


def test_padding_bias_and_turns_go_into_the_layers() -> None:
    network = convert(*SmallGraph().files(), Size(32, 32), KEPT)

    kinds = [kind for kind, *_ in network.nodes]
    assert "Pad" not in kinds
    assert kinds.count("Conv") == 4  # the last one twice: scores, and sides
    assert kinds.count("Transpose") == 2
    assert [array.shape[0] for name, array in network.constants.items() if name.endswith("_kernel")][2:] == [
        len(KEPT), SIDES,
    ]  # fmt: skip


def test_the_same_files_give_the_same_bytes() -> None:
    first, second = (serialised(convert(*SmallGraph().files(), Size(32, 32), KEPT)) for _ in range(2))

    assert first == second


def changed(kind: str, **changes: Any) -> SmallGraph:
    graph = SmallGraph()
    node = next(node for node in graph.nodes if node["op"] == kind)
    node |= changes
    return graph


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (changed("LeakyRelu", op="Elu"), "leaky: this converter knows no Elu"),
        (changed("ResizeBilinear", attr={"half_pixel_centers": {"b": False}}), "half-pixel centres alone"),
        (changed("ConcatV2", input=["sum", "padded", "axis"]), "padding before convolutions and pools alone"),
        (changed("LeakyRelu", input=["nobody"]), "no graph model that this converter can read: KeyError"),
    ],
)
def test_a_graph_that_cannot_be_converted_is_told(graph: SmallGraph, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        convert(*graph.files(), Size(32, 32), KEPT)


def test_weights_of_another_length_are_told() -> None:
    plan, weights = SmallGraph().files()

    with pytest.raises(ModelError, match="and the list of them"):
        convert(plan, weights + bytes(4), Size(32, 32), KEPT)


def test_text_that_is_no_graph_is_told() -> None:
    with pytest.raises(ModelError, match="no graph model"):
        convert("{}", b"", Size(32, 32), KEPT)


def test_a_label_that_the_network_does_not_know_is_told() -> None:
    with pytest.raises(ModelError, match="no graph model"):
        convert(*SmallGraph().files(), Size(32, 32), [LABELS + SIDES])
