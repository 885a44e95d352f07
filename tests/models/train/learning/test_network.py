"""models.train.learning.network"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch

from agent.errors import ModelError
from models.train.learning.network import OnnxNetwork
from tests.support.small_yolox import FIELD_PX, write_small_yolox


def by_onnx_runtime(model: bytes, pictures: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": pictures})[0])


def test_it_gives_what_onnx_runtime_gives(tmp_path: Path) -> None:
    path = write_small_yolox(tmp_path)
    pictures = np.random.default_rng(1).uniform(0, 255, (1, 3, FIELD_PX, FIELD_PX)).astype(np.float32)

    with torch.no_grad():
        ours = OnnxNetwork(path)(torch.from_numpy(pictures)).numpy()

    assert np.abs(ours - by_onnx_runtime(path.read_bytes(), pictures)).max() < 1e-4


def test_the_real_network_gives_what_onnx_runtime_gives(shared_data: Path) -> None:
    path = shared_data / "models" / "yolox_nano_416.onnx"
    pictures = np.random.default_rng(1).uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)

    network = OnnxNetwork(path)
    with torch.no_grad():
        ours = network(torch.from_numpy(pictures)).numpy()

    assert np.abs(ours - by_onnx_runtime(path.read_bytes(), pictures)).max() < 1e-3
    assert by_onnx_runtime(network.exported(), pictures) == pytest.approx(
        by_onnx_runtime(path.read_bytes(), pictures)
    )


def test_several_pictures_go_through_a_file_for_one(tmp_path: Path) -> None:
    network = OnnxNetwork(write_small_yolox(tmp_path))
    pictures = torch.rand(3, 3, FIELD_PX, FIELD_PX) * 255

    with torch.no_grad():
        together = network(pictures)
        apart = torch.cat([network(one[None]) for one in pictures])

    assert torch.allclose(together, apart, atol=1e-5)


def test_logits_are_the_scores_before_the_last_sigmoid(tmp_path: Path) -> None:
    network = OnnxNetwork(write_small_yolox(tmp_path))
    pictures = torch.rand(1, 3, FIELD_PX, FIELD_PX) * 255

    with torch.no_grad():
        scores, logits = network(pictures), network(pictures, logits=True)

    assert torch.allclose(scores[..., 4:], logits[..., 4:].sigmoid(), atol=1e-5)
    assert torch.equal(scores[..., :4], logits[..., :4])


def test_what_is_exported_differs_in_the_weights_alone(tmp_path: Path) -> None:
    path = write_small_yolox(tmp_path)
    network = OnnxNetwork(path)
    with torch.no_grad():
        network.weights[-1].add_(1.0)

    before, after = onnx.load(path), onnx.load_from_string(network.exported())

    assert before.graph.node == after.graph.node
    assert [one.name for one in before.graph.initializer] == [one.name for one in after.graph.initializer]
    assert before.SerializeToString() != after.SerializeToString()


def test_the_stem_is_not_trained(tmp_path: Path) -> None:
    network = OnnxNetwork(write_small_yolox(tmp_path))

    assert [weight.requires_grad for weight in network.weights][:3] == [False, False, True]


def test_an_unknown_operator_is_one_clear_error(tmp_path: Path) -> None:
    path = write_small_yolox(tmp_path)
    model = onnx.load(path)
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Softplus"
    onnx.save(model, path)

    with pytest.raises(ModelError, match="cannot be trained here: the operator Softplus"):
        OnnxNetwork(path)


def test_what_is_no_network_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"nothing at all")

    with pytest.raises(ModelError, match="no ONNX file"):
        OnnxNetwork(tmp_path / "m.onnx")
