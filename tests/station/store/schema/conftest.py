"""Databases with the tables of the schema: as its steps leave them, and as it declares them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from station.store.database import engine_of
from station.store.schema import box, metadata, stream
from tests.support.declared_tables import put
from tests.support.stores import Place


@pytest.fixture
def stepped(place: Place) -> Iterator[Place]:
    """As a station opens it."""
    with closing(place.open()):
        yield place


@pytest.fixture
def declared(place: Place) -> Place:
    """The declaration itself, without a step, with box 1 and its stream 1."""
    engine = engine_of(place.url)
    place.engines.append(engine)
    metadata.create_all(engine)
    put(place, box, id=1, commune="hai-ninh", device="north-01", first_seen_ms=1, last_seen_ms=1)
    put(place, stream, id=1, box_id=1, name="s-1", first_seen_ms=1, unnumbered=0)
    return place
