"""Brokers of both kinds, and a commune that no other test uses."""

from __future__ import annotations

from uuid import uuid4

import pytest

from station.embedded import Address
from tests.brokers import embedded, mosquitto, start_mosquitto

__all__ = ["embedded", "mosquitto", "start_mosquitto"]


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.broker)])
def address(request: pytest.FixtureRequest) -> Address:
    """A broker of each kind."""
    if request.param == "mosquitto":
        port = request.getfixturevalue("mosquitto").port
        return Address("127.0.0.1", port, port)
    found: Address = request.getfixturevalue("embedded")
    return found


@pytest.fixture
def commune() -> str:
    """A commune of this test's own; the station is named after it too."""
    return f"c-{uuid4().hex[:12]}"
