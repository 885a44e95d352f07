"""Hours of counts as rows: summed up where they are due, and read in place of the intervals they sum up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from agent.wire.payloads import MOST_COUNTS
from station.counting.hours import CountedHour, hour_from, read_hour
from station.counting.intervals import (
    LONGEST_MS,
    CountedInterval,
    Undated,
    first_hour,
    intervals_of,
    numbers_in_text,
)
from station.counting.lines import CountedLine
from station.store.columns import HOUR_MS, hour_of
from station.store.schema import count_hour, count_interval, count_is_untrusted

SETTLED_MS: Final = 300_000
"""After its end an hour waits so long for its last interval before it is summed up."""
_KEY = count_hour.c.box_id, count_hour.c.camera, count_hour.c.rule, count_hour.c.hour_ms
_DUE = select(*_KEY).where(count_hour.c.due_ms.is_not(None), count_hour.c.hour_ms <= bindparam("until_ms"))
_THIS = [column == bindparam(f"of_{column.name}") for column in _KEY]
_MADE = update(count_hour).where(*_THIS).values(body=bindparam("sums"), due_ms=None)
_GONE = delete(count_hour).where(*_THIS)
_MADE_ONES = select(count_hour.c.hour_ms, count_hour.c.body).where(
    *(column == bindparam(column.name) for column in _KEY[:3]),
    count_hour.c.hour_ms >= bindparam("since_ms"),
    count_hour.c.hour_ms < bindparam("until_ms"),
    count_hour.c.due_ms.is_(None),
    count_hour.c.body.is_not(None),
)


@dataclass(frozen=True, slots=True)
class KeptCounts:
    """What the store has of a time: hours that are summed up, and beside them intervals."""

    hours: Sequence[CountedHour]
    intervals: Sequence[CountedInterval]
    undated: Undated


def sum_up(connection: Connection, now_ms: int, most: int) -> int:
    """Sum up so many of the hours that are due and over, the newest first; how many there were.

    An hour without intervals loses its row. One that cannot be told by its sum, or has more numbers than an
    interval may have, is left to its intervals.
    Others may mark hours meanwhile: on PostgreSQL they wait for this transaction, and this one for none.
    """
    query = _DUE.order_by(count_hour.c.hour_ms.desc()).limit(most).with_for_update(skip_locked=True)
    due = connection.execute(query, {"until_ms": now_ms - HOUR_MS - SETTLED_MS}).all()
    made, gone = list[dict[str, Any]](), list[dict[str, Any]]()
    for row in due:
        key = {f"of_{name}": value for name, value in row._mapping.items()}
        intervals = list(_touching(connection, row))
        if intervals:
            hour = hour_from(row.hour_ms, intervals)
            sums = None if hour is None or len(hour.numbers) > MOST_COUNTS else hour.as_text()
            made.append(key | {"sums": sums})
        else:
            gone.append(key)
    for statement, values in ((_MADE, made), (_GONE, gone)):
        if values:
            connection.execute(statement, values)
    return len(due)


def kept_counts(
    connection: Connection, lines: Sequence[CountedLine], since_ms: int, until_ms: int, back_ms: int = 0
) -> KeptCounts:
    """As intervals.intervals_of, for whoever asks about whole hours of UTC and parts at no other moment."""
    begin_ms, hours = since_ms - back_ms, list[CountedHour]()
    made = {line: _made(connection, line, first_hour(begin_ms), until_ms) for line in lines}
    for line in lines:
        hours += (hour for at_ms, hour in made[line].items() if at_ms >= begin_ms)
    intervals = list[CountedInterval]()
    undated = Undated()
    for line in lines:
        found, of_line = intervals_of(connection, [line], since_ms, until_ms, back_ms, {line: made[line]})
        undated = Undated(undated.intervals + of_line.intervals, undated.crossings + of_line.crossings)
        for each in found:
            touched = range(hour_of(each.start_ms), max(each.end_ms, each.start_ms + 1), HOUR_MS)
            if not each.is_summed or not any(hour_ms in made[line] for hour_ms in touched):
                intervals.append(each)
                continue
            parts = (hour_from(at_ms, [each]) for at_ms in touched if at_ms not in made[line])
            hours += (part for part in parts if part is not None and begin_ms <= part.hour_ms < until_ms)
    return KeptCounts(hours, intervals, undated)


def _made(connection: Connection, line: CountedLine, since_ms: int, until_ms: int) -> Mapping[int, CountedHour]:
    here = {"box_id": line.box_id, "camera": line.camera, "rule": line.rule}
    rows = connection.execute(_MADE_ONES, here | {"since_ms": since_ms, "until_ms": until_ms}).all()
    return {hour_ms: read_hour(hour_ms, body) for hour_ms, body in rows}


def _touching(connection: Connection, hour: Any) -> Iterator[CountedInterval]:
    """The intervals of trusted clocks that touch an hour."""
    of = count_interval.c
    here = of.box_id == hour.box_id, of.camera == hour.camera, of.rule == hour.rule
    end_ms = hour.hour_ms + HOUR_MS
    then = of.start_ms >= hour.hour_ms - LONGEST_MS, of.start_ms < end_ms
    touches = or_(of.end_ms > hour.hour_ms, of.start_ms >= hour.hour_ms)
    trusted = or_(of.clock_state.is_(None), ~count_is_untrusted)
    query = select(of.start_ms, of.end_ms, of.body).where(*here, *then, touches, trusted)
    for row in connection.execute(query):
        yield CountedInterval(row.start_ms, row.end_ms, numbers_in_text(row.body))
