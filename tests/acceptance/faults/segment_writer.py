"""Fills a real store and removes old pictures, for p_segments.py: `… .segment_writer FOLDER PUTS SYNC SEED`.

Pictures have numbers, counted from 1. Said is after each commit, in one write, the highest number that is kept,
and before each removal the highest that may be gone from then on. With SYNC `none` segments are never synced,
which is the fault that must be seen.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, delete, insert

from station.ingest.inbound import InboundMessage, read
from station.retention.picture_removal import drop_segments, remove_pictures
from station.store.blobs import BLOBS
from station.store.database import engine_of
from station.store.pictures import writer
from station.store.pictures.rows import places_of
from station.store.pictures.shelf import PictureShelf
from station.store.schema import blob, picture, picture_removal
from station.store.store import Store
from tests.station.ingest.test_receipts import BASE
from tests.support.jpegs import jpeg

T = TypeVar("T")


@cache
def picture_of(number: int) -> bytes:
    """The picture with this number: of some hundred bytes to some thousand, as long each time."""
    chance = random.Random(number)
    return jpeg(b"%d " % number + chance.randbytes(chance.randint(100, 6_000)).replace(b"\xff", b"\0"))


@cache
def name_of(number: int) -> str:
    """Its SHA-256."""
    return sha256(picture_of(number)).hexdigest()


def message_of(number: int) -> InboundMessage:
    """As it comes from a box."""
    properties = {"stream": "s-1", "seq": str(number), "sha256": name_of(number)}
    return read(f"{BASE}camera/north/image/e-{number}/thumbnail", picture_of(number), properties)


class _Remover:
    """What retention does, for pictures by their numbers."""

    def __init__(self, engine: Engine, shelf: PictureShelf) -> None:
        self._engine, self._shelf = engine, shelf

    def remove(self, first: int, last: int) -> None:
        hashes = [name_of(number) for number in range(first, last + 1)]

        def take_out(connection: Connection) -> None:
            places = places_of(connection, hashes)
            for table in (picture, blob):
                connection.execute(delete(table).where(table.c.sha256.in_(hashes)))
            rows = [
                {
                    "segment": each.segment,
                    "segment_offset": each.offset,
                    "sha256": each.sha256,
                    "size_bytes": each.size_bytes,
                }
                for each in places
            ]
            connection.execute(insert(picture_removal), rows)

        self._do(take_out)
        while remove_pictures(self._do, self._do, self._shelf):
            pass
        drop_segments(self._do, self._shelf)

    def _do(self, job: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return job(connection)


def main(folder: Path, puts: int, sync: str, seed: int) -> None:
    """Put, and now and then remove what was put first."""
    chance = random.Random(seed)
    writer.SEGMENT_BYTES = 60_000
    if sync == "none":
        writer.PictureWriter.sync = lambda self: None  # type: ignore[method-assign]
    engine = engine_of(URL.create("sqlite", database=str(folder / "station.db")))
    store, remover = Store(engine, folder), _Remover(engine, PictureShelf(folder / BLOBS))
    os.write(1, b"open\n")
    gone = kept = 0
    for _ in range(puts):
        batch = [message_of(kept + place) for place in range(1, chance.randint(2, 6))]
        store.commit(batch)
        kept += len(batch)
        os.write(1, b"kept %d\n" % kept)
        if chance.random() < 0.1 and kept - gone > 10:
            first, gone = gone + 1, chance.randint(gone + 1, kept - 5)
            os.write(1, b"gone %d\n" % gone)
            remover.remove(first, gone)
    os._exit(0)  # a cut needs no goodbye


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
