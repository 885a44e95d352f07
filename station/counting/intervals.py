"""Counting intervals out of the store, each at the time at which it was.

A box stamps an interval with its clock of then. Where nobody vouched for that, the station may know better: by
a clock map of the same boot, or because the message came within minutes of what it says, so that the
station's own clock vouches for it. What is left cannot be put anywhere; it is told apart, and in no sum.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select

from agent.printable import printable
from station.counting.lines import CountedLine
from station.store.clocks import TRUSTED_CLOCKS
from station.store.schema import count_interval, count_is_untrusted

_LONGEST_MS: Final = 86_400_000
"""Longer than this no interval is believed; so far before a period one is looked for that reaches into it."""
_NEAR_MS: Final = 600_000
"""Between what a message says and when it came, at most, for the station's clock to vouch for it."""

Numbers = Mapping[tuple[str, str], int]
"""(label, direction) -> how many."""


@dataclass(frozen=True, slots=True)
class CountedInterval:
    """One closed interval of one line, where it was in time."""

    start_ms: int
    end_ms: int
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Undated:
    """What cannot be put anywhere: nobody knows when it was."""

    intervals: int = 0
    crossings: int = 0


NONE_UNDATED: Final = Undated()


def intervals_of(
    connection: Connection, lines: Sequence[CountedLine], since_ms: int, until_ms: int, back_ms: int = 0
) -> tuple[list[CountedInterval], Undated]:
    """What was counted at these lines and reaches into [since, until), and what came then without a date.

    With `back_ms`, also what was counted so long before.
    """
    begin_ms = since_ms - back_ms
    found, intervals, crossings = list[CountedInterval](), 0, 0
    for row in _rows(connection, lines, begin_ms, until_ms):
        numbers, dated = _numbers(json.loads(row.body)), _dated(row)
        if dated is None:
            if row.received_ms is not None and since_ms <= row.received_ms < until_ms:
                intervals, crossings = intervals + 1, crossings + sum(numbers.values())
        elif dated[0] < until_ms and dated[1] > begin_ms:
            found.append(CountedInterval(*dated, numbers))
    return found, Undated(intervals, crossings)


def _rows(connection: Connection, lines: Sequence[CountedLine], since_ms: int, until_ms: int) -> Iterator[Any]:
    """By what is stamped; and what an untrusted clock stamped elsewhere, which came after it was counted."""
    of = count_interval.c
    stamped = (of.start_ms >= since_ms - _LONGEST_MS) & (of.start_ms < until_ms)
    elsewhere: ColumnElement[bool] = or_(of.start_ms < since_ms - _LONGEST_MS, of.start_ms >= until_ms)
    strays = count_is_untrusted & (of.received_ms >= since_ms) & elsewhere
    columns = (of.start_ms, of.end_ms, of.body, of.received_ms, of.clock_state, of.clock_offset_ms)
    for line in lines:
        here = of.box_id == line.box_id, of.camera == line.camera, of.rule == line.rule
        for condition in (stamped, strays):
            yield from connection.execute(select(*columns).where(*here, condition))


def _dated(row: Any) -> tuple[int, int] | None:
    """From when to when it was; None: nobody knows."""
    start_ms, end_ms = (moment + (row.clock_offset_ms or 0) for moment in (row.start_ms, row.end_ms))
    is_trusted = row.clock_state is None or row.clock_state in TRUSTED_CLOCKS or row.clock_offset_ms is not None
    if not is_trusted and abs(row.received_ms - end_ms) > _NEAR_MS:
        return None
    return (start_ms, end_ms) if 0 <= end_ms - start_ms <= _LONGEST_MS else None


def _numbers(body: Mapping[str, Any]) -> Numbers:
    return {
        (_word(label), _word(direction)): number
        for label, directions in body.get("counts", {}).items()
        for direction, number in directions.items()
        if number
    }


@functools.lru_cache(maxsize=4096)
def _word(said: str) -> str:
    """A label or a direction in one line that steers nothing: few, said again and again."""
    return printable(said)
