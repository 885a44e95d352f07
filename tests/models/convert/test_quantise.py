"""models.convert.quantise"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from agent.errors import ModelError
from models.convert.onnx_file import Network, serialised
from models.convert.quantise import quantised, read_ranges, tensors

from .small_net import small


def run(network: Network, pictures: Any) -> list[Any]:
    session = ort.InferenceSession(serialised(network), providers=["CPUExecutionProvider"])
    given: list[Any] = session.run(None, {"images": pictures})
    return given


def ranges(network: Network, pictures: Any) -> dict[str, tuple[float, float]]:
    names = [name for name in tensors(network) if name != "images"]
    seen = run(replace(network, outputs=dict.fromkeys(names, 4)), pictures)
    found = {name: (float(values.min()), float(values.max())) for name, values in zip(names, seen, strict=True)}
    return found | {"images": (float(pictures.min()), float(pictures.max()))}


@pytest.fixture
def pictures() -> Any:
    return np.random.default_rng(1).normal(0, 1, (3, 3, 32, 32)).astype(np.float32)


def test_eight_bits_give_nearly_the_same_scores(pictures: Any) -> None:
    network = small()

    made = quantised(network, ranges(network, pictures))

    [exact], [rough] = run(network, pictures), run(made, pictures)
    assert np.abs(exact - rough).max() < 0.1
    assert np.abs(exact - rough).mean() < 0.02


def test_weights_have_seven_bits_for_processors_that_add_two_products_in_sixteen(pictures: Any) -> None:
    network = small()

    made = quantised(network, ranges(network, pictures))

    whole = [made.constants[name] for name in ("k0_whole", "k1_whole")]
    assert all(kernel.dtype == np.int8 and np.abs(kernel).max() == 63 for kernel in whole)
    assert not {"k0", "k1"} & set(made.constants)


def test_the_last_convolution_stays_as_it_is(pictures: Any) -> None:
    network = small()

    made = quantised(network, ranges(network, pictures))

    assert np.array_equal(made.constants["k2"], network.constants["k2"])
    assert "conv_2" not in tensors(network)


def test_the_same_ranges_give_the_same_bytes(pictures: Any) -> None:
    network = small()
    known = ranges(network, pictures)

    assert serialised(quantised(network, known)) == serialised(quantised(small(), known))


def test_ranges_of_another_network_are_told() -> None:
    with pytest.raises(ModelError, match="there are no ranges for images, conv_0, leaky_0"):
        quantised(small(), {"other": (0.0, 1.0)})


def test_ranges_are_read_from_a_file_and_nonsense_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("conv_0: [-1.5, 2]\n", encoding="utf-8")
    assert read_ranges(path) == {"conv_0": (-1.5, 2.0)}

    path.write_text("conv_0: wide\n", encoding="utf-8")
    with pytest.raises(ModelError, match="these are no ranges"):
        read_ranges(path)
