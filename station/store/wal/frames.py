"""How many pages SQLite's write-ahead log holds, without opening the database. Pure reading.

A log is not emptied: once all of it is in the file, it is written anew from its beginning, and its head gets
another salt. Frames of before keep theirs, so those of now are the first ones, and are counted by halving.
Source: https://www.sqlite.org/fileformat2.html, section 4. To open and close the database's file, or `-shm`,
would let go of SQLite's locks in this process (POSIX); the log has none.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct(">8xI4x8s8x")
"""Page size and salts; before and between them the format, a count and sums."""
_FRAME_HEAD: Final = struct.Struct(">8x8s8x")


@dataclass(frozen=True, slots=True)
class LogFill:
    """What a log holds."""

    salt: bytes = b""
    """Another one for each time that it is written from its beginning."""
    frames: int = 0
    """Pages that were written since; those of a transaction that goes on may be among them."""


def log_of(database: Path) -> Path:
    """The log of a database's file."""
    return database.with_name(f"{database.name}-wal")


def log_fill(log: Path) -> LogFill:
    """How much it holds; nothing where there is none.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return LogFill()
    try:
        head = os.pread(descriptor, _HEAD.size, 0)
        if len(head) < _HEAD.size:
            return LogFill()
        page_bytes, salt = _HEAD.unpack(head)
        frame_bytes = _FRAME_HEAD.size + page_bytes
        low, high = 0, (os.fstat(descriptor).st_size - _HEAD.size) // frame_bytes
        while low < high:
            middle = (low + high) // 2
            frame = os.pread(descriptor, _FRAME_HEAD.size, _HEAD.size + middle * frame_bytes)
            if len(frame) == _FRAME_HEAD.size and _FRAME_HEAD.unpack(frame)[0] == salt:
                low = middle + 1
            else:
                high = middle
        return LogFill(salt, low)
    finally:
        os.close(descriptor)
