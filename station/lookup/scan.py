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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Subquery, func, select, tuple_

from station.store.schema import event, event_began_ms, event_latest_ms

EventPlace = tuple[int, int, str]
"""When an event began (ms), ids of box and event: places order all events."""
FIRST_CHUNK: Final = 250
LARGEST_CHUNK: Final = 16_000
FIRST_MS, LAST_MS = -(2**53), 2**53
_PLACE = (event_began_ms, event.c.box_id, event.c.event_id)
_COLUMNS = (
    event.c.box_id, event.c.event_id, event.c.camera, event.c.kind, event.c.phase, event.c.severity,
    event.c.rule_id, event.c.label, event.c.vehicle_colour, event.c.clothes_colour, event.c.riders,
    event.c.zones, event.c.direction, event.c.detail,
    event.c.replayed, event.c.first_received_ms, event_began_ms.label("began_ms"),
    event_latest_ms.label("latest_ms"),
)  # fmt: skip


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


def chunk(stretch: Stretch, order: ScanOrder, after: EventPlace | None, rows: int) -> Subquery:
    """The next rows of a stretch, with what filters look at (invariant 1)."""
    query = select(*_COLUMNS).where(*order.beyond(stretch, after)).order_by(*order.by()).limit(rows)
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
    where: Any
    """From the columns of a chunk to conditions: (columns) -> list of ColumnElement."""
    budget: Budget

    def met(self, stretch: Stretch, after: EventPlace | None, most: int) -> Iterator[Met]:
        """What passes the filter, in order; at the end of the budget where that was."""
        rows = max(FIRST_CHUNK, most)
        while True:
            these = chunk(stretch, self.order, after, rows)
            found = self.connection.execute(self._matching(these, most)).all()
            places: list[EventPlace] = [(row[0], row[1], row[2]) for row in found]
            yield from map(Met, places)
            if len(places) == most:
                after = places[-1]
            else:
                after = place_after(self.connection, stretch, self.order, after, rows)
                rows = min(4 * rows, LARGEST_CHUNK)
            if after is None:
                return
            if self.budget.is_spent:
                yield Met(after, is_end=True)
                return

    def number(self, stretch: Stretch, after: EventPlace | None, most: int) -> tuple[int, bool]:
        """How many pass, up to `most`; and whether nobody has looked at all of them."""
        number, rows = 0, FIRST_CHUNK
        while True:
            these = chunk(stretch, self.order, after, rows)
            passing = select(these.c.box_id).where(*self.where(these.c)).limit(most - number).subquery()
            number += self.connection.scalar(select(func.count()).select_from(passing)) or 0
            if number >= most:
                return number, True
            after = place_after(self.connection, stretch, self.order, after, rows)
            if after is None or self.budget.is_spent:
                return number, after is not None
            rows = min(4 * rows, LARGEST_CHUNK)

    def _matching(self, these: Subquery, most: int) -> Select[Any]:
        place = these.c.began_ms, these.c.box_id, these.c.event_id
        by: Sequence[Any] = [each.desc() for each in place] if self.order.newest_first else place
        return select(*place).where(*self.where(these.c)).order_by(*by).limit(most)
