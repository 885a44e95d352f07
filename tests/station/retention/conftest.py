"""Stores in which things are old."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aged_store import AgedStore
from tests.support.stores import Place


@pytest.fixture
def aged(place: Place) -> Iterator[AgedStore]:
    """On each database."""
    found = AgedStore(place)
    yield found
    found.close()


@pytest.fixture
def aged_file(sqlite_place: Place) -> Iterator[AgedStore]:
    """In a file."""
    found = AgedStore(sqlite_place)
    yield found
    found.close()
