"""The pictures of a store as they lie on its disk, and stores as versions before segments left them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from sqlalchemy import update

from station.store.blobs import path_of
from station.store.database import engine_of
from station.store.pictures.record import HEAD_BYTES, heads_in
from station.store.pictures.rows import KeptPictures
from station.store.pictures.shelf import SEGMENTS
from station.store.schema import blob
from tests.support.stores import Place


def pictures_on(folder: Path) -> dict[str, bytes]:
    """Whole pictures by their hash, of segments and in files of their own, whatever the database says."""
    return dict(_found(folder))


def _found(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        data = path.read_bytes()
        if path.parent.name != SEGMENTS:
            yield path.name, data
            continue
        for at, head in heads_in(data):
            picture = data[at + HEAD_BYTES : at + HEAD_BYTES + head.size_bytes]
            if sha256(picture).hexdigest() == head.sha256:
                yield head.sha256, picture


def as_before_segments(place: Place) -> list[Path]:
    """Put each picture into a file of its own, as stations did; the files, by their names."""
    folder, engine = place.folder / "blobs", engine_of(place.url)
    try:
        kept = KeptPictures(engine, folder)
        paths = []
        for name, segment in place.rows("select sha256, segment from blob order by sha256"):
            paths.append(path_of(folder, name))
            if segment is not None:
                data = kept.read(name)
                assert data is not None
                paths[-1].parent.mkdir(parents=True, exist_ok=True)
                paths[-1].write_bytes(data)
        with engine.begin() as connection:
            connection.execute(update(blob).values(segment=None, segment_offset=None))
        shutil.rmtree(folder / SEGMENTS, ignore_errors=True)
        return paths
    finally:
        engine.dispose()


def spoil(place: Place, sha256: str, data: bytes) -> None:
    """Write other bytes over a picture where it lies."""
    ((segment, offset),) = place.rows(f"select segment, segment_offset from blob where sha256 = '{sha256}'")
    with (place.folder / "blobs" / SEGMENTS / f"{segment:08d}.segment").open("r+b") as file:
        file.seek(offset + HEAD_BYTES)
        file.write(data)
