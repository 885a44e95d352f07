"""Looks whether the store still holds what came: what was deleted, altered or swapped since is named.

Every number that was ever committed must have its message, every message its content, and the content must
have the digest that was written down when it came; and all of that must be what the box lists in its seals.
Of what no seal lists yet nobody can say that it was altered: it is told as unsealed, and accuses nobody.
What a record of a deletion names has its number and digest still, and is vouched for by them like all else; its
content is told as deleted. A record that counts other messages than those that name it excuses none.
Reads only; the service may be at work.

It does not find what someone forged who wrote everything anew, the seals and their heads included: the box
says another head at its next hello then, which the log tells as `seal_contradicts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.translatable import tr
from agent.wire.chain import Head
from agent.wire.codec import CHAIN, parse
from agent.wire.payloads import ChainPayload
from agent.wire.ranges import Ranges
from station.audit.deletions import DeletedContents, deletion_records
from station.audit.seals import Seal, StreamContents, against_seals
from station.footage.arrival.intake import FootageIntake
from station.ingest.digests import of_bytes, of_json
from station.ingest.inbound import MessageKind
from station.store.database import in_words
from station.store.gaps import without
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.schema import (
    blob,
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
from station.words import FAULTS

_AT_ONCE = 1_000


class StoreFault(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    """The message was committed, and is not there."""
    ALTERED = "altered"
    """Its content is not what came."""
    UNKNOWN = "unknown"
    """It is there, and was never committed."""
    UNPROVEN = "unproven"
    """Nothing vouches for it, because a seal is missing or altered."""


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """One fault, located."""

    fault: StoreFault
    box: str
    stream: str
    seq: int | None
    """None: a seal whose number nobody can tell."""
    seal: int | None = None
    """Which seal it is, if it is one."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Messages of a stream which no seal lists: nothing is known against them, and nothing for them."""

    box: str
    stream: str
    seqs: Ranges


@dataclass(frozen=True, slots=True)
class DeletedByAge:
    """Messages of a stream whose content retention took out, as its record says."""

    box: str
    stream: str
    seqs: Ranges


Proven = StoreFinding | Unsealed | DeletedByAge


def findings(engine: Engine, blobs: Path) -> Iterator[StoreFinding]:
    """Every fault, box by box; reads everything once, pictures included.

    Raises:
        StoreError: the store cannot be read.
    """
    return (each for each in proof(engine, blobs) if isinstance(each, StoreFinding))


def proof(engine: Engine, blobs: Path) -> Iterator[Proven]:
    """The same, and after each stream's faults what no seal lists of it, and what was deleted by its age.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, _at_one_moment(connection).begin():
            records = deletion_records(connection)
            for one in connection.execute(select(box).order_by(box.c.id)).all():
                held = partial(FootageIntake(blobs.parent, 0).holds, one.device)
                contents = _contents(connection, one.id, blobs, held)
                gone = records.of_box(connection, one.id, one.device)
                name = f"{one.commune}/{one.device}"
                query = select(stream).where(stream.c.box_id == one.id).order_by(stream.c.id)
                streams = connection.execute(query).all()
                seals = list(_seals(connection, one.id, {row.id: row.name for row in streams}, contents))
                for row in streams:
                    yield from _of_stream(connection, row, name, contents, seals, gone)
    except (SQLAlchemyError, OSError) as error:
        raise in_words(error, engine.url) from error


def fault_lines(faults: Iterable[StoreFinding]) -> list[str]:
    """A line for each kind of fault of each stream, with its numbers as ranges."""
    found: dict[tuple[str, str, str], Ranges] = {}
    for each in faults:
        fault = FAULTS[each.fault]
        what = fault if each.seq is not None else tr("{fault} seal", fault=fault)
        number = each.seq if each.seq is not None else each.seal or 0
        found.setdefault((each.box, each.stream, what), Ranges()).add(number)
    return [
        tr("{box} stream {stream}: {fault}: {seqs}", box=box, stream=stream, fault=fault, seqs=_words(seqs))
        for (box, stream, fault), seqs in found.items()
    ]


def unsealed_line(found: Unsealed) -> str:
    """The same for what no seal lists."""
    return tr(
        "{box} stream {stream}: in no seal yet: {seqs}",
        box=found.box,
        stream=found.stream,
        seqs=_words(found.seqs),
    )


def deleted_line(found: DeletedByAge) -> str:
    """The same for what retention took out."""
    count = sum(last - first + 1 for first, last in found.seqs)
    return tr(
        "{box} stream {stream}: deleted by its age, {count} messages: {seqs}",
        box=found.box,
        stream=found.stream,
        count=count,
        seqs=_words(found.seqs),
    )


def _words(seqs: Ranges) -> str:
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in seqs)


def _at_one_moment(connection: Connection) -> Connection:
    """Reads what one moment left, whatever the service writes meanwhile; SQLite does so by itself."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _of_stream(
    connection: Connection,
    row: Row[Any],
    box_name: str,
    contents: _Contents,
    seals: Sequence[Seal],
    gone: DeletedContents,
) -> Iterator[Proven]:
    query = select(span.c.first, span.c.last).where(span.c.stream_id == row.id)
    committed, digests = Ranges((each[0], each[1]) for each in connection.execute(query)), {}
    faults: dict[int, StoreFault] = {}
    deleted = Ranges()
    rows = select(message).where(message.c.stream_id == row.id).order_by(message.c.seq)
    for each in connection.execute(rows.execution_options(yield_per=_AT_ONCE)):
        whole = contents.hold(row.id, each.seq, each.suffix, each.digest)
        if not whole and gone.name(each):
            deleted.add(each.seq)
            whole = True
        digests[each.seq] = each.digest if whole else "altered"
        if each.seq not in committed:
            faults[each.seq] = StoreFault.UNKNOWN
        elif not whole:
            faults[each.seq] = StoreFault.ALTERED
    for first, last in without(list(committed), list(Ranges((seq, seq) for seq in digests))):
        faults |= dict.fromkeys(range(first, last + 1), StoreFault.MISSING)
    head = None if row.seal_number is None else Head(row.seal_number, row.seal_sha256)
    now = StreamContents(row.name, digests, head, row.oldest, row.newest)
    for seq, fault in sorted(faults.items()):
        yield StoreFinding(fault, box_name, row.name, seq)

    def digests_of(names: Collection[str]) -> frozenset[str]:
        query = select(message.c.digest).join(stream, stream.c.id == message.c.stream_id)
        query = query.where(stream.c.box_id == row.box_id, stream.c.name.in_(names))
        return frozenset(connection.scalars(query))

    verdict = against_seals(now, seals, digests_of)
    for found in verdict.faults:
        if found.seq is None or found.seq not in faults:
            yield StoreFinding(StoreFault(found.fault.value), box_name, row.name, found.seq, found.number)
    unsealed = Ranges((seq, seq) for seq in verdict.unsealed if seq not in faults)
    if unsealed.highest:
        yield Unsealed(box_name, row.name, unsealed)
    if deleted.highest:
        yield DeletedByAge(box_name, row.name, deleted)


