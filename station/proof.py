"""Looks whether the store still holds what came: what was deleted, altered or swapped since is named.

Every number that was ever committed must have its message, every message its content, and the content must
have the digest that was written down when it came. Reads only; the service may be at work.

It does not find what someone forged who also wrote the digests anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, select
from sqlalchemy.exc import SQLAlchemyError

from station.blobs import path_of
from station.database import in_words
from station.gaps import without
from station.identity import of_bytes, of_json
from station.ranges import Ranges
from station.schema import (
    box,
    conflict,
    count_interval,
    event_revision,
    message,
    other_message,
    picture,
    quarantine,
    span,
    stream,
)

_AT_ONCE = 1_000


class Fault(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    """The message was committed, and is not there."""
    ALTERED = "altered"
    """Its content is not what came."""
    UNKNOWN = "unknown"
    """It is there, and was never committed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, located."""

    fault: Fault
    box: str
    stream: str
    seq: int


def findings(engine: Engine, blobs: Path) -> Iterator[Finding]:
    """Every fault, box by box; reads everything once, pictures included.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            for one in connection.execute(select(box).order_by(box.c.id)).all():
                contents = _contents(connection, one.id, blobs)
                query = select(stream.c.id, stream.c.name).where(stream.c.box_id == one.id)
                for stream_id, name in connection.execute(query.order_by(stream.c.id)).all():
                    for fault, seq in _of_stream(connection, stream_id, contents):
                        yield Finding(fault, f"{one.commune}/{one.device}", name, seq)
    except (SQLAlchemyError, OSError) as error:
        raise in_words(error, engine.url) from error


def _of_stream(connection: Connection, stream_id: int, contents: _Contents) -> Iterator[tuple[Fault, int]]:
    query = select(span.c.first, span.c.last).where(span.c.stream_id == stream_id)
    committed, present = Ranges((row[0], row[1]) for row in connection.execute(query)), Ranges()
    rows = select(message).where(message.c.stream_id == stream_id).order_by(message.c.seq)
    for row in connection.execute(rows.execution_options(yield_per=_AT_ONCE)):
        present.add(row.seq)
        if row.seq not in committed:
            yield Fault.UNKNOWN, row.seq
        elif not contents.hold(stream_id, row.seq, row.suffix, row.digest):
            yield Fault.ALTERED, row.seq
    for first, last in without(list(committed), list(present)):
        for seq in range(first, last + 1):
            yield Fault.MISSING, seq


@dataclass(frozen=True, slots=True)
class _Contents:
    """What is whole of a box's contents."""

    events: frozenset[str]
    """Digests."""
    numbered: Mapping[tuple[int, int], str]
    """Ids of stream and seq -> digest: counts, answers, footage."""
    pictures: frozenset[tuple[str, str]]
    """Topic below the camera and hash."""
    beside: frozenset[str]
    """Digests of what could not be read, and of what contradicted something else."""

    def hold(self, stream_id: int, seq: int, suffix: str, digest: str) -> bool:
        """Whether the content of this message is there as it came."""
        return (
            digest in self.events
            or self.numbered.get((stream_id, seq)) == digest
            or (suffix.partition("/")[2].partition("/")[2], digest) in self.pictures
            or digest in self.beside
        )


def _contents(connection: Connection, box_id: int, blobs: Path) -> _Contents:
    def rows(table: Table) -> Iterator[Row[Any]]:
        query = select(table).where(table.c.box_id == box_id)
        yield from connection.execute(query.execution_options(yield_per=_AT_ONCE))

    whole = lru_cache(maxsize=None)(lambda sha256: _is_whole(blobs, sha256))
    numbered = {(row.stream_id, row.seq): of_json(row.body.encode()) for row in rows(count_interval)}
    for row in rows(other_message):
        if row.body is not None:
            numbered[row.stream_id, row.seq] = of_json(row.body.encode())
        elif whole(row.sha256):
            numbered[row.stream_id, row.seq] = row.sha256
    return _Contents(
        events=frozenset(row.digest for row in rows(event_revision) if _is_as_it_came(row)),
        numbered=numbered,
        pictures=frozenset((_topic(row), row.sha256) for row in rows(picture) if whole(row.sha256)),
        beside=frozenset(
            [digest for row in rows(quarantine) for digest in _digests(row)]
            + [of_json(row.body) for row in rows(conflict) if row.body is not None]
        ),
    )


def _is_as_it_came(row: Row[Any]) -> bool:
    """Whether an event's row holds what its own columns say, so that no two can have changed places."""
    if of_json(row.body.encode()) != row.digest:
        return False
    told = json.loads(row.body)
    return bool(told["id"] == row.event_id and told["revision"] == row.revision)


def _is_whole(blobs: Path, sha256: str) -> bool:
    try:
        with path_of(blobs, sha256).open("rb") as file:
            return file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _topic(row: Row[Any]) -> str:
    return f"image/{row.event_id}/{row.kind}" if row.event_id else str(row.kind)


def _digests(row: Row[Any]) -> tuple[str, ...]:
    """Of bytes that could not be read nobody knows whether they were to be JSON."""
    if row.size_bytes > len(row.raw):  # only their beginning is kept
        return (row.digest,)
    return (row.digest, of_json(row.raw)) if of_bytes(row.raw) == row.digest else ()
