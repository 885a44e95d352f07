"""A file that is there to be deleted: when the disk is full it makes room for events.

On a full disk SQLite can neither insert nor delete nor checkpoint; freeing some megabytes repairs it at once
(docs/design/delivery.md has the figures).
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

LEAST_BYTES: Final = 4 << 20
"""Free bytes with which a disk without a ballast counts as having room."""

OPENING_BYTES: Final = 1 << 20
"""A database is opened with so much free at least: its map takes 32 KiB, its log begins with some pages."""


def least_bytes(size_bytes: int) -> int:
    """With less free, a disk is told full from the first start: the database comes first, then the ballast."""
    return OPENING_BYTES + (size_bytes * 3 // 2 if size_bytes else LEAST_BYTES)


class Ballast:
    """`size_bytes` of disk, held in one file until they are needed. A size of 0 holds nothing."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes

    @property
    def is_held(self) -> bool:
        """The file is there in its full size."""
        try:
            return self.size_bytes > 0 and self.path.stat().st_size >= self.size_bytes
        except OSError:
            return False

    def take(self) -> bool:
        """Reserve the bytes if the disk has half as many more to spare; whether they are held afterwards.

        With less to spare, the next messages would give them back at once. With twice as many asked for, a
        small disk on which the outbox had grown meanwhile was told full for ever, with all delivered.
        """
        if self.size_bytes == 0 or self.is_held:
            return self.is_held
        with suppress(OSError):
            if shutil.disk_usage(self.path.parent).free < self.size_bytes * 3 // 2:
                return False
            # What stands in its place is not followed, nor waited for: it goes below, as it is not held.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            handle = os.open(self.path, flags, 0o666)
            try:
                os.posix_fallocate(handle, 0, self.size_bytes)
            finally:
                os.close(handle)
        if not self.is_held:  # the disk filled while we took it
            self.drop()
        return self.is_held

    def drop(self) -> bool:
        """Give the bytes back; whether there were any."""
        there = self.path.exists()
        with suppress(OSError):
            self.path.unlink()
        return there

    def make_way(self) -> bool:
        """Give the bytes back if a database could not even be opened without them; whether that was so.

        SQLite maps a file beside the database into memory. On a disk without room for it, touching that memory
        does not fail with an error: the process dies (SIGBUS).
        """
        try:
            return shutil.disk_usage(self.path.parent).free < OPENING_BYTES and self.drop()
        except OSError:
            return False

    def room(self) -> bool:
        """Whether a disk that holds no ballast, because none is wanted, has room again."""
        try:
            return self.size_bytes == 0 and shutil.disk_usage(self.path.parent).free >= LEAST_BYTES
        except OSError:
            return False
