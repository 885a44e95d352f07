"""What the store has committed and the uplink has not handed over yet: numbers first, then what they bring.

Reads only. Nothing here must survive: what was handed is in handed.py, what was committed in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, select

from agent.wire.ranges import Ranges
from station.store.clocks import TRUSTED_CLOCKS
from station.store.columns import HOUR_MS, hour_of
from station.store.schema import (
    box,
    count_hour,
    count_interval,
    event,
    event_revision,
    other_message,
    span,
    stream,
)
from station.uplink.envelope import ItemKind, UpItem, compact
from station.uplink.handed import LineHour, Stream

AT_ONCE: Final = 1_000
"""Numbers that are looked at in one turn."""
LEAST: Final = 20
"""Of each stream, however many there are."""
_OVER_MS: Final = 360_000
"""After its end an hour is asked for: the station sums it up after five minutes."""

_SPANS = (
    select(stream.c.id, box.c.device, stream.c.name, span.c.first, span.c.last)
    .join(stream, stream.c.id == span.c.stream_id)
    .join(box, box.c.id == stream.c.box_id)
    .where(box.c.commune == bindparam("of_commune"))
    .order_by(stream.c.id, span.c.first)
)


def _within(table: Any) -> Any:
    return (table.c.stream_id == bindparam("of")) & table.c.seq.between(bindparam("first"), bindparam("last"))


_EVENTS = (
    select(event_revision.c.seq, event_revision.c.phase, event_revision.c.body, event.c.severity)
    .join(
        event,
        and_(event.c.box_id == event_revision.c.box_id, event.c.event_id == event_revision.c.event_id),
    )
    .where(_within(event_revision))
)
_SEALS = select(other_message.c.body).where(_within(other_message), other_message.c.kind == "chain")
_COUNT = count_interval.c
_COUNTS = select(
    _COUNT.camera, _COUNT.rule, _COUNT.start_ms, _COUNT.end_ms, _COUNT.clock_state, _COUNT.body
).where(_within(count_interval))
_LINE = (
    (box.c.commune == bindparam("of_commune")),
    (box.c.device == bindparam("of_device")),
)
_HOUR = (
    select(count_hour.c.body, count_hour.c.due_ms)
    .join(box, box.c.id == count_hour.c.box_id)
    .where(
        *_LINE,
        count_hour.c.camera == bindparam("of_camera"),
        count_hour.c.rule == bindparam("of_rule"),
        count_hour.c.hour_ms == bindparam("at_ms"),
    )
)
_OF_HOUR = (
    select(_COUNT.body)
    .join(box, box.c.id == _COUNT.box_id)
    .where(
        *_LINE,
        _COUNT.camera == bindparam("of_camera"),
        _COUNT.rule == bindparam("of_rule"),
        _COUNT.start_ms.between(bindparam("at_ms") - HOUR_MS, bindparam("at_ms") + HOUR_MS - 1),
        _COUNT.end_ms > bindparam("at_ms"),
    )
)


@dataclass
class Gathered:
    """What one look has found."""

    urgent: list[UpItem] = field(default_factory=list)
    urgent_numbers: dict[Stream, list[tuple[int, int]]] = field(default_factory=dict)
    """Those of `numbers` under which something urgent lies."""
    bulk: list[UpItem] = field(default_factory=list)
    numbers: dict[Stream, list[tuple[int, int]]] = field(default_factory=dict)
    """All that was looked at; most of it brings nothing up."""
    touched: set[LineHour] = field(default_factory=set)
    more: bool = False
    """There is more at once."""


def gather(
    connection: Connection,
    commune: str,
    taken: Callable[[Stream], Ranges],
    *,
    info_events: bool,
    only_urgent: bool = False,
) -> Gathered:
    """The newest numbers that are committed and not taken yet, at most about AT_ONCE, and what they bring.

    With `only_urgent` the numbers are those under which something urgent lies; all others are for another time.
    """
    found, lacking = Gathered(), _lacking(connection, commune, taken)
    most = max(LEAST, AT_ONCE // max(1, len(lacking)))
    for (stream_id, key), ranges in lacking.items():
        newest, is_all = _newest(ranges, most)
        found.numbers[key] = newest
        found.more = found.more or not is_all
        for first, last in newest:
            _look(connection, found, key, {"of": stream_id, "first": first, "last": last}, info_events)
    if only_urgent:
        found = Gathered(found.urgent, found.urgent_numbers, numbers=dict(found.urgent_numbers))
    return found


def hours(
    connection: Connection, commune: str, due: Iterable[LineHour], now_ms: int
) -> tuple[list[UpItem], list[LineHour]]:
    """Of hours that are to be told those that are summed up, and which these are."""
    items, told_hours = list[UpItem](), list[LineHour]()
    for hour in due:
        where = {
            "of_commune": commune, "of_device": hour.device, "of_camera": hour.camera, "of_rule": hour.rule,
            "at_ms": hour.hour_ms,
        }  # fmt: skip
        row = connection.execute(_HOUR, where).first()
        if row is not None and row.due_ms is not None:
            continue  # it is being summed up
        told_hours.append(hour)
        if row is not None and row.body is not None:
            said = {"camera": hour.camera, "rule": hour.rule, "hour_ms": hour.hour_ms, "said_ms": now_ms}
            items.append(UpItem(ItemKind.HOUR, hour.device, compact(said | {"sums": row.body})))
        elif row is not None:  # no sum says it: an interval is longer than the hour
            bodies = connection.scalars(_OF_HOUR, where)
            items += [UpItem(ItemKind.COUNT, hour.device, body.encode()) for body in bodies]
    return items, told_hours


def is_over_ms(now_ms: int) -> int:
    """Hours that begin before this moment may be asked for."""
    return now_ms - HOUR_MS - _OVER_MS


def _lacking(
    connection: Connection, commune: str, taken: Callable[[Stream], Ranges]
) -> dict[tuple[int, Stream], Ranges]:
    lacking: dict[tuple[int, Stream], Ranges] = {}
    for row in connection.execute(_SPANS, {"of_commune": commune}):
        key = (row.device, row.name)
        for first, last in without(row.first, row.last, taken(key)):
            lacking.setdefault((row.id, key), Ranges()).add(first, last)
    return lacking


def without(first: int, last: int, taken: Ranges) -> list[tuple[int, int]]:
    """What of first..last is not among these."""
    found = []
    for begin, end in taken.within(first, last):
        if first < begin:
            found.append((first, begin - 1))
        first = end + 1
    return [*found, (first, last)] if first <= last else found


def _newest(ranges: Ranges, most: int) -> tuple[list[tuple[int, int]], bool]:
    """The highest numbers, at most so many, and whether these are all."""
    found = list[tuple[int, int]]()
    for first, last in reversed(list(ranges)):
        if most <= 0:
            return found, False
        begin = max(first, last - most + 1)
        found.append((begin, last))
        most -= last - begin + 1
        if begin > first:
            return found, False
    return found, True


def _look(
    connection: Connection, found: Gathered, key: Stream, where: Mapping[str, Any], info_events: bool
) -> None:
    """What lies under some numbers of a stream; what retention has taken away since is not there."""
    device = key[0]
    for row in connection.execute(_EVENTS, where):
        if row.severity == "alert":
            found.urgent.append(UpItem(ItemKind.EVENT, device, row.body.encode()))
            found.urgent_numbers.setdefault(key, []).append((row.seq, row.seq))
        elif info_events and row.phase == "end":
            found.bulk.append(UpItem(ItemKind.EVENT, device, row.body.encode()))
    found.bulk += [
        UpItem(ItemKind.SEAL, device, body.encode()) for body in connection.scalars(_SEALS, where) if body
    ]
    for count in connection.execute(_COUNTS, where):
        touched = _hours_of(device, count)
        found.touched.update(touched)
        if not touched:
            found.bulk.append(UpItem(ItemKind.COUNT, device, count.body.encode()))


def _hours_of(device: str, row: Any) -> Sequence[LineHour]:
    """The hours whose sums say an interval; none where no sum does."""
    trusted = row.clock_state is None or row.clock_state in TRUSTED_CLOCKS
    if not trusted or not 0 <= row.end_ms - row.start_ms <= HOUR_MS:
        return ()
    first, last = hour_of(row.start_ms), hour_of(max(row.start_ms, row.end_ms - 1))
    return [LineHour(device, row.camera, row.rule, each) for each in sorted({first, last})]
