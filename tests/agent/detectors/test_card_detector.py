"""agent.detectors.card_detector; the way of pictures through it is tried with real networks in test_onnx.py"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.core.types import Size
from agent.detectors.card import Card, parse_card
from agent.detectors.card_detector import CardDetector
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError


class Cells:
    """A network of somebody else: one cell of 32 pixels, which is a car as sure as it is bright."""

    def __init__(self, fixed: int | None = None) -> None:
        self.outputs: Sequence[str] = ("output",)
        self.dtype: Any = np.float32
        self.fixed = fixed
        self.given: list[tuple[int, ...]] = []
        self.breaks: Exception | None = None
        self.more = 0

    def run(self, batch: NDArray[Any]) -> Sequence[Any]:
        if self.breaks is not None:
            raise self.breaks
        self.given.append(batch.shape)
        bright = batch.mean(axis=(1, 2, 3)) / 255
        rows = [[[0.5, 0.5, 0.0, 0.0, share, 1.0]] for share in bright]
        return [np.array(rows, np.float32)] * (1 + self.more)


@pytest.fixture
def card() -> Card:
    content = {
        "name": "cells", "input": {"width_px": 32, "height_px": 32}, "resize": "stretch", "channels": "bgr",
        "head": {"kind": "yolox", "strides": [32]}, "labels": ["car"], "keep": ["car"], "min_score": 0.2,
        "licence": "ours", "source": "made in a test",
    }  # fmt: skip
    return parse_card(content, Path("cells.yaml"))


def picture(bright: int) -> NDArray[np.uint8]:
    return np.full((64, 64, 3), bright, np.uint8)


def test_any_network_and_a_card_are_a_detector(card: Card) -> None:
    network = Cells()
    it = CardDetector(network, "ab" * 32, card, DetectorSettings(batch=2))
    assert (it.name, it.sha256, it.input_size, it.labels) == ("cells", "ab" * 32, Size(32, 32), ("car",))
    dark, bright, brightest = it.detect([picture(20), picture(153), picture(255)])
    assert dark == ()
    assert [round(one.score, 2) for one in (*bright, *brightest)] == [0.6, 1.0]
    assert network.given == [(2, 3, 32, 32), (1, 3, 32, 32)]  # as many at once as the settings say


def test_a_network_for_so_many_pictures_gets_so_many(card: Card) -> None:
    network = Cells(fixed=4)
    assert len(CardDetector(network, "", card, DetectorSettings()).detect([picture(255)] * 5)) == 5
    assert network.given == [(4, 3, 32, 32)] * 2


def test_whatever_a_network_raises_is_told_as_its_failure(card: Card) -> None:
    network = Cells()
    it = CardDetector(network, "", card, DetectorSettings())
    network.breaks = OSError("the device has gone")
    with pytest.raises(ModelError, match="cells: the network failed: the device has gone"):
        it.detect([picture(255)])


def test_a_network_that_gives_other_outputs_than_it_names_does_not_fit(card: Card) -> None:
    network = Cells()
    it = CardDetector(network, "", card, DetectorSettings())
    network.more = 1
    with pytest.raises(ModelError, match="the 1 outputs that it names"):
        it.try_out()


def test_a_detector_that_is_closed_says_so(card: Card) -> None:
    it = CardDetector(Cells(), "", card, DetectorSettings())
    it.close()
    it.close()
    with pytest.raises(ModelError, match="closed"):
        it.detect([picture(255)])
