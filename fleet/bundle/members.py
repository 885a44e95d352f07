"""The members of a bundle, one after the other: plain files of a plain tar, and nothing else that tar can hold.

A bundle is written by us, so whatever we do not write is refused before it is looked at: links, devices, sparse
files (a few bytes that become as many as one likes), long names, extended headers.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO

BLOCK = 512
CHUNK_BYTES = 1 << 20
USTAR = b"ustar\x0000"
LAST_BLOCKS = 20
"""So many blocks of zeros may end a tar; it is written in records of this many."""


class Damaged(Exception):
    """It is no bundle, or not whole; the text says what and where."""


class Members:
    """Reads a bundle once, from its beginning to its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = 0
        self._padding = 0

    def next(self) -> tuple[str, int] | None:
        """Name and size of the next one, whatever was read of the one before; None at the end.

        Raises:
            Damaged: what comes is no plain file, or the end is not the end.
        """
        for _ in self.pieces():
            pass
        if len(self._file.read(self._padding)) != self._padding:
            raise Damaged("it ends in the middle")
        self._padding = 0
        block = self._file.read(BLOCK)
        if block == bytes(BLOCK):
            self._end()
            return None
        if len(block) != BLOCK:
            raise Damaged("it ends in the middle")
        try:
            found = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise Damaged("a header of a file in it cannot be read") from None
        plain = block[257:265] == USTAR and found.type == tarfile.REGTYPE and not found.linkname
        if not plain or found.size < 0 or not found.name.isprintable():
            raise Damaged(f"{found.name[:100]!r} is no plain file")
        self._left, self._padding = found.size, -found.size % BLOCK
        return found.name, found.size

    def pieces(self) -> Iterator[bytes]:
        """What is left of the member, never more than its size.

        Raises:
            Damaged: there is less.
        """
        while self._left:
            piece = self._file.read(min(self._left, CHUNK_BYTES))
            if not piece:
                raise Damaged("it ends in the middle")
            self._left -= len(piece)
            yield piece

    def _end(self) -> None:
        rest = self._file.read((LAST_BLOCKS + 1) * BLOCK)
        if len(rest) > LAST_BLOCKS * BLOCK or rest.strip(b"\0"):
            raise Damaged("something follows its end")
