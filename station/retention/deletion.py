"""Takes out what is due, a little at a time, with a record of it; files go after their rows.

Invariants
1. What a deletion took out and the row that says so are one transaction; a message's number, digest and span
   stay.
2. A picture goes only after its row, and only from the place that the row named: where it comes once more, it
   lies elsewhere. What is still to be removed stands in `picture_removal`, and in `blob_removal` where it has a
   file of its own, so that no crash forgets it.
3. A transaction takes out what AT_ONCE events have, and looks anew whether each is due: the intake waits for
   no more than that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, func, insert, select, tuple_, union, update

from station.counting.due_hours import mark_deleted
from station.retention.due import DueSource
from station.retention.settings import KeptClass
from station.store.columns import kept_suffix
from station.store.pictures.rows import PLACE, places_of
from station.store.pictures.shelf import PicturePlace
from station.store.schema import (
    blob,
    blob_removal,
    conflict,
    count_interval,
    deletion,
    event,
    event_feed,
    event_revision,
    message,
    message_is_picture,
    other_message,
    picture,
    picture_removal,
    picture_shows_blob,
    stream,
)
from station.store.statements.inserts import insert_once

AT_ONCE: Final = 100
_BOUND: Final = 200
"""Rows in one statement: few enough for the bound parameters of any database."""
_FEED_AT_ONCE: Final = 20_000
_NUMBERED: Final = {"count": count_interval, "answer": other_message}


@dataclass(slots=True)
class TakenOut:
    """What one transaction took out."""

    items: int = 0
    messages: int = 0
    size_bytes: int = 0


@dataclass(slots=True)
class DeletionRecord:
    """One row of `deletion`, which begins with the first thing that is taken out."""

    kept: KeptClass
    days: int
    until_ms: int
    begun_ms: int
    subject: str = ""
    id: int | None = None

    def begin(self, connection: Connection) -> int:
        """Its number; the row is made if it is not there."""
        if self.id is None:
            row = {
                "kind": str(self.kept), "subject": self.subject, "days": self.days, "until_ms": self.until_ms,
                "begun_ms": self.begun_ms, "item_count": 0, "messages": 0, "size_bytes": 0, "is_noted": False,
            }  # fmt: skip
            self.id = int(
                connection.execute(insert(deletion).values(row).returning(deletion.c.id)).scalar_one()
            )
        return self.id

    def add(self, connection: Connection, taken: TakenOut) -> None:
        """What was taken out, in the transaction that took it (invariant 1)."""
        more = {
            "item_count": deletion.c.item_count + taken.items,
            "messages": deletion.c.messages + taken.messages,
            "size_bytes": deletion.c.size_bytes + taken.size_bytes,
        }
        connection.execute(update(deletion).where(deletion.c.id == self.begin(connection)).values(more))


def take_out(
    connection: Connection, source: DueSource, keys: Collection[Sequence[Any]], record: DeletionRecord
) -> TakenOut:
    """Take out what of these is due still, and write it down; within the caller's transaction.

    An id that the record got here is worth nothing if the transaction fails.
    """
    if source.what == "event" or source.kept is KeptClass.PICTURES:
        _lock_events(connection, {(key[0], key[1]) for key in keys})
    rows = connection.execute(source.again(record.until_ms, keys)).all()
    if not rows:
        return TakenOut()
    its_id = record.begin(connection)
    these = [source.key_of(row) for row in rows]
    if source.what == "event":
        taken = _events(connection, its_id, these)
    elif source.what == "picture":
        taken = _pictures(connection, its_id, tuple_(*source.key).in_(these))
        _unshow(connection, these)
    else:
        taken = _numbered(connection, its_id, _NUMBERED[source.what], these, record.begun_ms)
    taken.items = len(rows)
    record.add(connection, taken)
    return taken


def _lock_events(connection: Connection, keys: set[tuple[int, str]]) -> None:
    """Whoever holds one of them meanwhile is waited for, and seen by the next statement."""
    which = tuple_(event.c.box_id, event.c.event_id).in_(sorted(keys))
    connection.execute(select(event.c.event_id).where(which).order_by(event.c.event_id).with_for_update())


def _events(connection: Connection, deletion_id: int, keys: Sequence[tuple[Any, ...]]) -> TakenOut:
    """Every message of these events, and what pictures of them are left."""

    def of(table: Table) -> Any:
        return tuple_(table.c.box_id, table.c.event_id).in_(keys)

    columns = event_revision.c.stream_id, event_revision.c.seq, func.length(event_revision.c.body)
    came = connection.execute(select(*columns).where(of(event_revision))).all()
    taken = _pictures(connection, deletion_id, of(picture))
    for table in (event_revision, event):
        connection.execute(delete(table).where(of(table)))
    taken.messages += _mark(connection, deletion_id, ((row[0], row[1]) for row in came))
    taken.size_bytes += sum(row[2] for row in came)
    return taken


def _numbered(
    connection: Connection, deletion_id: int, table: Table, keys: Sequence[tuple[Any, ...]], now_ms: int
) -> TakenOut:
    these = tuple_(table.c.stream_id, table.c.seq).in_(keys)
    size = connection.scalar(select(func.coalesce(func.sum(func.length(table.c.body)), 0)).where(these))
    if table is count_interval:
        mark_deleted(connection, these, now_ms)
    connection.execute(delete(table).where(these))
    return TakenOut(
        messages=_mark(connection, deletion_id, ((key[0], key[1]) for key in keys)), size_bytes=size or 0
    )


def _pictures(connection: Connection, deletion_id: int, which: Any) -> TakenOut:
    columns = picture.c.box_id, picture.c.event_id, picture.c.kind, picture.c.sha256, picture.c.camera
    rows = connection.execute(select(*columns).where(which)).all()
    if not rows:
        return TakenOut()
    connection.execute(delete(picture).where(which))
    numbers = list(_numbers(connection, rows))
    return TakenOut(
        messages=_mark(connection, deletion_id, numbers),
        size_bytes=_let_go(connection, {row.sha256 for row in rows}),
    )


def _unshow(connection: Connection, pictures: Sequence[tuple[Any, ...]]) -> None:
    """An event that stays shows no picture that went, also where another event's is the same file."""
    which = tuple_(event.c.box_id, event.c.event_id).in_({(each[0], each[1]) for each in pictures if each[1]})
    hashes = {each[3] for each in pictures}
    for column in (event.c.thumbnail_sha256, event.c.scene_sha256):
        connection.execute(update(event).where(which, column.in_(hashes)).values({column: None}))


