"""The gap scan: looks for gaps now and then, and keeps the table `gap`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from agent.wire.ranges import Ranges
from station.ingest.alarms import AlarmKind
from station.store.alarms import standing
from station.store.gaps import FIRST_SEQ, GapState, MessageGap, Range, StreamReport, changed_gaps, holes
from station.store.schema import box, gap, given_up, span, stream
from station.store.writer import Notice

_AT_ONCE = 500
"""Few enough for the bound parameters of one statement."""


@dataclass(frozen=True, slots=True)
class _Stream:
    id: int
    name: str
    box: str
    report: StreamReport


class GapScan:
    """Remembers the holes of the last scan, for only what lasts is a gap."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last_s: float | None = None
        self._holes: Mapping[int, list[Range]] = {}

    def is_due(self, mono_s: float) -> bool:
        """Whether a scan should be made now; it is taken to be."""
        if self._last_s is not None and mono_s - self._last_s < self._every_s:
            return False
        self._last_s = mono_s
        return True

    def scan(self, connection: Connection, now_ms: int) -> list[Notice]:
        """Open, change and close gaps; gives back what the operator must hear of when that is committed.

        New gaps say why, where that is known: another station stands beside this one, and what is missing went
        there; or the box is over its quota, and what is missing was refused here, most
        likely, and waits at the box.
        """
        causes = _causes(connection)
        before, now, notices = self._holes, _holes(connection), []
        known: dict[int, list[MessageGap]] = {}
        for row in connection.execute(select(gap).where(gap.c.closed_ms.is_(None))):
            known.setdefault(row.stream_id, []).append(
                MessageGap(row.first, row.last, row.missing, GapState(row.state), row.id)
            )
        for of_stream in _streams(connection, now.keys() | known.keys()):
            found = changed_gaps(
                known.get(of_stream.id, []),
                before.get(of_stream.id, []),
                now.get(of_stream.id, []),
                of_stream.report,
            )
            cause = causes.get(None) or causes.get(of_stream.box)
            for changed in found:
                _write(connection, of_stream.id, changed, now_ms, cause)
                if changed.id is None or changed.state is GapState.FILLED:
                    notices.append(_notice(of_stream, changed, cause if changed.id is None else None))
        self._holes = now
        return notices


def _holes(connection: Connection) -> dict[int, list[Range]]:
    """Stream -> what is missing; streams without a hole are left out, and are not even read."""
    is_holed = (func.count() > 1) | (func.min(span.c.first) > FIRST_SEQ)
    columns = span.c.stream_id, func.max(span.c.last).label("last"), is_holed.label("is_holed")
    held = select(*columns).group_by(span.c.stream_id).subquery()
    below = stream.c.oldest - 1
    let_go = func.coalesce(case((below < stream.c.newest, below), else_=stream.c.newest), 0).label("let_go")
    holed = select(stream.c.id, let_go).join(held, held.c.stream_id == stream.c.id, isouter=True)
    holed = holed.where(func.coalesce(held.c.is_holed, False) | (let_go > func.coalesce(held.c.last, 0)))
    bounds = {row.id: row.let_go for row in connection.execute(holed)}
    spans: dict[int, list[Range]] = {stream_id: [] for stream_id in bounds}
    wanted = select(holed.subquery().c.id)
    query = select(span).where(span.c.stream_id.in_(wanted)).order_by(span.c.stream_id, span.c.first)
    for row in connection.execute(query):
        spans[row.stream_id].append((row.first, row.last))
    return {stream_id: found for stream_id, have in spans.items() if (found := holes(have, bounds[stream_id]))}


def _streams(connection: Connection, ids: set[int]) -> list[_Stream]:
    abandoned: dict[int, Ranges] = {}
    listed, rows = sorted(ids), list[Any]()
    columns = stream.c.id, stream.c.name, box.c.commune, box.c.device, stream.c.oldest, stream.c.unnumbered
    query = select(*columns).join(box, box.c.id == stream.c.box_id).order_by(stream.c.id)
    for at in range(0, len(listed), _AT_ONCE):
        these = listed[at : at + _AT_ONCE]
        for row in connection.execute(select(given_up).where(given_up.c.stream_id.in_(these))):
            abandoned.setdefault(row.stream_id, Ranges()).add(row.first, row.last)
        rows += connection.execute(query.where(stream.c.id.in_(these))).all()
    return [
        _Stream(
            row[0], row[1], f"{row[2]}/{row[3]}", StreamReport(row[4], row[5], tuple(abandoned.get(row[0], ())))
        )
        for row in rows
    ]


def _causes(connection: Connection) -> dict[str | None, str]:
    """Box, None for all of them -> the alarm that explains what is missing now."""
    explain = AlarmKind.SECOND_STATION, AlarmKind.QUOTA
    return {each.box: each.kind for each in standing(connection) if each.kind in explain}


def _write(connection: Connection, stream_id: int, changed: MessageGap, now_ms: int, cause: str | None) -> None:
    values: dict[str, object] = {"missing": changed.missing, "state": str(changed.state)}
    if changed.state is GapState.FILLED:
        values["closed_ms"] = now_ms
    if changed.id is not None:
        connection.execute(update(gap).where(gap.c.id == changed.id).values(values))
    else:
        place = {"stream_id": stream_id, "first": changed.first, "last": changed.last, "opened_ms": now_ms}
        values["cause"] = cause
        connection.execute(insert(gap).values(values | place))


def _notice(of_stream: _Stream, changed: MessageGap, cause: str | None) -> Notice:
    where: dict[str, object] = {"box": of_stream.box, "stream": of_stream.name}
    if cause is not None:
        where["cause"] = cause
    name = "gap_filled" if changed.state is GapState.FILLED else "gap_found"
    return Notice(
        name,
        where
        | {"first": changed.first, "last": changed.last, "missing": changed.missing, "state": changed.state},
    )
