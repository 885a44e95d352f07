"""What is due by its age and not held: found in the order of its age, a few rows at a time. Reads only.

Age counts from when something came to the station, by the station's clock: a box that was cut off for a month
makes nothing young old, and its clock has no say. What a message adds to an event later makes it young again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from station.retention.holds import is_held_by_people
from station.retention.settings import DAY_MS, KeptClass, RetentionSettings
from station.store.schema import (
    count_interval,
    event,
    event_began_ms,
    event_is_alert,
    event_latest_ms,
    message_is_answer,
    other_message,
    picture,
    picture_is_snapshot,
)

EVER_MS: Final = 2**53
"""Before it comes all that can come."""
What = Literal["event", "picture", "count", "answer"]


@dataclass(frozen=True, slots=True)
class HeldRange:
    """What footage was asked for, or is here: events in it stay."""

    box_id: int
    camera: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class DueSource:
    """One way to what is due of a class."""

    kept: KeptClass
    what: What
    key: tuple[ColumnElement[Any], ...]
    """By which a row is known again."""
    came: ColumnElement[int]
    """By which rows are found in order; none is younger than it says."""
    due: Callable[[int], Select[Any]]
    """Rows with `came_ms`, the key's columns and, where footage may hold them, `camera`, `from_ms`, `to_ms`."""

    def after(self, until_ms: int, place: Sequence[Any] | None, limit: int) -> Select[Any]:
        """The next rows that are due."""
        order = (self.came, *self.key)
        query = self.due(until_ms).order_by(*order).limit(limit)
        if place is None:
            return query
        there = (literal(value, column.type) for column, value in zip(order, place, strict=True))
        return query.where(tuple_(*order) > tuple_(*there))

    def again(self, until_ms: int, keys: Collection[Sequence[Any]]) -> Select[Any]:
        """Those of these that are due still."""
        return self.due(until_ms).where(tuple_(*self.key).in_(sorted(tuple(key) for key in keys)))

    def place_of(self, row: Row[Any]) -> tuple[Any, ...]:
        """Behind which the next rows are."""
        return (row.came_ms, *self.key_of(row))

    def key_of(self, row: Row[Any]) -> tuple[Any, ...]:
        """Of a row that was found."""
        return tuple(row._mapping[str(column.key)] for column in self.key)


def _events(kept: KeptClass, which: ColumnElement[bool]) -> DueSource:
    key = (event.c.box_id, event.c.event_id)
    when = event_began_ms.label("from_ms"), event_latest_ms.label("to_ms")

    def due(until_ms: int) -> Select[Any]:
        columns = (event.c.first_received_ms.label("came_ms"), event.c.received_ms, event.c.camera)
        return (
            select(*key, *columns, *when)
            .where(event.c.first_received_ms < until_ms, event.c.received_ms < until_ms)
            .where(which, ~is_held_by_people())
        )

    return DueSource(kept, "event", key, event.c.first_received_ms, due)


_PICTURE_KEY: Final = (picture.c.box_id, picture.c.event_id, picture.c.kind, picture.c.sha256)
_PICTURE: Final = (*_PICTURE_KEY, picture.c.received_ms.label("came_ms"), picture.c.received_ms)


def _of_events(until_ms: int) -> Select[Any]:
    its_event = (event.c.box_id == picture.c.box_id) & (event.c.event_id == picture.c.event_id)
    return (
        select(*_PICTURE, event.c.camera, event_began_ms.label("from_ms"), event_latest_ms.label("to_ms"))
        .join(event, its_event)
        .where(picture.c.received_ms < until_ms, ~event_is_alert, ~is_held_by_people())
    )


