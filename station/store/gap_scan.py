"""Looks for gaps now and then, and keeps the table `gap`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from station.ingest.ranges import Ranges
from station.store.gaps import Gap, Range, State, Word, holes, survey
from station.store.schema import box, gap, given_up, span, stream
from station.store.writer import Note


@dataclass(frozen=True, slots=True)
class _Stream:
    id: int
    name: str
    box: str
    word: Word


class Surveyor:
    """Remembers the holes of the last survey, for only what lasts is a gap."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last_s: float | None = None
        self._holes: Mapping[int, list[Range]] = {}

    def is_due(self, mono_s: float) -> bool:
        """Whether a survey should be made now; it is taken to be."""
        if self._last_s is not None and mono_s - self._last_s < self._every_s:
            return False
        self._last_s = mono_s
        return True

    def survey(self, connection: Connection, now_ms: int) -> list[Note]:
        """Open, change and close gaps; gives back what is to be told when that is committed."""
        before, now, notes = self._holes, _holes(connection), []
        told: dict[int, list[Gap]] = {}
        for row in connection.execute(select(gap).where(gap.c.closed_ms.is_(None))):
            told.setdefault(row.stream_id, []).append(
                Gap(row.first, row.last, row.missing, State(row.state), row.id)
            )
        for of_stream in _streams(connection, now.keys() | told.keys()):
            found = survey(
                told.get(of_stream.id, []),
                before.get(of_stream.id, []),
                now.get(of_stream.id, []),
                of_stream.word,
            )
            for one in found:
                _write(connection, of_stream.id, one, now_ms)
                if one.id is None or one.state is State.FILLED:
                    notes.append(_note(of_stream, one))
        self._holes = now
        return notes


def _holes(connection: Connection) -> dict[int, list[Range]]:
    """Stream -> what is missing; streams without a hole are left out."""
    spans: dict[int, list[Range]] = {}
    for row in connection.execute(select(span).order_by(span.c.stream_id, span.c.first)):
        spans.setdefault(row.stream_id, []).append((row.first, row.last))
    return {stream_id: found for stream_id, have in spans.items() if (found := holes(have))}


def _streams(connection: Connection, ids: set[int]) -> list[_Stream]:
    lost: dict[int, Ranges] = {}
    for row in connection.execute(select(given_up)):
        lost.setdefault(row.stream_id, Ranges()).add(row.first, row.last)
    columns = stream.c.id, stream.c.name, box.c.commune, box.c.device, stream.c.oldest, stream.c.unnumbered
    query = select(*columns).join(box, box.c.id == stream.c.box_id)
    return [
        _Stream(row[0], row[1], f"{row[2]}/{row[3]}", Word(row[4], row[5], tuple(lost.get(row[0], ()))))
        for row in connection.execute(query)
        if row[0] in ids
    ]


def _write(connection: Connection, stream_id: int, one: Gap, now_ms: int) -> None:
    values: dict[str, object] = {"missing": one.missing, "state": str(one.state)}
    if one.state is State.FILLED:
        values["closed_ms"] = now_ms
    if one.id is not None:
        connection.execute(update(gap).where(gap.c.id == one.id).values(values))
    else:
        place = {"stream_id": stream_id, "first": one.first, "last": one.last, "opened_ms": now_ms}
        connection.execute(insert(gap).values(values | place))


def _note(of_stream: _Stream, one: Gap) -> Note:
    where = {"box": of_stream.box, "stream": of_stream.name}
    name = "gap_filled" if one.state is State.FILLED else "gap_found"
    return Note(
        name, where | {"first": one.first, "last": one.last, "missing": one.missing, "state": one.state}
    )