def _numbers(connection: Connection, rows: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Under which numbers pictures came: their rows do not say it, topics and digests do."""
    wanted = {(row.box_id, _suffix(row), row.sha256) for row in rows}
    columns = message.c.stream_id, message.c.seq, message.c.suffix, message.c.digest, stream.c.box_id
    query = select(*columns).join(stream, stream.c.id == message.c.stream_id).where(message_is_picture)
    for part in _parts({each[1] for each in wanted}):
        for row in connection.execute(query.where(message.c.suffix.in_(part))):
            if (row.box_id, row.suffix, row.digest) in wanted:
                yield row.stream_id, row.seq


def _suffix(row: Any) -> str:
    return kept_suffix(f"camera/{row.camera}/{topic_of(row.event_id, row.kind)}")


def topic_of(event_id: str, kind: str) -> str:
    """A picture's topic below its camera."""
    return f"image/{event_id}/{kind}" if event_id else kind


def _mark(connection: Connection, deletion_id: int, numbers: Iterable[tuple[int, int]]) -> int:
    """Say of messages that their content went; of how many."""
    count = 0
    for part in _parts(set(numbers)):
        these = tuple_(message.c.stream_id, message.c.seq).in_(part)
        statement = update(message).where(these, message.c.deletion_id.is_(None))
        count += connection.execute(statement.values(deletion_id=deletion_id)).rowcount
    return count


def _let_go(connection: Connection, hashes: set[str]) -> int:
    """The rows of files that nothing refers to any more; how many bytes those have (invariant 2)."""
    size = 0
    for part in _parts(hashes):
        named = union(
            select(blob.c.sha256).join(picture, picture_shows_blob).where(blob.c.sha256.in_(part)),
            *(select(table.c.sha256).where(table.c.sha256.in_(part)) for table in (other_message, conflict)),
        )
        free = sorted(set(part) - set(connection.scalars(named)))
        if not free:
            continue
        places = places_of(connection, free)
        connection.execute(delete(blob).where(blob.c.sha256.in_(free)))
        for place in places:
            size += place.size_bytes
        for table, rows in (
            (blob_removal, [{"sha256": each.sha256} for each in places if each.segment is None]),
            (picture_removal, [_row(each) for each in places if each.segment is not None]),
        ):
            if rows:
                connection.execute(insert_once(connection, table), rows)
    return size


def _row(place: PicturePlace) -> dict[str, Any]:
    return dict(zip((column.name for column in PLACE), astuple(place), strict=True))


def sweep_feed(connection: Connection, from_id: int) -> int | None:
    """Take numbers of events that went out of the feed, a part of it; from where to go on, None: it is done."""
    newest = connection.scalar(select(func.max(event_feed.c.id)))
    if newest is None or from_id > newest:
        return None
    until_id = from_id + _FEED_AT_ONCE
    there = (
        select(event.c.event_id)
        .where(event.c.box_id == event_feed.c.box_id, event.c.event_id == event_feed.c.event_id)
        .exists()
    )
    these = event_feed.c.id.between(from_id, until_id - 1)
    connection.execute(delete(event_feed).where(these, ~there))
    return until_id


def _parts(rows: set[Any]) -> Iterator[list[Any]]:
    listed = sorted(rows)
    return (listed[at : at + _BOUND] for at in range(0, len(listed), _BOUND))
