"""A store with one box, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from station.store.database import engine_of, upgrade
from tests.support.duty_store import add_box
from tests.support.stores import Place


@pytest.fixture
def store(place: Place) -> Iterator[Engine]:
    """Nothing has happened yet."""
    engine = engine_of(place.url)
    upgrade(engine)
    with engine.begin() as connection:
        add_box(connection, "hai-ninh", "north-01")
    yield engine
    engine.dispose()
