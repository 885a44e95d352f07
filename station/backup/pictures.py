"""Pictures copied from one folder to another: only those that are not there, each held against its hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from station.store.blobs import INCOMING, Blobs, names_below
from station.store.pictures.shelf import PicturePlace, PictureShelf

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is, and how much there is."""

_BATCH_BYTES = 16 * 2**20
_BATCH = 256


@dataclass(slots=True)
class Copied:
    """What became of the pictures."""

    fresh: int = 0
    fresh_bytes: int = 0
    there: int = 0
    """Were there before."""
    missing: list[str] = field(default_factory=list)
    """Hashes of those that the source lacks, too."""
    altered: list[str] = field(default_factory=list)
    """Hashes of those whose bytes are not what they were; they were not copied."""


def absent(places: Iterable[PicturePlace], target: Path) -> Iterator[PicturePlace]:
    """Of these in the order of their hashes, those that have no file in a folder; reads names only.

    Raises:
        OSError: the folder cannot be read.
    """
    for prefix, below in groupby(places, key=lambda place: place.sha256[:2]):
        there = names_below(target, prefix)
        yield from (place for place in below if place.sha256 not in there)


def copy_pictures(
    wanted: Iterable[PicturePlace], total: int, source: PictureShelf, target: Path, progress: Progress
) -> Copied:
    """Copy what the target lacks, each into a file of its own; what is copied is on its disk afterwards.

    Raises:
        OSError: a folder cannot be read or written; what was copied so far stays, and is not copied again.
    """
    copied, size_bytes = Copied(), 0
    batch: dict[str, bytes] = {}
    with closing(Blobs(target)) as blobs:
        for unfinished in (target / INCOMING).iterdir():
            unfinished.unlink()

        def put() -> None:
            blobs.put(batch)
            copied.fresh += len(batch)
            copied.fresh_bytes += size_bytes
            progress("pictures", copied.fresh, total)

        for place in wanted:
            try:
                data = source.read(place)
            except FileNotFoundError:
                copied.missing.append(place.sha256)
                continue
            if sha256(data).hexdigest() != place.sha256:
                copied.altered.append(place.sha256)
                continue
            batch[place.sha256] = data
            size_bytes += len(data)
            if size_bytes >= _BATCH_BYTES or len(batch) >= _BATCH:
                put()
                batch, size_bytes = {}, 0
        if batch:
            put()
    return copied
