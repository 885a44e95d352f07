"""Brokers of both kinds, and a commune that no other test uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from station.embedded import Address, embedded_broker
from tests.brokers import Mosquitto, mosquitto_program


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[Callable[[str], Mosquitto]]:
    """Starts a mosquitto with more lines for its configuration."""
    program = mosquitto_program()
    started: list[Mosquitto] = []

    def make(options: str = "") -> Mosquitto:
        broker = Mosquitto(program, tmp_path, options)
        broker.start()
        started.append(broker)
        return broker

    yield make
    for broker in started:
        broker.kill()


@pytest.fixture
def mosquitto(make_mosquitto: Callable[[str], Mosquitto]) -> Mosquitto:
    return make_mosquitto("")


@pytest.fixture(scope="session")
def embedded() -> Iterator[Address]:
    """One embedded broker for all tests of a process: each uses a commune of its own."""
    with embedded_broker() as address:
        yield address


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.broker)])
def address(request: pytest.FixtureRequest) -> Address:
    """A broker of each kind."""
    if request.param == "embedded":
        found: Address = request.getfixturevalue("embedded")
    else:
        found = request.getfixturevalue("mosquitto").address
    return found


@pytest.fixture
def commune() -> str:
    """A commune of this test's own; the station is named after it too."""
    return f"c-{uuid4().hex[:12]}"
