"""station.lookup.walk.search_walk"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from station.lookup.walk.scan import Budget, go_by_index
from station.lookup.walk.search_walk import SearchWalk
from station.lookup.wanted import EventSearch
from tests.support.stores import Place
from tests.support.told_events import event_at

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
HOUR = EventSearch(SIX, SIX + timedelta(hours=1))
CAMERAS = ("north", "south", "west")


@pytest.fixture
def filled(place: Place) -> Place:
    """Ninety events of three cameras, twenty seconds apart, the first an hour before six."""
    with closing(place.open(now=SIX.timestamp)) as store:
        began = SIX - timedelta(hours=1)
        store.commit(
            [
                event_at(number, began + timedelta(seconds=80 * number), camera=CAMERAS[number % 3])
                for number in range(90)
            ]
        )
    return place


@contextmanager
def walk(place: Place, wanted: EventSearch, budget_s: float = 5.0) -> Iterator[SearchWalk]:
    with place.engine.connect() as connection, connection.begin():
        go_by_index(connection)
        yield SearchWalk(connection, wanted, Budget(budget_s))


def at(*names: str) -> EventSearch:
    return replace(HOUR, cameras=tuple(f"north-01/{name}" for name in names))


@pytest.mark.parametrize(
    ("wanted", "there"),
    [(HOUR, 45), (at("north"), 15), (at("north", "south"), 30), (at(*CAMERAS), 45), (at("nowhere"), 0)],
)
def test_a_page_and_the_number_are_the_same_in_one_walk_and_in_two(
    filled: Place, wanted: EventSearch, there: int
) -> None:
    with walk(filled, wanted) as once:
        page, number = once.page_and_number(7, 1000)
    with walk(filled, wanted) as one:
        assert one.page(None, 7) == page
    with walk(filled, wanted) as other:
        assert other.number(1000) == number

    assert (number.number, number.is_all) == (there, True)


def test_two_cameras_are_walked_through_once_and_three_in_two_walks(
    filled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.lookup.walk.ways.PROBE_ROWS", 1)  # as if there were a million
    found = []
    for names in (CAMERAS[:1], CAMERAS[:2], CAMERAS):
        with walk(filled, at(*names)) as one:
            found.append(one.is_narrow)

    assert found == [True, True, False]


def test_where_no_such_box_is_nothing_is_asked_of_the_events(filled: Place) -> None:
    filled.do("drop table event_feed")
    filled.do("alter table event rename to elsewhere")

    with walk(filled, replace(HOUR, boxes=("elsewhere",))) as one:
        page, number = one.page_and_number(7, 1000)

    assert (page.cards, page.next, number.number, number.is_all) == ((), None, 0, True)


def test_more_than_the_most_are_not_counted(filled: Place) -> None:
    for wanted in (HOUR, at(*CAMERAS)):
        with walk(filled, wanted) as one:
            found = one.number(12)
        assert (found.number, found.is_all) == (12, False)