def _without_event(until_ms: int) -> Select[Any]:
    """Nobody can say what they show: they may be an alert's, of any time."""
    its_event = exists().where(event.c.box_id == picture.c.box_id, event.c.event_id == picture.c.event_id)
    from_ms, to_ms = (literal_column(each, BigInteger) for each in ("0", str(EVER_MS)))
    columns = picture.c.camera, from_ms.label("from_ms"), to_ms.label("to_ms")
    query = select(*_PICTURE, *columns).where(picture.c.received_ms < until_ms)
    return query.where(~picture_is_snapshot, ~its_event)


def _snapshots(until_ms: int) -> Select[Any]:
    return select(*_PICTURE).where(picture.c.received_ms < until_ms, picture_is_snapshot)


def _counts(until_ms: int) -> Select[Any]:
    """Of some it is not known when they came; then the box's clock says it."""
    came = func.coalesce(count_interval.c.received_ms, count_interval.c.start_ms)
    columns = count_interval.c.stream_id, count_interval.c.seq, count_interval.c.start_ms.label("came_ms")
    return select(*columns, came.label("received_ms")).where(
        count_interval.c.start_ms < until_ms,
        or_(count_interval.c.received_ms.is_(None), count_interval.c.received_ms < until_ms),
    )


def _answers(until_ms: int) -> Select[Any]:
    columns = other_message.c.stream_id, other_message.c.seq, other_message.c.received_ms
    came = other_message.c.received_ms.label("came_ms")
    return select(*columns, came).where(message_is_answer, other_message.c.received_ms < until_ms)


SOURCES: Final = (
    DueSource(KeptClass.PICTURES, "picture", _PICTURE_KEY, picture.c.received_ms, _of_events),
    _events(KeptClass.EVENTS, ~event_is_alert),
    _events(KeptClass.ALERTS, event_is_alert),
    DueSource(KeptClass.ALERTS, "picture", _PICTURE_KEY, picture.c.received_ms, _without_event),
    DueSource(
        KeptClass.COUNTS,
        "count",
        (count_interval.c.stream_id, count_interval.c.seq),
        count_interval.c.start_ms,
        _counts,
    ),
    DueSource(KeptClass.ANSWERS, "picture", _PICTURE_KEY, picture.c.received_ms, _snapshots),
    DueSource(
        KeptClass.ANSWERS,
        "answer",
        (other_message.c.stream_id, other_message.c.seq),
        other_message.c.received_ms,
        _answers,
    ),
)
"""In the order in which they are deleted: what is left of a picture's event goes after the picture."""


class Shields:
    """Whether footage holds what a row shows."""

    def __init__(self, ranges: Collection[HeldRange] = ()) -> None:
        self._ranges: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for each in ranges:
            self._ranges.setdefault((each.box_id, each.camera), []).append((each.from_ms, each.to_ms))

    def hold(self, row: Row[Any]) -> bool:
        """Of a row of any source."""
        if "camera" not in row._fields:
            return False
        held = self._ranges.get((row.box_id, row.camera), ())
        return any(from_ms <= row.to_ms and row.from_ms <= to_ms for from_ms, to_ms in held)


def due(
    read: Callable[[Callable[[Connection], Sequence[Row[Any]]]], Sequence[Row[Any]]],
    source: DueSource,
    until_ms: int,
    shields: Shields,
    at_once: int,
) -> Iterator[list[Row[Any]]]:
    """All that is due, the oldest first, in parts of at most `at_once`.

    `read` runs a query in a transaction of its own: one that stood open meanwhile would let SQLite's log grow.
    """
    query = source.after(until_ms, None, at_once)
    while rows := read(partial(_rows, query=query)):
        query = source.after(until_ms, source.place_of(rows[-1]), at_once)
        if free := [row for row in rows if not shields.hold(row)]:
            yield free


def _rows(connection: Connection, query: Select[Any]) -> Sequence[Row[Any]]:
    return connection.execute(query).all()


def until(settings: RetentionSettings, kept: KeptClass, now_ms: int) -> int | None:
    """What came before this moment is due; None: this class is kept for ever."""
    days = settings.days(kept)
    return None if days is None else now_ms - days * DAY_MS
