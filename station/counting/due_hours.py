"""Which hours of which lines are to be summed up anew: whatever changes an interval says so as it does.

Invariant: an hour that is not due is as the intervals of trusted clocks are that touch it.
So an hour is marked in the transaction that keeps or deletes one of them. Who sums up: hour_rows.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from station.store.clocks import TRUSTED_CLOCKS
from station.store.columns import HOUR_MS, hour_of
from station.store.schema import count_hour, count_interval
from station.store.statements.inserts import put_latest

_KEY = ("box_id", "camera", "rule", "hour_ms")
_WITHIN = (
    update(count_hour)
    .where(
        count_hour.c.box_id == bindparam("of_box"),
        count_hour.c.camera == bindparam("of_camera"),
        count_hour.c.rule == bindparam("of_rule"),
        count_hour.c.hour_ms.between(bindparam("first_ms"), bindparam("last_ms")),
    )
    .values(due_ms=bindparam("at_ms"))
)


def mark_kept(connection: Connection, intervals: Iterable[Mapping[str, Any]], now_ms: int) -> None:
    """Of rows of count_interval that are new.

    One that is longer than an hour gets no more than a row, so that nobody fills the table with a single one.
    """
    due, within = dict[tuple[Any, ...], dict[str, Any]](), list[dict[str, Any]]()
    for each in intervals:
        if each["clock_state"] not in TRUSTED_CLOCKS:
            continue
        line = each["box_id"], each["camera"], each["rule"]
        first, last = _hours(each["start_ms"], each["end_ms"])
        for hour_ms in {first, last} if last - first <= HOUR_MS else {first}:
            due[*line, hour_ms] = dict(zip(_KEY, (*line, hour_ms), strict=True)) | {"due_ms": now_ms}
        if last - first > HOUR_MS:
            within.append(_span(line, first, last, now_ms))
    if due:
        rows = [due[key] for key in sorted(due)]
        connection.execute(put_latest(connection, count_hour, _KEY, ("due_ms",)), rows)
    if within:
        connection.execute(_WITHIN, within)


def mark_deleted(connection: Connection, which: ColumnElement[bool], now_ms: int) -> None:
    """Of rows of count_interval that are about to go."""
    of = count_interval.c
    rows = connection.execute(select(of.box_id, of.camera, of.rule, of.start_ms, of.end_ms).where(which))
    spans = [_span(tuple(row[:3]), *_hours(row[3], row[4]), now_ms) for row in sorted(rows)]
    if spans:
        connection.execute(_WITHIN, spans)


def _hours(start_ms: int, end_ms: int) -> tuple[int, int]:
    """The first and the last that it touches."""
    return hour_of(start_ms), hour_of(max(start_ms, end_ms - 1))


def _span(line: tuple[Any, ...], first_ms: int, last_ms: int, now_ms: int) -> dict[str, Any]:
    of = dict(zip(("of_box", "of_camera", "of_rule"), line, strict=True))
    return of | {"first_ms": first_ms, "last_ms": last_ms, "at_ms": now_ms}
