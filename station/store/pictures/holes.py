"""Parts of a file given back to the file system: they read as zeros afterwards.

Source: fallocate(2), FALLOC_FL_PUNCH_HOLE: ext4, XFS, Btrfs and tmpfs can. Where a file system cannot, zeros
are written, and the room comes back with the whole file.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

_KEEP_SIZE: Final = 0x01
PUNCH_HOLE: Final = 0x02
_CANNOT: Final = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV}
_PIECE: Final = bytes(2**20)
_libc: Final = ctypes.CDLL(None, use_errno=True)


def punch(descriptor: int, offset: int, length: int) -> bool:
    """Have a part of a file read as zeros; whether its room was given back, too. Not synced yet.

    Raises:
        OSError: it cannot be written.
    """
    fallocate = _libc.fallocate64 if hasattr(_libc, "fallocate64") else _libc.fallocate
    words = ctypes.c_int64(offset), ctypes.c_int64(length)
    if fallocate(descriptor, PUNCH_HOLE | _KEEP_SIZE, *words) == 0:
        return True
    number = ctypes.get_errno()
    if number not in _CANNOT:
        raise OSError(number, os.strerror(number))
    blank(descriptor, offset, length)
    return False


def blank(descriptor: int, offset: int, length: int) -> None:
    """The same by writing zeros.

    Raises:
        OSError: they cannot be written.
    """
    end = offset + length
    while offset < end:
        offset += os.pwrite(descriptor, _PIECE[: end - offset], offset)
