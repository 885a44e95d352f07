"""models.convert.onnx_file"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from agent.core.types import Size
from agent.errors import ModelError
from models.convert.onnx_file import Network, has_onnx, serialised


def doubling(source: str = "images") -> Network:
    two = {"two": np.array(2, np.float32)}
    return Network("twice", Size(64, 32), 3, [("Mul", [source, "two"], "more", {})], two, {"more": 4})


def test_the_file_runs_with_any_number_of_pictures_and_has_the_same_bytes_each_time() -> None:
    made = serialised(doubling())
    pictures = np.ones((2, 3, 32, 64), np.float32)

    got = ort.InferenceSession(made, providers=["CPUExecutionProvider"]).run(None, {"images": pictures})[0]

    assert np.array_equal(got, 2 * pictures)
    assert serialised(doubling()) == made
    assert has_onnx()


def test_a_network_that_cannot_be_is_told() -> None:
    with pytest.raises(ModelError, match="twice: this gives a network that cannot be"):
        serialised(doubling("nothing"))
