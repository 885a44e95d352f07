"""Counting intervals out of the store, each at the time at which it was.

A box stamps an interval with its clock of then. Where nobody vouched for that, the station may know better: by
a clock map of the same boot, or because the message came within minutes of what it says, so that the
station's own clock vouches for it. What is left cannot be put anywhere; it is told apart, and in no sum.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, or_, select

from agent.printable import printable
from station.counting.lines import CountedLine
from station.store.clocks import TRUSTED_CLOCKS
from station.store.columns import HOUR_MS, hour_of
from station.store.schema import count_interval, count_is_untrusted

LONGEST_MS: Final = 86_400_000
"""Longer than this no interval is believed; so far before a period one is looked for that reaches into it."""
MOST_NUMBERS: Final = 1_000_000
"""Of one line, each of a label and a direction in an interval that is in no sum of an hour: what is beyond is
not read, and no time that was counted. Twelve weeks of a minute's intervals of six of them have 725,000."""
_NEAR_MS: Final = 600_000
"""Between what a message says and when it came, at most, for the station's clock to vouch for it."""

_COLUMNS: Final = tuple(
    count_interval.c[name]
    for name in ("start_ms", "end_ms", "body", "received_ms", "clock_state", "clock_offset_ms")
)

Numbers = Mapping[tuple[str, str], int]
"""(label, direction) -> how many."""


@dataclass(frozen=True, slots=True)
class CountedInterval:
    """One closed interval of one line, where it was in time."""

    start_ms: int
    end_ms: int
    numbers: Numbers
    is_summed: bool = False
    """Its clock was trusted, so it is in the sums of the hours that it touches, where those are made."""


@dataclass(frozen=True, slots=True)
class Undated:
    """What cannot be put anywhere: nobody knows when it was."""

    intervals: int = 0
    crossings: int = 0


NONE_UNDATED: Final = Undated()


def intervals_of(
    connection: Connection,
    lines: Sequence[CountedLine],
    since_ms: int,
    until_ms: int,
    back_ms: int = 0,
    made: Mapping[CountedLine, Collection[int]] | None = None,
    most: int = MOST_NUMBERS,
) -> tuple[list[CountedInterval], Undated]:
    """What was counted at these lines and reaches into [since, until), and what came then without a date.

    Of a line that has more than `most` numbers, no more is read. With `back_ms`, also what was counted so long
    before. `made` has hours of each line that are summed up: what touches no other hour is left out.
    """
    begin_ms = since_ms - back_ms
    found, intervals, crossings = list[CountedInterval](), 0, 0
    for line in lines:
        hours, left = None if made is None else made[line], most
        for row in _rows(connection, line, begin_ms, until_ms, hours):
            if left <= 0:
                break
            numbers, dated = numbers_in_text(row.body), _dated(row)
            left -= len(numbers)
            if dated is None:
                if row.received_ms is not None and since_ms <= row.received_ms < until_ms:
                    intervals, crossings = intervals + 1, crossings + sum(numbers.values())
            elif dated[0] < until_ms and dated[1] > begin_ms:
                found.append(CountedInterval(*dated, numbers, hours is not None and _is_trusted(row)))
    return found, Undated(intervals, crossings)


def first_hour(begin_ms: int) -> int:
    """From which hour on one must be known, so that nothing that reaches to a moment is missed."""
    return hour_of(begin_ms - LONGEST_MS)


def _rows(
    connection: Connection, line: CountedLine, since_ms: int, until_ms: int, made: Collection[int] | None
) -> Iterator[Any]:
    """By what is stamped; and what an untrusted clock stamped elsewhere, which came after it was counted."""
    of = count_interval.c
    stamped = (of.start_ms >= since_ms - LONGEST_MS) & (of.start_ms < until_ms)
    elsewhere: ColumnElement[bool] = or_(of.start_ms < since_ms - LONGEST_MS, of.start_ms >= until_ms)
    strays = count_is_untrusted & (of.received_ms >= since_ms) & elsewhere
    here = of.box_id == line.box_id, of.camera == line.camera, of.rule == line.rule
    if made is None:
        for condition in (stamped, strays):
            yield from connection.execute(select(*_COLUMNS).where(*here, condition))
        return
    then = {"first_ms": since_ms - LONGEST_MS, "since_ms": since_ms, "until_ms": until_ms}
    of_line = {"box_id": line.box_id, "camera": line.camera, "rule": line.rule}
    yield from connection.execute(_UNTRUSTED, of_line | then)
    trusted = or_(of.clock_state.is_(None), ~count_is_untrusted)
    for begin_ms, end_ms in _between(made, first_hour(since_ms), until_ms):
        touches = or_(of.end_ms > begin_ms, of.start_ms >= begin_ms)
        here_then = (of.start_ms >= begin_ms - LONGEST_MS) & (of.start_ms < end_ms) & touches & stamped
        for row in connection.execute(select(*_COLUMNS).where(*here, trusted, here_then)):
            # What touches two such times is read with the first that it touches.
            if row.start_ms >= begin_ms or not _touches_before(row, made, begin_ms):
                yield row


def _untrusted() -> Select[Any]:
    """What untrusted clocks stamped within a time, or what came in it and after."""
    of = count_interval.c
    # No index knows a moment that is computed: so it goes by that of the few untrusted ones, not the month.
    at_ms = of.start_ms + 0
    stamped = (at_ms >= bindparam("first_ms")) & (at_ms < bindparam("until_ms"))
    here = (column == bindparam(column.name) for column in (of.box_id, of.camera, of.rule))
    then = or_(stamped, of.received_ms >= bindparam("since_ms"))
    return select(*_COLUMNS).where(*here, count_is_untrusted, then)


_UNTRUSTED: Final = _untrusted()


def _between(made: Collection[int], begin_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """The times whose hours are not made, as few as there are."""
    start_ms: int | None = None
    for hour_ms in range(begin_ms, end_ms, HOUR_MS):
        if hour_ms in made:
            if start_ms is not None:
                yield start_ms, hour_ms
            start_ms = None
        elif start_ms is None:
            start_ms = hour_ms
    if start_ms is not None:
        yield start_ms, end_ms


def _touches_before(row: Any, made: Collection[int], begin_ms: int) -> bool:
    """Whether it touches an hour before this one that is not made."""
    return any(hour_ms not in made for hour_ms in range(hour_of(row.start_ms), begin_ms, HOUR_MS))


def _is_trusted(row: Any) -> bool:
    return row.clock_state is None or row.clock_state in TRUSTED_CLOCKS


def _dated(row: Any) -> tuple[int, int] | None:
    """From when to when it was; None: nobody knows."""
    start_ms, end_ms = (moment + (row.clock_offset_ms or 0) for moment in (row.start_ms, row.end_ms))
    is_known = _is_trusted(row) or row.clock_offset_ms is not None
    if not is_known and abs(row.received_ms - end_ms) > _NEAR_MS:
        return None
    return (start_ms, end_ms) if 0 <= end_ms - start_ms <= LONGEST_MS else None


def numbers_in_text(body: str) -> Numbers:
    """Out of a message as it came."""
    return numbers_in(json.loads(body).get("counts", {}))


def numbers_in(counts: Mapping[str, Mapping[str, int]]) -> Numbers:
    """Out of `counts` of a message: label -> direction -> how many."""
    return {
        _entry(label, direction): number
        for label, directions in counts.items()
        for direction, number in directions.items()
        if number
    }


@functools.lru_cache(maxsize=4096)
def _entry(label: str, direction: str) -> tuple[str, str]:
    """Both in one line that steers nothing: few, said again and again in each hour of a month."""
    return printable(label), printable(direction)
