"""Where pictures lie, by the rows of the database; and pictures by their hash, for whoever shows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, bindparam, delete, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.pictures.writer import CommittedEnd
from station.store.schema import blob, message, message_is_picture, picture_removal

PLACE = blob.c.sha256, blob.c.size_bytes, blob.c.segment, blob.c.segment_offset
"""The columns of a PicturePlace, in their order."""
_PLACES = select(*PLACE).where(blob.c.sha256.in_(bindparam("hashes", expanding=True)))
_HELD = _PLACES.with_for_update(read=True, key_share=True)
SEGMENT_HASHES = 10_000
"""Pictures of a segment, and few enough for the bound parameters of one statement of either database."""
_BOUND = 200
"""Few enough for the bound parameters of one statement."""


class KeptPictures:
    """The pictures of one store by their hash; for any number of threads."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.shelf = PictureShelf(folder)
        self._engine = engine

    def read(self, sha256: str) -> bytes | None:
        """The picture as it came; None: there is none, or its bytes are others now.

        Raises:
            StoreError: the store cannot be read.
            OSError: the picture is there and cannot be read.
        """
        for _ in range(2):  # it may have been moved or removed between the row and the bytes
            place = self.place(sha256)
            if place is None:
                return None
            try:
                data = self.shelf.read(place)
            except FileNotFoundError:
                continue
            return data if sha256_of(data).hexdigest() == sha256 else None
        return None

    def known(self, hashes: Collection[str]) -> set[str]:
        """Those of these that have a row.

        Raises:
            StoreError: the store cannot be read.
        """
        return {place.sha256 for place in self._places(hashes)}

    def has(self, sha256: str) -> bool:
        """Whether it is there, by its row and its place.

        Raises:
            StoreError: the store cannot be read.
            OSError: a folder cannot be read.
        """
        place = self.place(sha256)
        return place is not None and self.shelf.has(place)

    def close(self) -> None:
        """Let go of the database, for whoever made the engine for this alone."""
        self._engine.dispose()

    def place(self, sha256: str) -> PicturePlace | None:
        """Where it lies; None: the store has none of this hash.

        Raises:
            StoreError: the store cannot be read.
        """
        return next(iter(self._places([sha256])), None)

    def _places(self, hashes: Collection[str]) -> list[PicturePlace]:
        if not hashes:
            return []
        try:
            with self._engine.connect() as connection, connection.begin():
                return places_of(connection, hashes)
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error


def places_of(connection: Connection, hashes: Collection[str], *, held: bool = False) -> list[PicturePlace]:
    """Where those of these hashes lie that have a row; `held`: no row goes before this transaction ends.

    SQLite has one writer at a time, so a writer holds them all there.
    """
    listed, query = sorted(hashes), _HELD if held else _PLACES
    found: list[PicturePlace] = []
    for at in range(0, len(listed), _BOUND):
        rows = connection.execute(query, {"hashes": listed[at : at + _BOUND]})
        found += [PicturePlace(*row) for row in rows]
    return found


def committed_end(connection: Connection) -> CommittedEnd:
    """How far rows reach, and what is still to be removed; nobody else's transaction is under way meanwhile.

    A server may still commit what a station sent that has died since: it is waited for.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("lock table blob in share row exclusive mode"))
    ends = [connection.execute(_last(table)).one_or_none() for table in (blob, picture_removal)]
    places = [PicturePlace(*row) for row in ends if row is not None]
    last = max(places, key=lambda place: (place.segment, place.end), default=None)
    return CommittedEnd() if last is None else CommittedEnd(last.segment or 0, last.end, last)


def forget_places(connection: Connection) -> None:
    """The database is another place's: its segments are not here. One of before segments has none."""
    looked_at = inspect(connection)
    if looked_at.has_table(picture_removal.name):
        connection.execute(
            update(blob).where(blob.c.segment.is_not(None)).values(segment=None, segment_offset=None)
        )
        connection.execute(delete(picture_removal))


def heard_of(connection: Connection, hashes: Collection[str]) -> set[str]:
    """Those of these pictures, at most SEGMENT_HASHES, that ever came under a number: it outlives them.

    No index has hashes of messages: that takes seconds with a million of them.
    """
    query = select(message.c.digest).where(message_is_picture, message.c.digest.in_(sorted(hashes)))
    return set(connection.scalars(query))


def unwanted(connection: Connection, segments: Iterable[int]) -> list[int]:
    """Those of these segments, but for the newest, of which no picture is wanted or still to be removed."""
    listed = sorted(segments)[:-1]
    return [
        number
        for number in listed
        if all(
            connection.execute(select(table.c.segment).where(table.c.segment == number).limit(1)).first()
            is None
            for table in (blob, picture_removal)
        )
    ]


def _last(table: Table) -> Select[Any]:
    of = table.c
    columns = of.sha256, of.size_bytes, of.segment, of.segment_offset
    query = select(*columns).where(of.segment.is_not(None))
    return query.order_by(of.segment.desc(), of.segment_offset.desc()).limit(1)
