"""Brokers of both kinds, and a commune that no other test uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import URL, Engine

from station.store.database import engine_of, upgrade
from station.watch.embedded import Address
from tests.support.duty_store import add_box
from tests.support.stores import Place, new_database, postgresql_server


@pytest.fixture(autouse=True)
def every_line_is_heard() -> None:
    """Commands set up logging for their process; here the next test shares it."""
    structlog.reset_defaults()


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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[URL]:
    """A PostgreSQL server that all tests share; each takes a database of its own."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a store may be: in a file, and on a server."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path / "station.db"))
    else:
        url = new_database(request.getfixturevalue("postgresql"))
    found = Place(url, tmp_path)
    yield found
    found.close()


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Iterator[Place]:
    """A store in a file."""
    found = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
    yield found
    found.close()


@pytest.fixture
def store(place: Place) -> Iterator[Engine]:
    """A store with one box, in which nothing has happened yet; on SQLite and on PostgreSQL."""
    engine = engine_of(place.url)
    upgrade(engine)
    with engine.begin() as connection:
        add_box(connection, "hai-ninh", "north-01")
    yield engine
    engine.dispose()
