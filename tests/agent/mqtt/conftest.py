"""Boxes at brokers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from agent.clock import Clock
from agent.wire.topics import Topics
from tests.support.forwarders import CLOCK, Box


@pytest.fixture
def open_box(tmp_path: Path) -> Iterator[Callable[..., Box]]:
    """Starts boxes at brokers, each a commune of its own."""
    boxes: list[Box] = []

    def start(port: int, *, clock: Clock = CLOCK, trusted: bool = True, **more: object) -> Box:
        commune = f"c-{uuid4().hex[:12]}"
        folder = tmp_path / commune
        boxes.append(Box(folder, port, Topics(commune, "box-1"), more, clock, trusted))
        boxes[-1].forwarder.start()
        return boxes[-1]

    yield start
    for box in boxes:
        box.close()


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.broker)])
def port(request: pytest.FixtureRequest) -> int:
    """A broker of each kind that speaks MQTT 5."""
    return int(request.getfixturevalue(request.param).port)
