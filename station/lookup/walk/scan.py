"""Events out of an index, newest or oldest first, in chunks: a look-up ends when its time is up.

Invariants
1. A chunk is asked of the database so that only one way to read it makes sense: what is equal at the head of an
   index, in that index's order, so many rows. What SQLite knows of the table, or does not, changes nothing.
2. Whatever is asked for, the work of one call is bounded by its budget; what is left is told as a place from
   which the next call goes on.
3. A place is never passed twice and none is left out, also while events arrive: it names an event, not a number
   of rows. An event that a box's clock map moves meanwhile may be met at its old place, its new one, or both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, func, select, tuple_

from station.store.schema import event, event_began_ms, event_latest_ms

EventPlace = tuple[int, int, str]
"""When an event began (ms), ids of box and event: places order all events."""
FIRST_CHUNK: Final = 250
LARGEST_CHUNK: Final = 16_000
FIRST_MS, LAST_MS = -(2**53), 2**53
_PLACE = (event_began_ms, event.c.box_id, event.c.event_id)
_COLUMNS = {"began_ms": event_began_ms.label("began_ms"), "latest_ms": event_latest_ms.label("latest_ms")}
"""What a filter may look at beside the columns of an event."""
_PLACED = ("began_ms", "box_id", "event_id")
Conditions = Callable[[Any, int], list[ColumnElement[bool]]]
"""From the columns of a chunk, and the moment before which none of it began (ms), to what each must fulfil."""


_BY_INDEX = (
    "set local enable_bitmapscan = off; set local enable_seqscan = off; set local random_page_cost = 1.1"
)


def go_by_index(connection: Connection) -> None:
    """For this transaction keep PostgreSQL from reading and sorting whatever there is (invariant 1).

    It would, for rows that lie apart on a disk that turns.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_BY_INDEX)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of one head of an index, from `low_ms` until before `high_ms` by when they began."""

    head: tuple[ColumnElement[bool], ...]
    """What is equal at the head of the index, or the condition of an index of some events."""
    low_ms: int = FIRST_MS
    high_ms: int = LAST_MS
    is_likely: bool = False
    """Most of it may be what is looked for."""
    is_short: bool = False
    """It has few events as a rule, however many may be looked for."""
    is_sparse: bool = False
    """Nearly nothing of it may be what is looked for: more of it is looked through at once."""


@dataclass(slots=True)
class Budget:
    """How long one call may take; every stretch gets one chunk all the same, so that each call goes on."""

    seconds: float
    _begun_s: float = field(default_factory=time.monotonic)

    @property
    def is_spent(self) -> bool:
        """Nothing more is to be begun."""
        return time.monotonic() - self._begun_s >= self.seconds


@dataclass(frozen=True, slots=True)
class Met:
    """An event that was met, or the place where the budget was spent."""

    place: EventPlace
    is_end: bool = False
    """Beyond this place nobody has looked."""


class ScanOrder:
    """Newest or oldest first: what comes before what."""

    def __init__(self, *, newest_first: bool) -> None:
        self.newest_first = newest_first

    def by(self) -> tuple[ColumnElement[Any], ...]:
        """For `order by`."""
        return tuple(each.desc() for each in _PLACE) if self.newest_first else _PLACE

    def passes(self, after: EventPlace, place: EventPlace) -> bool:
        """Whether a place lies beyond another one."""
        return place < after if self.newest_first else place > after

    def beyond(self, stretch: Stretch, after: EventPlace | None) -> list[ColumnElement[bool]]:
        """What lies in the stretch, beyond a place.

        One bound on each side and no other: of several the databases take any to begin at, not the nearest.
        """
        low, high = event_began_ms >= stretch.low_ms, event_began_ms < stretch.high_ms
        if after is None:
            return [*stretch.head, low, high]
        if self.newest_first:
            if after[0] < stretch.high_ms:
                high = event_began_ms <= after[0]
            return [*stretch.head, low, high, tuple_(*_PLACE) < tuple_(*after)]
        if after[0] >= stretch.low_ms:
            low = event_began_ms >= after[0]
        return [*stretch.head, low, high, tuple_(*_PLACE) > tuple_(*after)]


class _NotedColumns:
    """Has any column of an event by its name, and notes which were asked for."""

    def __init__(self) -> None:
        self.columns: dict[str, Any] = {name: _column(name) for name in _PLACED}

    def __getattr__(self, name: str) -> Any:
        return self.columns.setdefault(name, _column(name))


def _column(name: str) -> Any:
    return _COLUMNS[name] if name in _COLUMNS else event.c[name]


def looked_at(where: Conditions) -> tuple[Any, ...]:
    """The columns that these conditions look at, and those of places.

    With all that any filter ever looks at, a third of a look-up went into naming columns.
    """
    noted = _NotedColumns()
    where(noted, FIRST_MS)
    return tuple(noted.columns.values())


def chunk(
    columns: Sequence[Any], stretch: Stretch, order: ScanOrder, after: EventPlace | None, rows: int
) -> Subquery:
    """The next rows of a stretch, with what filters look at (invariant 1)."""
    query = select(*columns).where(*order.beyond(stretch, after)).order_by(*order.by()).limit(rows)
    return query.subquery("chunk")


def place_after(
    connection: Connection, stretch: Stretch, order: ScanOrder, after: EventPlace | None, rows: int
) -> EventPlace | None:
    """The place of the last of so many rows; None: there are fewer."""
    query = select(*_PLACE).where(*order.beyond(stretch, after)).order_by(*order.by())
    row = connection.execute(query.limit(1).offset(rows - 1)).first()
    return None if row is None else (row[0], row[1], row[2])


@dataclass(slots=True)
class Scan:
    """One look through stretches with the same filter, order and budget."""

    connection: Connection
    order: ScanOrder
    where: Conditions
    budget: Budget
    _columns: tuple[Any, ...] = field(init=False)
    _asked: dict[int, bool] = field(init=False, default_factory=dict)
    """By the moment before which none of a stretch began: to write the conditions of each takes longer."""

    def __post_init__(self) -> None:
        self._columns = looked_at(self.where)

    def matching(self, stretch: Stretch, after: EventPlace | None, rows: int, most: int) -> Select[Any]:
        """Places of those that pass, of the next rows of a stretch."""
        these = chunk(self._columns, stretch, self.order, after, rows)
        return self._in_order(these).where(*self.where(these.c, stretch.low_ms)).limit(most)

    def met(self, stretch: Stretch, after: EventPlace | None, most: int) -> Iterator[Met]:
        """What passes the filter, in order; at the end of the budget where that was."""
        rows = FIRST_CHUNK if stretch.is_short else max(FIRST_CHUNK, most) * (4 if stretch.is_sparse else 1)
        read = self._next if self._is_asked_more(stretch) else self._indexed
        while True:
            places, after = read(stretch, after, rows, most)
            yield from map(Met, places)
            if len(places) < most:
                rows = min(4 * rows, LARGEST_CHUNK)
            if after is None:
                return
            if self.budget.is_spent:
                yield Met(after, is_end=True)
                return

    def _next(
        self, stretch: Stretch, after: EventPlace | None, rows: int, most: int
    ) -> tuple[list[EventPlace], EventPlace | None]:
        """Up to `most` that pass, of the next rows, and from where to go on; None: the stretch ends there."""
        # To bring what does not pass costs less than a second question, while it is little.
        if (stretch.is_likely and rows <= most) or (stretch.is_short and rows <= FIRST_CHUNK):
            return self._passing(stretch, after, rows)
        query = self.matching(stretch, after, rows, most)
        places = [(row[0], row[1], row[2]) for row in self.connection.execute(query).all()]
        if len(places) == most:
            return places, places[-1]
        return places, place_after(self.connection, stretch, self.order, after, rows)

    def _indexed(
        self, stretch: Stretch, after: EventPlace | None, _rows: int, most: int
    ) -> tuple[list[EventPlace], EventPlace | None]:
        """The same where every event passes."""
        query = select(*_PLACE).where(*self.order.beyond(stretch, after)).order_by(*self.order.by())
        rows = self.connection.execute(query.limit(most)).all()
        places = [(row[0], row[1], row[2]) for row in rows]
        return places, places[-1] if len(places) == most else None

    def _is_asked_more(self, stretch: Stretch) -> bool:
        """Whether an event of the stretch must fulfil anything; else the index alone answers."""
        if stretch.low_ms not in self._asked:
            self._asked[stretch.low_ms] = bool(self.where(_NotedColumns(), stretch.low_ms))
        return self._asked[stretch.low_ms]

    def _passing(
        self, stretch: Stretch, after: EventPlace | None, rows: int
    ) -> tuple[list[EventPlace], EventPlace | None]:
        these = chunk(self._columns, stretch, self.order, after, rows)
        passes = and_(*self.where(these.c, stretch.low_ms))
        query = select(*(these.c[name] for name in _PLACED), passes)
        found = [((row[0], row[1], row[2]), row[3]) for row in self.connection.execute(query).all()]
        found.sort(reverse=self.order.newest_first)  # they come so, but no database promises it
        return [place for place, passed in found if passed], found[-1][0] if len(found) == rows else None

    def number(self, stretch: Stretch, after: EventPlace | None, most: int) -> tuple[int, bool]:
        """How many pass, up to `most`; and whether nobody has looked at all of them."""
        number, rows = 0, FIRST_CHUNK
        if not self._is_asked_more(stretch):
            these = select(event.c.box_id).where(*self.order.beyond(stretch, after)).limit(most)
            number = self.connection.scalar(select(func.count()).select_from(these.subquery())) or 0
            return number, number >= most
        while True:
            part = chunk(self._columns, stretch, self.order, after, rows)
            passing = select(part.c.box_id).where(*self.where(part.c, stretch.low_ms)).limit(most - number)
            number += self.connection.scalar(select(func.count()).select_from(passing.subquery())) or 0
            if number >= most:
                return number, True
            after = place_after(self.connection, stretch, self.order, after, rows)
            if after is None or self.budget.is_spent:
                return number, after is not None
            rows = min(4 * rows, LARGEST_CHUNK)

    def _in_order(self, these: Subquery) -> Select[Any]:
        place = [these.c[name] for name in _PLACED]
        by: Sequence[Any] = [each.desc() for each in place] if self.order.newest_first else place
        return select(*place).order_by(*by)
