"""Ids of boxes and streams, and what is committed of each stream: the tables box, stream and span in memory.

It is filled while a transaction runs. When that fails, `clear` it: it is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from agent.wire.ranges import Ranges
from station.store.schema import box, span, stream
from station.store.statements.many import execute_many

Box = tuple[str, str]
"""Commune and device."""


SEEN_MS = 1_000
"""Less than anybody shows of when a box was seen."""

_JOINED = delete(span).where(span.c.stream_id == bindparam("s"), span.c.first == bindparam("f"))


@cache
def _put_spans(dialect: str) -> Insert:
    """A range never becomes shorter, whatever is remembered of it."""
    put: Any = (postgresql if dialect == "postgresql" else sqlite).insert(span)
    larger = func.greatest if dialect == "postgresql" else func.max
    last = larger(span.c.last, put.excluded["last"])
    statement: Insert = put.on_conflict_do_update(index_elements=["stream_id", "first"], set_={"last": last})
    return statement


def _new_id(connection: Connection, table: Table, row: dict[str, object]) -> int:
    inserted = connection.execute(insert(table).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


class IdCache:
    """Which ids boxes and streams have, and which numbers of each stream are committed."""

    def __init__(self) -> None:
        self._boxes: dict[Box, int] = {}
        self._streams: dict[tuple[int, str], int] = {}
        self._committed: dict[int, Ranges] = {}
        self._seen_ms: dict[int, int] = {}
        """By the box's id: what stands in its row, as far as it was written here."""

    def clear(self) -> None:
        """Read everything again when it is needed."""
        self._boxes.clear()
        self._streams.clear()
        self._committed.clear()
        self._seen_ms.clear()

    def box_id(self, connection: Connection, name: Box, now_ms: int) -> int:
        """The id of a box; a new one gets a row."""
        if name not in self._boxes:
            commune, device = name
            found = connection.scalar(select(box.c.id).where(box.c.commune == commune, box.c.device == device))
            if found is None:
                row: dict[str, object] = {
                    "commune": commune,
                    "device": device,
                    "first_seen_ms": now_ms,
                    "last_seen_ms": now_ms,
                }
                found = _new_id(connection, box, row)
            self._boxes[name] = found
        return self._boxes[name]

    def seen(self, box_ids: Iterable[int], now_ms: int) -> list[int]:
        """Of which of these boxes the row is to say that they were seen just now: of each once in SEEN_MS.

        A row has a page of its own, for it holds what a box said last of itself.
        """
        due = [each for each in sorted(set(box_ids)) if abs(now_ms - self._seen_ms.get(each, 0)) >= SEEN_MS]
        self._seen_ms |= dict.fromkeys(due, now_ms)
        return due

    def stream_id(self, connection: Connection, box_id: int, name: str, now_ms: int) -> int:
        """The id of a stream; a new one gets a row."""
        key = box_id, name
        if key not in self._streams:
            found = connection.scalar(
                select(stream.c.id).where(stream.c.box_id == box_id, stream.c.name == name)
            )
            if found is None:
                row: dict[str, object] = {
                    "box_id": box_id,
                    "name": name,
                    "first_seen_ms": now_ms,
                    "unnumbered": 0,
                }
                found = _new_id(connection, stream, row)
            self._streams[key] = found
        return self._streams[key]

    def committed(self, connection: Connection, stream_id: int) -> Ranges:
        """What is committed of a stream, and in this transaction."""
        if stream_id not in self._committed:
            rows = connection.execute(select(span.c.first, span.c.last).where(span.c.stream_id == stream_id))
            self._committed[stream_id] = Ranges((row.first, row.last) for row in rows)
        return self._committed[stream_id]

    def add_committed(self, connection: Connection, numbers: Mapping[int, Iterable[int]]) -> None:
        """Write down that these of each stream are committed with this transaction, in one statement or two."""
        gone, changed = list[dict[str, int]](), list[dict[str, int]]()
        for stream_id, seqs in numbers.items():
            joined, last_of = self._extended(connection, stream_id, seqs)
            gone += [{"s": stream_id, "f": first} for first in sorted(joined)]
            changed += [
                {"stream_id": stream_id, "first": first, "last": last} for first, last in last_of.items()
            ]
        if gone:
            execute_many(connection, _JOINED, gone)
        if changed:
            execute_many(connection, _put_spans(connection.dialect.name), changed)

    def _extended(
        self, connection: Connection, stream_id: int, seqs: Iterable[int]
    ) -> tuple[set[int], dict[int, int]]:
        """The first numbers of ranges that have become parts of others, and ranges that are new or longer."""
        committed = self.committed(connection, stream_id)
        gone: set[int] = set()
        last_of: dict[int, int] = {}
        for seq in seqs:
            for first, _ in committed.add(seq):
                gone.add(first)
                last_of.pop(first, None)
            around = committed.around(seq)
            assert around is not None
            gone.discard(around[0])
            last_of[around[0]] = around[1]
        return gone, last_of
