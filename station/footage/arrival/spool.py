"""Pieces of a package as they come, in one file that only grows: one sync for a batch, however many pieces.

    record    "ngP1", length of the name (u8), number of the piece (u32), length (u32), CRC-32 of all
              the rest, the name, the bytes; big endian

Invariants
1. When `add` returns its pieces are on disk.
2. What a power cut left of a record is cut off at the next start; what stands before it is whole.
3. The first of two pieces with one name and number stays, if it can be one of its file (`keep_only`).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from agent.wire.pieces import PIECE_BYTES, count, span
from station.footage.folder import sync_folder

_FIXED: Final = struct.Struct(">4sBIII")
_MAGIC: Final = b"ngP1"


@dataclass(frozen=True, slots=True)
class SpooledPiece:
    """One piece."""

    file: str
    number: int
    data: bytes


class Spool:
    """One file of pieces; used by one thread.

    Raises:
        OSError: it cannot be read, or what is broken at its end cannot be cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, dict[int, tuple[int, int]]] = {}
        """File -> piece -> where its bytes begin, and how many they are."""
        self.bytes = 0
        """Of all pieces."""
        self._end = self._scan()

    def has(self, file: str, number: int) -> bool:
        """Whether this piece is here."""
        return number in self._places.get(file, {})

    def sizes(self, file: str) -> Mapping[int, int]:
        """The bytes of each piece of a file that is here."""
        return {number: size for number, (_, size) in self._places.get(file, {}).items()}

    def bytes_of(self, files: Iterable[str]) -> int:
        """Of the pieces of these files."""
        return sum(size for file in files for _, size in self._places.get(file, {}).values())

    @property
    def count(self) -> int:
        """Pieces that are here."""
        return sum(map(len, self._places.values()))

    def keep_only(self, files: Mapping[str, int]) -> None:
        """Forget what is no piece of these files and their bytes: what came before they were known.

        In the file it stays, and of a place that is taken anew there the later one counts.
        """
        for file, found in tuple(self._places.items()):
            whole = files.get(file, 0)
            for number, (_, size) in tuple(found.items()):
                first, end = span(whole, number) if number < count(whole) else (0, 0)
                if size != end - first:
                    del found[number]
                    self.bytes -= size

    def add(self, pieces: Iterable[SpooledPiece]) -> None:
        """Keep these (invariants 1 and 3).

        Raises:
            OSError: none of them is kept.
        """
        fresh: dict[tuple[str, int], bytes] = {}
        for piece in pieces:
            if not self.has(piece.file, piece.number):
                fresh.setdefault((piece.file, piece.number), piece.data)
        if not fresh:
            return
        places, end, records = [], self._end, bytearray()
        for (name, number), data in fresh.items():
            raw = name.encode("ascii")
            records += _FIXED.pack(_MAGIC, len(raw), number, len(data), _crc(raw, number, data)) + raw + data
            places.append((name, number, end + _FIXED.size + len(raw), len(data)))
            end += _FIXED.size + len(raw) + len(data)
        self._append(records)
        if not self._end:
            sync_folder(self._path.parent)
        self._end = end
        for name, number, at, size in places:
            self._note(name, number, at, size)

    def read(self, file: str) -> Iterable[bytes]:
        """The pieces of a file from its first on, as far as they follow each other.

        Raises:
            OSError: they cannot be read.
        """
        found = self._places.get(file, {})
        with self._path.open("rb") as source:
            for number in range(len(found)):
                if number not in found:
                    return
                at, size = found[number]
                source.seek(at)
                yield source.read(size)

    def remove(self) -> None:
        """All of it is elsewhere now."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        self._places.clear()
        self.bytes = self._end = 0

    def _append(self, records: bytearray) -> None:
        with self._path.open("ab", buffering=0) as file:
            try:
                rest = memoryview(records)
                while rest:  # a disk that fills up takes a part of it
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    os.truncate(self._path, self._end)
                raise

    def _scan(self) -> int:
        try:
            with self._path.open("rb") as file:
                end = self._read_records(file, os.fstat(file.fileno()).st_size)
        except FileNotFoundError:
            return 0
        if end < self._path.stat().st_size:
            os.truncate(self._path, end)  # invariant 2
        return end

    def _read_records(self, file: BinaryIO, size: int) -> int:
        """Where what is whole ends."""
        end = 0
        while len(fixed := file.read(_FIXED.size)) == _FIXED.size:
            magic, name_bytes, number, length, crc = _FIXED.unpack(fixed)
            at = end + _FIXED.size + name_bytes
            if magic != _MAGIC or length > PIECE_BYTES or at + length > size:
                break
            name, data = file.read(name_bytes), file.read(length)
            if _crc(name, number, data) != crc or not name.isascii():
                break
            self._note(name.decode("ascii"), number, at, length)
            end = at + length
        return end

    def _note(self, name: str, number: int, at: int, size: int) -> None:
        self._places.setdefault(name, {})[number] = (at, size)
        self.bytes += size


def _crc(name: bytes, number: int, data: bytes) -> int:
    """Of what a record says: by another name or number its bytes would be those of another piece."""
    return zlib.crc32(data, zlib.crc32(name, number))