def _seals(
    connection: Connection, box_id: int, names: Mapping[int, str], contents: _Contents
) -> Iterator[Seal]:
    """Those of a box that are as they came, and those that contradicted others."""
    query = select(other_message).where(
        other_message.c.stream_id.in_(names), other_message.c.kind == str(MessageKind.CHAIN)
    )
    for row in connection.execute(query):
        try:
            payload = parse(ChainPayload, (row.body or "").encode())
            yield Seal(names[row.stream_id], row.seq, contents.numbered[row.stream_id, row.seq], payload)
        except WireError:  # altered: then it is missing, and what it listed is unproven
            continue
    beside = select(conflict).where(
        conflict.c.box_id == box_id, conflict.c.key_kind == "seq", conflict.c.suffix == CHAIN
    )
    for row in connection.execute(beside):
        with suppress(WireError):
            payload = parse(ChainPayload, row.body or b"")
            name, _, seq = row.key.partition("/")
            yield Seal(name, int(seq), of_json(row.body), payload, beside=True)


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
    footage: Callable[[str, str], bool]
    """Whether a piece of footage by this topic and with this digest is here, or need not be any more."""

    def hold(self, stream_id: int, seq: int, suffix: str, digest: str) -> bool:
        """Whether the content of this message is there as it came."""
        return (
            digest in self.events
            or self.numbered.get((stream_id, seq)) == digest
            or (suffix.partition("/")[2].partition("/")[2], digest) in self.pictures
            or digest in self.beside
            or self.footage(suffix, digest)
        )


def _contents(
    connection: Connection, box_id: int, blobs: Path, footage: Callable[[str, str], bool]
) -> _Contents:
    def rows(table: Table) -> Iterator[Row[Any]]:
        query = select(table).where(table.c.box_id == box_id)
        yield from connection.execute(query.execution_options(yield_per=_AT_ONCE))

    def with_places(table: Table) -> Iterator[Row[Any]]:
        query = select(table, blob.c.size_bytes, blob.c.segment, blob.c.segment_offset)
        query = query.outerjoin(blob, blob.c.sha256 == table.c.sha256).where(table.c.box_id == box_id)
        yield from connection.execute(query.execution_options(yield_per=_AT_ONCE))

    is_whole = lru_cache(maxsize=None)(partial(_is_whole, PictureShelf(blobs)))

    def whole(row: Row[Any]) -> bool:
        place = PicturePlace(row.sha256, row.size_bytes or 0, row.segment, row.segment_offset)
        return is_whole(place)

    numbered = {(row.stream_id, row.seq): of_json(row.body.encode()) for row in rows(count_interval)}
    for row in with_places(other_message):
        if row.body is not None:
            numbered[row.stream_id, row.seq] = of_json(row.body.encode())
        elif whole(row):
            numbered[row.stream_id, row.seq] = row.sha256
    return _Contents(
        events=frozenset(row.digest for row in rows(event_revision) if _is_as_it_came(row)),
        numbered=numbered,
        pictures=frozenset((_topic(row), row.sha256) for row in with_places(picture) if whole(row)),
        beside=frozenset(
            [digest for row in rows(quarantine) for digest in _digests(row)]
            + [of_json(row.body) for row in rows(conflict) if row.body is not None]
        ),
        footage=footage,
    )


def _is_as_it_came(row: Row[Any]) -> bool:
    """Whether an event's row holds what its own columns say, so that no two can have changed places."""
    if of_json(row.body.encode()) != row.digest:
        return False
    body = json.loads(row.body)
    return bool(body["id"] == row.event_id and body["revision"] == row.revision)


def _is_whole(shelf: PictureShelf, place: PicturePlace) -> bool:
    try:
        return sha256_of(shelf.read(place)).hexdigest() == place.sha256
    except FileNotFoundError:
        return False


def _topic(row: Row[Any]) -> str:
    return f"image/{row.event_id}/{row.kind}" if row.event_id else str(row.kind)


def _digests(row: Row[Any]) -> tuple[str, ...]:
    """Of bytes that could not be read nobody knows whether they were to be JSON."""
    if row.size_bytes > len(row.raw):  # only their beginning is kept
        return (row.digest,)
    return (row.digest, of_json(row.raw)) if of_bytes(row.raw) == row.digest else ()
