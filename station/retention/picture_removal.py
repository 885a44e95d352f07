"""Takes pictures off the disk after their rows went: invariant 2 of deletion.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

from sqlalchemy import Connection, delete, select, tuple_

from station.retention.deletion import AT_ONCE
from station.store.blobs import removal_turn
from station.store.pictures.rows import SEGMENT_HASHES, heard_of, places_of, unwanted
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.schema import blob_removal, picture_removal

T = TypeVar("T")


class InTransaction(Protocol):
    """Does something in a transaction of its own."""

    def __call__(self, job: Callable[[Connection], T], /) -> T:
        """Whatever the job gives back."""
        ...


def remove_pictures(
    read: InTransaction,
    write: InTransaction,
    shelf: PictureShelf,
) -> int | None:
    """Remove up to AT_ONCE pictures whose rows went; how many, None: a backup copies pictures just now.

    Raises:
        OSError: one cannot be removed; it is tried again.
    """
    places = read(_to_be_removed)
    if not places:
        return 0
    with removal_turn(shelf.folder.parent, shared=False) as mine:
        if not mine:
            return None
        rows = read(partial(places_of, hashes=[each.sha256 for each in places]))
        shelf.remove(_going(places, {each.sha256: each.segment for each in rows}))
    write(partial(_forget, places=places))
    return len(places)


def drop_segments(read: InTransaction, shelf: PictureShelf) -> int | None:
    """Remove the segments of which nothing is wanted; how many, None: a backup copies pictures just now.

    Raises:
        OSError: one cannot be removed.
    """
    with removal_turn(shelf.folder.parent, shared=False) as mine:
        if not mine:
            return None
        free = read(partial(unwanted, segments=shelf.sizes()))
        return shelf.drop(number for number in free if _is_ours(read, shelf, number))


def _to_be_removed(connection: Connection) -> list[PicturePlace]:
    of = picture_removal.c
    columns = of.sha256, of.size_bytes, of.segment, of.segment_offset
    in_segments = select(*columns).order_by(of.segment, of.segment_offset).limit(AT_ONCE)
    places = [PicturePlace(*row) for row in connection.execute(in_segments)]
    own = select(blob_removal.c.sha256).order_by(blob_removal.c.sha256).limit(AT_ONCE - len(places))
    return places + [PicturePlace(sha256, 0) for sha256 in connection.scalars(own)]


def _is_ours(read: InTransaction, shelf: PictureShelf, number: int) -> bool:
    """Whether this store has taken in all that a segment still has; else it is another one's, and stays.

    What is left in one of its own came a second time while the segment was away.
    """
    heads = shelf.heads(number)
    while part := {head.sha256 for _, head in islice(heads, SEGMENT_HASHES)}:
        if part - read(partial(heard_of, hashes=part)):
            return False
    return True


def _going(places: Iterable[PicturePlace], again: Mapping[str, int | None]) -> Iterator[PicturePlace]:
    """Which of these places to clear; `again` has the pictures that have a row by now, and their segments."""
    for each in places:
        if each.segment is not None:
            yield each
            if each.sha256 not in again:  # somebody may have copied it out of a backup, beside its record
                yield PicturePlace(each.sha256, 0)
        elif again.get(each.sha256, 0) is not None:  # a restore brings pictures back as files of their own
            yield each


def _own_files(places: Iterable[PicturePlace]) -> list[str]:
    return [each.sha256 for each in places if each.segment is None]


def _forget(connection: Connection, places: Sequence[PicturePlace]) -> None:
    connection.execute(delete(blob_removal).where(blob_removal.c.sha256.in_(_own_files(places))))
    these = [(each.segment, each.offset) for each in places if each.segment is not None]
    if these:
        key = tuple_(picture_removal.c.segment, picture_removal.c.segment_offset)
        connection.execute(delete(picture_removal).where(key.in_(these)))
