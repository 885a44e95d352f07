"""The duty room's screen over a store, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.duty_room import browser
from tests.support.duty_screen import DutyScreen
from tests.support.people import CHEAP
from tests.support.stores import Place


def database_of(place: Place) -> dict[str, Any]:
    """Where a store is, as the station's file says it."""
    url = place.url
    if url.drivername == "sqlite":
        return {}
    return {"database": {"url": f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"}}


@contextmanager
def screen_of(place: Place) -> Iterator[DutyScreen]:
    """The screen of a store that has its tables, served."""
    place.open().close()
    found = DutyScreen(place.folder, "hai-ninh", database_of(place), cost=CHEAP)
    try:
        with found.served():
            yield found
    finally:
        found.close()


@pytest.fixture
def screen(sqlite_place: Place) -> Iterator[DutyScreen]:
    """Over SQLite: what a page says does not depend on the database."""
    with screen_of(sqlite_place) as found:
        yield found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all tests of this room."""
    with browser() as opened:
        yield opened
