"""One picture in a segment file: a head that says what it is, and its bytes. Pure.

    8 bytes   MAGIC: no text, and altered by whoever takes it for text (the idea is PNG's, RFC 2083, 12.11)
    32 bytes  SHA-256 of the picture
    4 bytes   how many bytes it has, big end first
    4 bytes   CRC-32 of the 44 bytes before (zlib's)
    …         the picture

So records are found without the database, and behind whatever a cut or a deletion has left: look for the next
head whose sum is right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

MAGIC: Final = b"\x89ngatu\r\n"
_SUMMED: Final = struct.Struct(">8s32sI")
HEAD_BYTES: Final = _SUMMED.size + 4


@dataclass(frozen=True, slots=True)
class RecordHead:
    """What a head says."""

    sha256: str
    size_bytes: int
    """Of the picture, without the head."""


def recorded(sha256: str, picture: bytes) -> bytes:
    """A picture as it lies in a segment."""
    summed = _SUMMED.pack(MAGIC, bytes.fromhex(sha256), len(picture))
    return summed + crc32(summed).to_bytes(4, "big") + picture


def head_of(data: bytes) -> RecordHead | None:
    """The head that these bytes begin with; None: they begin with none."""
    if len(data) < HEAD_BYTES or data[:8] != MAGIC:
        return None
    summed = data[: _SUMMED.size]
    if crc32(summed) != int.from_bytes(data[_SUMMED.size : HEAD_BYTES], "big"):
        return None
    _, sha256, size_bytes = _SUMMED.unpack(summed)
    return RecordHead(sha256.hex(), size_bytes)


def heads_in(data: bytes) -> Iterator[tuple[int, RecordHead]]:
    """Every head in these bytes, with the place where it begins; its picture may reach beyond their end."""
    at = data.find(MAGIC)
    while at >= 0:
        head = head_of(data[at : at + HEAD_BYTES])
        if head is not None:
            yield at, head
        at = data.find(MAGIC, at + (1 if head is None else HEAD_BYTES + head.size_bytes))
