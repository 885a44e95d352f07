"""Where what lies in a ZIP file: which bytes belong to none of its files, and how long its list of names is.

A ZIP file is read from its end, and a player reads from the beginning. So what stands before the first file,
between two of them or behind the end is played or unpacked by others; who goes by the list of names sees none.
Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16.
"""

from __future__ import annotations

import os
import struct
import zipfile
from contextlib import suppress
from typing import BinaryIO, Final

_END: Final = struct.Struct("<4s4H2LH")
_END_MARK: Final = b"PK\x05\x06"
_END_BYTES: Final = _END.size + 0xFFFF
_WIDE_END_BYTES: Final = 56 + 20
"""The end record of the long form (ZIP64), and the one that leads to it."""
_WIDE_MARK: Final = b"PK\x06\x06"
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LOCAL_MARK: Final = b"PK\x03\x04"
_DESCRIBED: Final = 0x8
"""Flag: the sizes of a file stand after it, in a descriptor of one of these lengths."""
_DESCRIPTOR_BYTES: Final = (12, 16, 20, 24)
_PASSWORD: Final = 0x1
"""Flag: before the file stand twelve bytes more."""
MOST_RANGES: Final = 100


def directory_bytes(file: BinaryIO) -> int:
    """How long a ZIP file's list of names is by its end record; zipfile reads all of it into memory.

    In a file so large that it needs the longer record (ZIP64) it is what lies before that, at most.
    """
    size = file.seek(0, os.SEEK_END)
    at, tail = _end_record(file, size)
    file.seek(0)
    if at < 0:
        return 0  # no ZIP file: zipfile says so
    length = int(_END.unpack_from(tail, at)[5])
    if length != 0xFFFFFFFF:
        return length
    wide = tail.rfind(_WIDE_MARK, 0, at)
    with suppress(struct.error):
        return int(struct.unpack_from("<Q", tail, wide + 40)[0]) if wide >= 0 else size
    return size


def loose_ranges(file: BinaryIO, archive: zipfile.ZipFile) -> tuple[tuple[int, int], ...]:
    """The ranges of bytes, first and after the last, that belong to none of its files; MOST_RANGES at most.

    Raises:
        OSError: it cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    at, tail = _end_record(file, size)
    end = size - len(tail) + at
    found: list[tuple[int, int]] = []
    reached = 0
    for member in sorted(archive.infolist(), key=lambda each: each.header_offset):
        begins = min(max(0, member.header_offset), size)  # a list can put it anywhere
        if member.header_offset != reached:
            found.append((min(reached, begins), max(reached, begins)))
        following = min(_after(file, begins, member.compress_size), size)
        spare = member.compress_size - member.file_size if member.compress_type == zipfile.ZIP_STORED else 0
        if spare > 0 and not member.flag_bits & _PASSWORD:
            found.append((following - spare, following))
        if member.flag_bits & _DESCRIBED:
            following += _descriptor_bytes(file, following)
        reached = max(reached, following)
        if len(found) >= MOST_RANGES:
            break
    else:
        directory = archive.start_dir
        if directory != reached:
            found.append((min(reached, directory), max(reached, directory)))
    if size > end + _END.size:
        found.append((end + _END.size, size))
    return tuple(found)


def _end_record(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Where the end record stands in the last bytes of a file, as zipfile finds it; -1: nowhere."""
    file.seek(max(0, size - _END_BYTES))
    tail = file.read(_END_BYTES)
    plain = len(tail) - _END.size
    if plain >= 0 and tail.startswith(_END_MARK, plain) and tail.endswith(b"\0\0"):
        return plain, tail
    at = tail.rfind(_END_MARK)
    return (at if at <= plain else -1), tail


def _after(file: BinaryIO, begins: int, size: int) -> int:
    """Where a file of this size ends: the head before it tells how long its name is, and what else is there."""
    file.seek(begins)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(_LOCAL_MARK):
        return begins  # zipfile says so when it is opened
    *_, name_bytes, extra_bytes = _LOCAL.unpack(head)
    return begins + _LOCAL.size + int(name_bytes) + int(extra_bytes) + size


def _descriptor_bytes(file: BinaryIO, at: int) -> int:
    """How long the descriptor is that stands here: what follows on it begins with a mark."""
    file.seek(at)
    found = file.read(max(_DESCRIPTOR_BYTES) + 4)
    marks = (_LOCAL_MARK, b"PK\x01\x02")
    return next((length for length in _DESCRIPTOR_BYTES if found.startswith(marks, length)), 0)
