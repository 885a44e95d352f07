"""Looks events up: a page of cards, how many there are, all of them for an export.

Each page is a transaction of its own, and so much work and no more: `walk/scan.py` has the invariants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.cards import EventCard
from station.lookup.colour_asked import unknown_besides
from station.lookup.found import EventCount, EventPage, place_of
from station.lookup.walk.scan import Budget, go_by_index
from station.lookup.walk.search_walk import SearchWalk
from station.lookup.wanted import EventSearch
from station.store.database import in_words

PAGE: Final = 60
BUDGET_S: Final = 0.15
MOST_COUNTED: Final = 1_000
_EXPORT_PAGE = 500


def found_page(
    engine: Engine, wanted: EventSearch, after: str | None = None, limit: int = PAGE, budget_s: float = BUDGET_S
) -> EventPage:
    """A page of what is looked for; `after` is the `next` of the page before.

    Raises:
        NgatuError: `after` is none of ours.
        StoreError: the store cannot be read.
    """
    place = None if after is None else place_of(after)
    with _reading(engine) as connection:
        return SearchWalk(connection, wanted, Budget(budget_s)).page(place, limit)


def looked_up(
    engine: Engine, wanted: EventSearch, after: str | None = None, limit: int = PAGE, budget_s: float = BUDGET_S
) -> tuple[EventPage, EventCount]:
    """A page as `found_page` gives it, and how many there are, up to MOST_COUNTED, as far as time allows.

    Raises:
        NgatuError: `after` is none of ours.
        StoreError: the store cannot be read.
    """
    place = None if after is None else place_of(after)
    with _reading(engine) as connection:
        look = SearchWalk(connection, wanted, Budget(budget_s))
        if place is None and look.is_narrow:
            return look.page_and_number(limit, MOST_COUNTED)
        page = look.page(place, limit)
        if place is None and (page.next is None or page.looked_to_ms is not None):
            return page, EventCount(len(page.cards), page.next is None)
        return page, look.number(MOST_COUNTED)


def counted(
    engine: Engine, wanted: EventSearch, most: int = MOST_COUNTED, budget_s: float = BUDGET_S
) -> EventCount:
    """How many there are, up to `most`, as far as the time allows.

    Raises:
        StoreError: the store cannot be read.
    """
    with _reading(engine) as connection:
        return SearchWalk(connection, wanted, Budget(budget_s)).number(most)


def counted_unknown(
    engine: Engine, wanted: EventSearch, most: int = MOST_COUNTED, budget_s: float = BUDGET_S
) -> EventCount | None:
    """How many more there are that fit but for a colour that is not known; None: no colour is asked for.

    Raises:
        StoreError: the store cannot be read.
    """
    parts = [counted(engine, each, most, budget_s) for each in unknown_besides(wanted)]
    if not parts:
        return None
    number = sum(each.number for each in parts)
    return EventCount(min(number, most), is_all=number <= most and all(each.is_all for each in parts))


def found_all(engine: Engine, wanted: EventSearch, page: int = _EXPORT_PAGE) -> Iterator[EventCard]:
    """All of them, a page at a time: a reader who pauses holds up nobody.

    Raises:
        StoreError: the store cannot be read.
    """
    after: str | None = None
    while True:
        found = found_page(engine, wanted, after, page)
        yield from found.cards
        after = found.next
        if after is None:
            return


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            yield connection
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
