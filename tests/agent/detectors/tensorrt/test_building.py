"""agent.detectors.tensorrt.building"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from agent.core.types import Box, Detection, Image, Size
from agent.detectors import Detector
from agent.detectors.card import Card, parse_card
from agent.detectors.tensorrt.building import BuildingDetector
from agent.errors import ModelError
from tests.support.brokers import until

FOUND = (Detection("car", 0.9, Box(0.0, 0.0, 1.0, 1.0)),)
PICTURE = np.zeros((8, 8, 3), np.uint8)


class Engine:
    """A GPU that builds until it may finish, or fails."""

    name, sha256, input_size, labels = "roads", "ab" * 32, Size(32, 32), ("car",)

    def __init__(self, fails: Exception | None = None) -> None:
        self.may_finish = threading.Event()
        self.fails = fails
        self.closed = 0

    def load(self) -> Detector:
        assert self.may_finish.wait(30)
        if self.fails is not None:
            raise self.fails
        return self

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        return [FOUND for _ in images]

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def card() -> Card:
    content = {
        "name": "roads", "input": {"width_px": 32, "height_px": 32}, "resize": "stretch", "channels": "bgr",
        "head": {"kind": "yolox"}, "labels": ["car"], "keep": ["car"], "licence": "ours", "source": "a test",
    }  # fmt: skip
    return parse_card(content, Path("roads.yaml"))


def test_it_is_there_at_once_says_that_it_builds_and_then_finds(card: Card) -> None:
    engine = Engine()
    with capture_logs() as lines:
        it = BuildingDetector(card, "ab" * 32, engine.load)
        assert (it.name, it.sha256, it.input_size, it.labels) == ("roads", "ab" * 32, Size(32, 32), ("car",))
        with pytest.raises(ModelError, match="roads: TensorRT builds its engine") as refused:
            it.detect([PICTURE])
        assert "watched by motion" in refused.value.hint
        assert not it.ready
        engine.may_finish.set()
        until(lambda: it.ready, 30)
        assert it.detect([PICTURE]) == [FOUND]
        until(lambda: len(lines) == 2, 30)
    assert [line["event"] for line in lines] == ["engines_are_built", "engines_built"]


@pytest.mark.parametrize(("fails", "why"), [
    (ModelError("no network at all", "fetch it again"), "no network at all"),
    (OSError("the GPU has gone"), "roads: OSError: the GPU has gone"),
])  # fmt: skip
def test_where_it_cannot_be_built_each_call_says_why(card: Card, fails: Exception, why: str) -> None:
    engine = Engine(fails)
    it = BuildingDetector(card, "", engine.load)
    engine.may_finish.set()
    until(lambda: it.ready, 30)
    for _ in range(2):
        with pytest.raises(ModelError, match=why):
            it.detect([PICTURE])


def test_one_that_is_closed_while_it_builds_is_let_go_of_when_it_is_there(card: Card) -> None:
    engine = Engine()
    it = BuildingDetector(card, "", engine.load)
    it.close()
    engine.may_finish.set()
    until(lambda: engine.closed == 1, 30)
