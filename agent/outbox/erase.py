"""Makes unreadable what has left the outbox.

SQLite zeroes what it gives free in its file (`secure_delete`, database.py). Older copies of it stay in the log
beside the file until other pages are written over them, on a quiet box for ever, and in the blocks of a log or
file that was cut off or deleted. So both are overwritten in place first.

What a flash card's controller keeps of overwritten blocks no program can reach (docs/guide/stolen-box.md).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.outbox.recovery.pages import BEING_ERASED, log_bytes

SOME_BYTES: Final = 4 << 20
"""Overwritten in one go: half a second on a slow card."""
_PIECE: Final = bytes(1 << 18)


def erase_log(db: sqlite3.Connection, log: Path, *, whole: bool = False) -> bool:
    """Fold the log into its file, and overwrite what is in it from before the last call; whether that is all.

    What came since is left to be overwritten by what comes next: each byte is then written once more only where
    a quiet time follows a busy one. With `whole` everything is overwritten now.
    False, too, if somebody reads in the log, or writes. Whoever calls holds the outbox's lock; other processes
    may have the file open.

    Raises:
        sqlite3.Error, OSError: the disk does not take it; nothing that is committed is lost.
    """
    (patience_ms,) = db.execute("pragma busy_timeout").fetchone()
    db.execute("pragma busy_timeout = 0")
    try:
        version = db.execute("pragma data_version").fetchone()
        busy, frames, _ = db.execute("pragma wal_checkpoint(restart)").fetchone()
        if busy:
            return False
        # All that is committed is in the file now, and synced. As long as nobody writes, nobody reads the log.
        db.execute("begin immediate")
        try:
            if db.execute("pragma data_version").fetchone() != version:
                return False
            return _overwrite(log, 0 if whole else log_bytes(frames))
        finally:
            db.execute("rollback")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return False
        raise
    finally:
        db.execute(f"pragma busy_timeout = {patience_ms:d}")


def erase_file(path: Path) -> None:
    """Overwrite a file and remove it; one that cannot be written is removed all the same. Never raises."""
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            zero(handle)
        finally:
            os.close(handle)
    with suppress(OSError):
        path.unlink()


def erase_some(path: Path) -> bool:
    """Overwrite the last megabytes of a file and cut them off; True: it is gone. For files that take long.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        start = max(0, os.fstat(handle).st_size - SOME_BYTES)
        zero(handle, start)
        os.ftruncate(handle, start)
    finally:
        os.close(handle)
    if start == 0:
        path.unlink()
    return start == 0


def zero(handle: int, start: int = 0) -> None:
    """Overwrite an open file from byte `start` to its end, in place; back when the disk has it.

    Raises:
        OSError: the disk does not take it.
    """
    size = os.fstat(handle).st_size
    for at in range(start, size, len(_PIECE)):
        os.pwrite(handle, _PIECE[: size - at], at)
    os.fdatasync(handle)


def _overwrite(log: Path, new_bytes: int) -> bool:
    """All but the `new_bytes` at its beginning, which came since the last time; whether that was all.

    The head first: a log that keeps a head would be believed after a power cut, as far as it was left.
    """
    try:
        handle = os.open(log, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        size, head = os.fstat(handle).st_size, len(BEING_ERASED)
        if size <= head:
            return True
        if os.pread(handle, head, 0) == BEING_ERASED:
            new_bytes = 0  # nobody has written since
        else:
            os.pwrite(handle, BEING_ERASED, 0)
            os.fdatasync(handle)
        zero(handle, max(head, new_bytes))
        os.ftruncate(handle, new_bytes)
        return new_bytes == 0
    finally:
        os.close(handle)
