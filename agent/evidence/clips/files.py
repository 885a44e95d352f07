"""The files of a package as they are sent: where each lies, and their pieces, counted through all files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import accumulate

from agent.core.types import Instant
from agent.evidence.fragment import StoredFragment
from agent.wire import pieces
from agent.wire.ranges import Ranges


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file of a package, as it is sent."""

    name: str
    size_bytes: int
    body: bytes | None
    """None: it lies in the ring, or among the frames for training."""
    stored: StoredFragment | None = None
    """Where."""
    frame: str | None = None
    """Its name in the folder of frames for training, where it is one of these."""

    @property
    def gone(self) -> bool:
        """It lies nowhere any more, and is left out."""
        return self.body is None and self.stored is None and self.frame is None


@dataclass(frozen=True, slots=True)
class FilePiece:
    """One piece of one file of a package."""

    file: PackageFile
    number: int
    """Within the file."""

    def of(self, data: bytes) -> bytes:
        """Its bytes, out of those of the whole file."""
        first, end = pieces.span(self.file.size_bytes, self.number)
        return data[first:end]


@dataclass(frozen=True, slots=True)
class Package:
    """The files of a package in the order in which they are sent, and all their pieces, counted through."""

    files: tuple[PackageFile, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def parts(self) -> int:
        """Pieces of all files."""
        return sum(pieces.count(file.size_bytes) for file in self.files)

    def every(self) -> Iterable[FilePiece]:
        """All pieces in their order."""
        return (
            FilePiece(file, number) for file in self.files for number in range(pieces.count(file.size_bytes))
        )

    def number_of(self, name: str, piece: int) -> int | None:
        """The number of a file's piece over all files; None: there is none."""
        ends = accumulate(pieces.count(file.size_bytes) for file in self.files)
        for file, end in zip(self.files, ends, strict=True):
            count = pieces.count(file.size_bytes)
            if file.name == name:
                return end - count + piece if 0 <= piece < count else None
        return None

    def bytes_of(self, sent: Ranges) -> int:
        """Of the pieces with these numbers."""
        total = at = 0
        for file in self.files:
            count = pieces.count(file.size_bytes)
            for first, last in sent.within(at, at + count - 1):
                begin = (first - at) * pieces.PIECE_BYTES
                total += min(file.size_bytes, (last - at + 1) * pieces.PIECE_BYTES) - begin
            at += count
        return total


def place_json(file: PackageFile) -> str | None:
    """Where a file lies, as it is noted."""
    if file.frame is not None:
        return json.dumps({"frame": file.frame})
    return None if file.stored is None else json.dumps(asdict(file.stored))


def file_at(name: str, size_bytes: int, body: bytes | None, place: str | None) -> PackageFile:
    """The file of which `place_json` gave the place."""
    members = None if place is None else json.loads(place)
    if members is None:
        return PackageFile(name, size_bytes, body)
    if "frame" in members:
        return PackageFile(name, size_bytes, body, frame=members["frame"])
    stored = StoredFragment(**{**members, "start": Instant(**members["start"])})
    return PackageFile(name, size_bytes, body, stored)
