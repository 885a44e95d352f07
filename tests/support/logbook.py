"""What `ngatu watch --store` keeps: every message once, in one SQLite file.

Invariants
1. When commit() returns, all of it is on disk, or it has raised and none of it is.
2. An event's message is there once, by device, id and revision; a number of a stream once; a picture once
   by its hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from agent.errors import NgatuError
from station.ingest.inbound import InboundMessage, MessageKind

_SCHEMA = """
create table if not exists event (
    commune text not null, device text not null, camera text not null,
    id text not null, revision integer not null,
    time text not null, kind text not null, phase text not null,
    payload text not null,                       -- the JSON as it came
    primary key (commune, device, id, revision)  -- invariant 2
) without rowid;
create table if not exists received (
    commune text not null, device text not null, stream text not null, seq integer not null,
    suffix text not null,
    raw blob,                                    -- null for events and pictures, which have their tables
    problem text,                                -- why it could not be read
    digest text,                                 -- what its receipt proves; null in rows of before that
    primary key (commune, device, stream, seq)
) without rowid;
create table if not exists picture (
    commune text not null, device text not null, sha256 text not null,
    event_id text, kind text, jpeg blob not null,
    primary key (commune, device, sha256)
);
"""
# Gaps and islands: within a run of numbers, number minus rank is the same.
_RANGES = """
select min(seq), max(seq) from (
    select seq, seq - row_number() over (order by seq) as island
    from received where commune = ? and device = ? and stream = ?
) group by island order by 1
"""
_DIGESTS = """
select seq, digest from received
where commune = ? and device = ? and stream = ? and seq between ? and ? and digest is not null
order by seq limit ?
"""


class Logbook:
    """The file of one station. Opened by one process at a time.

    Raises:
        NgatuError: the file cannot be opened, or is none of ours.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
            try:
                self._db.execute("pragma journal_mode = wal")
                self._db.execute("pragma synchronous = full")  # invariant 1
                self._db.executescript(_SCHEMA)
                if "digest" not in {row[1] for row in self._db.execute("pragma table_info(received)")}:
                    self._db.execute("alter table received add column digest text")
            except sqlite3.Error:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise NgatuError(
                f"{path}: {error}", "name a file that this user may write, or move it away"
            ) from error

    def commit(self, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
        """Keep them; gives back those that were not there yet.

        Raises:
            sqlite3.Error: none of them is kept.
        """
        self._db.execute("begin immediate")
        try:
            new = [message for message in messages if self._insert(message)]
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
        return new

    def committed(self, commune: str, device: str, stream: str) -> list[tuple[int, int]]:
        """Ranges (first, last) of the numbers that are here."""
        return list(self._db.execute(_RANGES, (commune, device, stream)))

    def digests(
        self, commune: str, device: str, stream: str, first: int, last: int, limit: int
    ) -> list[tuple[int, str]]:
        """Seq and digest of the lowest `limit` that are here from `first` to `last`."""
        return list(self._db.execute(_DIGESTS, (commune, device, stream, first, last, limit)))

    def close(self) -> None:
        """End the use of the file."""
        self._db.close()

    def _insert(self, message: InboundMessage) -> bool:
        """Whether it was new. What has neither number nor hash, such as a status, is new each time."""
        box, new = (message.commune, message.device), True
        own_table = message.event is not None or message.image is not None
        if message.stream is not None and message.seq is not None:
            raw = None if own_table else message.raw
            row = (*box, message.stream, message.seq, message.suffix, raw, message.problem, message.digest)
            new = self._put("insert into received values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing", row)
        if message.image is not None:
            picture = (*box, message.image_sha256, message.event_id, message.image_kind, message.image)
            return self._put("insert into picture values (?, ?, ?, ?, ?, ?) on conflict do nothing", picture)
        if message.kind is MessageKind.EVENT and message.event is not None:
            event = message.event
            columns = (event.time.isoformat(), str(event.kind), str(event.phase), message.raw.decode())
            row_of_event = (*box, event.camera, event.id, event.revision, *columns)
            return self._put(
                "insert into event values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing", row_of_event
            )
        return new

    # "on conflict do nothing" is about rows that are there; "or ignore" would swallow broken rows as well.
    def _put(self, statement: str, row: tuple[object, ...]) -> bool:
        return self._db.execute(statement, row).rowcount > 0
