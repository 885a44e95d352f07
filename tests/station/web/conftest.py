"""The duty room's screen over a store, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import URL

from station.store.schema import metadata
from tests.support.duty_room import browser
from tests.support.duty_screen import DutyScreen
from tests.support.people import CHEAP
from tests.support.stores import Place

KEPT = ("account", "web_session", "audit_entry", "known_browser")


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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DutyScreen, Place]]:
    """One screen over SQLite for a module: what a page says does not depend on the database."""
    folder = tmp_path_factory.mktemp("screen")
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    with screen_of(place) as found:
        yield found, place
    place.close()


@pytest.fixture
def stored(shared: tuple[DutyScreen, Place]) -> Place:
    """Its store, in which nothing but people is left of the test before."""
    _, place = shared
    for table in reversed(metadata.sorted_tables):
        if table.name not in KEPT:
            place.do(f"delete from {table.name}")
    return place


@pytest.fixture
def screen(shared: tuple[DutyScreen, Place], stored: Place) -> DutyScreen:
    """The screen over an empty store."""
    return shared[0]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for the tests of a file: while it is open nothing else in this process may have a loop of asyncio."""
    with browser() as opened:
        yield opened
