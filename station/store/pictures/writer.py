"""Appends pictures to segments: all of a batch with one sync, and nothing that is committed is ever in doubt.

Invariants
1. When sync() returns, what was appended and its file's name are on disk: so a row that is committed after that
   names a picture that no crash can take.
2. What has no row lies at the end of the newest segment: nothing is appended behind what nobody confirmed, and
   a segment is begun only when all before it is confirmed.
3. What a crash or a failure left there is cut off before anything is appended. More than that can leave is no
   crash but a mistake, such as another database, and so is another picture where the last row's lies: then
   nothing is cut off, and it is told.
4. A number that a row or a removal names is never given to a new segment.
5. A folder that somebody removed under it is made again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from station.footage.folder import sync_folder
from station.store.pictures.record import recorded
from station.store.pictures.shelf import PicturePlace, PictureShelf

SEGMENT_BYTES: Final = 64 * 2**20
"""From here on a new one is begun: small enough that retention soon has whole ones to remove."""
MAX_ORPHANS: Final = 1_000
"""A crash leaves at most one batch (batches.py: 400 messages) per life of the station."""


@dataclass(frozen=True, slots=True)
class CommittedEnd:
    """How far the rows of the database reach, removals that are still to be made included."""

    segment: int = 0
    """The newest that is named; 0: none is."""
    end: int = 0
    """Of its last record."""
    last: PicturePlace | None = None
    """What that record is; None: it was not asked for."""


@dataclass(frozen=True, slots=True)
class OrphanRemoval:
    """What became of pictures without a row."""

    removed: int = 0
    spared: int = 0
    """Too many to be those of a crash."""


class PictureWriter:
    """Appends to one shelf; owned by one process, used by one thread."""

    def __init__(self, shelf: PictureShelf, segment_bytes: int | None = None) -> None:
        """A new segment is begun from so many bytes on; None: SEGMENT_BYTES."""
        self._shelf = shelf
        self._segment_bytes = SEGMENT_BYTES if segment_bytes is None else segment_bytes
        self._descriptor: int | None = None
        self._number = self._end = 0
        self._is_doubtful = True
        """Something was appended, and nobody knows whether it has its row."""
        self._is_open = False
        """Something was appended in a transaction that goes on."""

    @property
    def is_ready(self) -> bool:
        """Whether all that was appended has its row, and the file its name; if not, `resume` comes first."""
        return not self._is_doubtful and self._is_in_its_place()

    def resume(self, committed: CommittedEnd) -> OrphanRemoval:
        """Go on behind what is committed (invariants 2 to 5).

        Raises:
            OSError: the folder cannot be made, read or written.
        """
        self.close()
        self._make_folder()
        sizes = self._shelf.sizes()
        newest = max(sizes, default=0)
        beyond = [number for number in sorted(sizes) if number > committed.segment]
        tail = committed.segment if sizes.get(committed.segment, 0) > committed.end else None
        orphans = [*([] if tail is None else [(tail, committed.end)]), *((number, 0) for number in beyond)]
        heads = (head for number, begin in orphans for head in self._shelf.heads(number, begin))
        count = sum(1 for _ in islice(heads, MAX_ORPHANS + 1))
        if count > MAX_ORPHANS or self._is_another(committed):
            self._begin(max(newest, committed.segment) + 1)
            return OrphanRemoval(spared=count)
        self._shelf.drop(beyond)
        if sizes.get(committed.segment, -1) < committed.end:  # lost, or never there
            self._begin(committed.segment + 1)
        else:
            self._go_on(committed)
        return OrphanRemoval(removed=count)

    def append(self, pictures: Mapping[str, bytes]) -> dict[str, PicturePlace]:
        """Write them by their hash; where each lies. Not on disk before `sync`, not safe before `confirm`.

        Raises:
            OSError: some may be written; `resume` is due.
        """
        if not pictures:
            return {}
        assert not self._is_doubtful and not self._is_open, "nobody confirmed what is behind"
        if self._end >= self._segment_bytes:
            self._begin(self._number + 1)
        self._is_open = True
        places, parts, at = {}, [], self._end
        for sha256, picture in pictures.items():
            places[sha256] = PicturePlace(sha256, len(picture), self._number, at)
            parts.append(recorded(sha256, picture))
            at = places[sha256].end
        self._write(b"".join(parts))
        return places

    def sync(self) -> None:
        """Invariant 1.

        Raises:
            OSError: the disk will not; `resume` is due.
        """
        if self._is_open and self._descriptor is not None:
            os.fdatasync(self._descriptor)

    def confirm(self) -> None:
        """What was appended has its row, committed."""
        self._is_open = False

    def doubt(self) -> None:
        """The transaction failed, or nobody knows."""
        self._is_doubtful = self._is_doubtful or self._is_open
        self._is_open = False

    def close(self) -> None:
        """Let go of the file."""
        self._is_doubtful, self._is_open = True, False
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    # --------------------------------------------------------------------------------------------- the inside

    def _is_another(self, committed: CommittedEnd) -> bool:
        """Whether these segments are not those that the rows are about."""
        return committed.last is not None and not self._shelf.may_hold(committed.last)

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, self._end)
            self._end += written
            view = view[written:]

    def _begin(self, number: int) -> None:
        """A new file; its name is on disk before anything is written into it."""
        self.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        # Readable by the group, so that a web server of its own user may show pictures; by nobody else.
        self._descriptor = os.open(self._shelf.segment(number), flags, 0o640)
        sync_folder(self._shelf.segments)
        self._number, self._end, self._is_doubtful = number, 0, False

    def _go_on(self, committed: CommittedEnd) -> None:
        """Append behind this; what lies there goes."""
        path = self._shelf.segment(committed.segment)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        if os.fstat(self._descriptor).st_size > committed.end:
            os.ftruncate(self._descriptor, committed.end)
            os.fsync(self._descriptor)
        self._number, self._end, self._is_doubtful = committed.segment, committed.end, False

    def _is_in_its_place(self) -> bool:
        """Whether the name that the database will give leads to the file that is written (invariant 5)."""
        if self._descriptor is None:
            return False
        try:
            named = self._shelf.segment(self._number).stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(named, os.fstat(self._descriptor))

    def _make_folder(self) -> None:
        folder = self._shelf.segments
        if not folder.is_dir():
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            for each in (folder.parent, folder.parent.parent):
                sync_folder(each)
