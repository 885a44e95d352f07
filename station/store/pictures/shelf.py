"""The one door to pictures on the disk: where each lies, read, looked for, and removed.

    blobs/segments/00000001.segment   pictures one after the other (record.py), as they came
    blobs/aa/bb/HASH                  a picture for itself: of stations before segments, and of a restore

The database says in which segment a picture lies and where; without a segment it is a file of its own. Where a
segment lacks it, or has it with other bytes, a file of its own is looked for: so pictures come back by copying
them from a backup.

Invariants
1. A record is never changed, but for being removed.
2. Only a record whose head names the picture that is to go is removed.
3. What is removed reads as zeros when `remove` returns, also after a power cut, and gives its room back where
   the file system can.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Final

from station.footage.folder import sync_folder
from station.store.blobs import path_of
from station.store.pictures.holes import punch
from station.store.pictures.record import HEAD_BYTES, MAGIC, RecordHead, head_of

SEGMENTS: Final = "segments"
_PIECE_BYTES: Final = 2**20
_ENDING: Final = ".segment"
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """Where a picture lies."""

    sha256: str
    size_bytes: int
    segment: int | None = None
    """None: in a file of its own."""
    offset: int | None = None
    """Of its record, in bytes from the segment's beginning."""

    @property
    def end(self) -> int:
        """Where the next record may begin."""
        return (self.offset or 0) + HEAD_BYTES + self.size_bytes


class PictureShelf:
    """The folder of pictures of one store, or of a backup; for any number of threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.segments = folder / SEGMENTS

    def segment(self, number: int) -> Path:
        """The file of a segment."""
        return self.segments / f"{number:0{_DIGITS}d}{_ENDING}"

    def sizes(self) -> dict[int, int]:
        """How many bytes each segment has, by its number.

        Raises:
            OSError: the folder is there and cannot be read.
        """
        found = {}
        with suppress(FileNotFoundError), os.scandir(self.segments) as entries:
            for entry in entries:
                name = entry.name.removesuffix(_ENDING)
                if name != entry.name and name.isdigit():
                    with suppress(FileNotFoundError):  # retention removes it just now
                        found[int(name)] = entry.stat(follow_symlinks=False).st_size
        return found

    def read(self, place: PicturePlace) -> bytes:
        """The bytes that lie there: whether they are still those that came, the caller asks.

        Raises:
            FileNotFoundError: there is no such picture.
            OSError: it cannot be read.
        """
        found = self._recorded(place)
        if found is not None and sha256_of(found).hexdigest() == place.sha256:
            return found
        try:
            return _plain_file(path_of(self.folder, place.sha256), place.size_bytes)
        except FileNotFoundError:
            if found is None:
                raise
            return found

    def has(self, place: PicturePlace) -> bool:
        """Whether it lies there, by names and lengths only.

        Raises:
            OSError: a folder cannot be read.
        """
        if place.segment is not None:
            with suppress(FileNotFoundError):
                if self.segment(place.segment).stat().st_size >= place.end:
                    return True
        return path_of(self.folder, place.sha256).is_file()

    def may_hold(self, place: PicturePlace) -> bool:
        """Whether a segment has this picture there, or nothing any more; else it has another, or is not there.

        Raises:
            OSError: it is there and cannot be read.
        """
        if place.segment is None or place.offset is None:
            return False
        try:
            with self._opened(place.segment, os.O_RDONLY) as descriptor:
                data = os.pread(descriptor, HEAD_BYTES, place.offset)
        except FileNotFoundError:
            return False
        head = head_of(data)
        if head is None:
            return data == bytes(HEAD_BYTES)
        return (head.sha256, head.size_bytes) == (place.sha256, place.size_bytes)

    def heads(self, number: int, begin: int = 0) -> Iterator[tuple[int, RecordHead]]:
        """What a segment holds from there on, whatever the database says: where each record lies, and its head.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        with self._opened(number, os.O_RDONLY) as descriptor:
            at = _data_from(descriptor, begin)
            while at is not None:
                head = head_of(os.pread(descriptor, HEAD_BYTES, at))
                if head is not None:
                    yield at, head
                    at = _data_from(descriptor, at + HEAD_BYTES + head.size_bytes)
                    continue
                piece = os.pread(descriptor, _PIECE_BYTES, at + 1)
                found = piece.find(MAGIC)
                passed = found if found >= 0 else max(1, len(piece) - len(MAGIC) + 1)
                at = _data_from(descriptor, at + 1 + passed)

    def remove(self, places: Iterable[PicturePlace]) -> None:
        """Remove them (invariants 2 and 3); what is gone already is no error.

        Raises:
            OSError: one cannot be removed; calling again is harmless.
        """
        by_segment = defaultdict[int, list[PicturePlace]](list)
        for place in places:
            if place.segment is None:
                path_of(self.folder, place.sha256).unlink(missing_ok=True)
            else:
                by_segment[place.segment].append(place)
        for number, these in by_segment.items():
            with suppress(FileNotFoundError), self._opened(number, os.O_RDWR) as descriptor:
                ours = sorted((each.offset or 0, each.end) for each in these if _is_at(descriptor, each))
                for begin, end in _joined(ours):
                    punch(descriptor, begin, end - begin)
                os.fdatasync(descriptor)

    def drop(self, numbers: Iterable[int]) -> int:
        """Remove segments in which nothing is wanted; how many.

        Raises:
            OSError: one cannot be removed.
        """
        count = 0
        for number in numbers:
            self.segment(number).unlink(missing_ok=True)
            count += 1
        if count:
            sync_folder(self.segments)
        return count

    def _recorded(self, place: PicturePlace) -> bytes | None:
        """None: it is in no segment, or not where the database says."""
        if place.segment is None or place.offset is None:
            return None
        try:
            with self._opened(place.segment, os.O_RDONLY) as descriptor:
                data = os.pread(descriptor, HEAD_BYTES + place.size_bytes, place.offset)
        except FileNotFoundError:
            return None
        head = head_of(data)
        if head is None or (head.sha256, head.size_bytes) != (place.sha256, place.size_bytes):
            return None
        return data[HEAD_BYTES:]

    @contextmanager
    def _opened(self, number: int, flags: int) -> Iterator[int]:
        descriptor = os.open(self.segment(number), flags | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _data_from(descriptor: int, offset: int) -> int | None:
    """Where the file has data next, holes passed over; None: nowhere."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        raise


def _is_at(descriptor: int, place: PicturePlace) -> bool:
    head = head_of(os.pread(descriptor, HEAD_BYTES, place.offset or 0))
    return head is not None and (head.sha256, head.size_bytes) == (place.sha256, place.size_bytes)


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Neighbours as one: of a hole, the pieces of blocks at both ends take their room still."""
    begin = end = -1
    for first, last in ranges:
        if first == end:
            end = last
            continue
        if end > begin:
            yield begin, end
        begin, end = first, last
    if end > begin:
        yield begin, end


def _plain_file(path: Path, size_bytes: int) -> bytes:
    """At most one byte more than it should have; nothing of what is no file, for that might never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link
            return b""
        raise
    with open(descriptor, "rb") as file:  # noqa: PTH123 (it is a descriptor)
        return file.read(size_bytes + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
