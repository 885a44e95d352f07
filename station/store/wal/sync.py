"""Writes a file that SQLite has open to the disk, a piece at a time, by the descriptor that SQLite has.

In one go, thousands of pages all over the file stand before whatever else the disk is asked for: a commit
beside it waits as long as the whole takes.
To open and close the file once more would let go of all locks of this process on it (POSIX, fcntl;
https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

PIECE_BYTES: Final = 4 * 2**20
"""Written in one go: of a large database a few pages that have changed."""
_OPEN: Final = Path("/proc/self/fd")
_WAIT_WRITE_WAIT: Final = 7
"""SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER of sync_file_range(2)."""
_range_to_disk = getattr(ctypes.CDLL(None), "sync_file_range", None)
"""Linux alone has it, and Python has no name for it."""
if _range_to_disk is not None:
    _range_to_disk.argtypes = ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint


def sync_open(file: Path, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Bring what the system still has of it in memory to the disk; False where this process has it not open.

    Before each piece it is asked whether nobody waits for it any more; then all is left to the next one.

    Raises:
        OSError: the disk did not take it.
    """
    descriptor = _descriptor_of(file)
    if descriptor is None:
        return False
    try:
        for offset in range(0, os.fstat(descriptor).st_size, PIECE_BYTES):
            if is_over():
                return False
            # Not every system can: then all goes with the sync, which is what makes it durable in any case.
            if _range_to_disk is None or _range_to_disk(descriptor, offset, PIECE_BYTES, _WAIT_WRITE_WAIT):
                break
        os.fdatasync(descriptor)
    except OSError as error:
        if error.errno == errno.EBADF:  # its connection was closed meanwhile
            return False
        raise
    return True


def _descriptor_of(file: Path) -> int | None:
    try:
        wanted = file.stat()
        for each in _OPEN.iterdir():
            descriptor = int(each.name)
            try:
                if os.path.samestat(os.fstat(descriptor), wanted):
                    return descriptor
            except OSError:  # closed meanwhile
                continue
    except OSError:
        return None
    return None
