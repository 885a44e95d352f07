"""A store that is open, and the engines on which what leaves the station stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine

from station.store.database import engine_of
from station.store.store import Store
from tests.support.stores import Place


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with closing(place.open()) as store:
        yield store


@pytest.fixture
def engines(place: Place, store: Store) -> Iterator[tuple[Engine, Engine]]:
    """To read by, and to write by."""
    reads, writes = engine_of(place.url, writes=False), engine_of(place.url)
    yield reads, writes
    reads.dispose()
    writes.dispose()
