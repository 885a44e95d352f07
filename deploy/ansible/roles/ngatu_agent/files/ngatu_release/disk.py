"""Writing so that a power cut leaves the old or the new, never something between."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Refused(Exception):
    """What was asked is not done; the text says what, where, and what to do."""


def settle(folder: Path) -> None:
    """Force the names in a folder onto the disk: after this a rename in it outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(path: Path, text: str) -> None:
    """Write a small file: afterwards it holds the old text or the new one, whatever happens meanwhile."""
    part = path.with_name(path.name + ".new")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    settle(path.parent)


def point(link: Path, target: str) -> None:
    """Let a symbolic link point to `target`: it points to the old or the new one at any moment."""
    part = link.with_name(link.name + ".new")
    with suppress(FileNotFoundError):
        part.unlink()
    part.symlink_to(target)
    part.replace(link)
    settle(link.parent)


def drop(path: Path) -> None:
    """Remove a file, if it is there, so that it stays removed."""
    if path.is_symlink() or path.exists():
        path.unlink()
        settle(path.parent)


def drop_tree(path: Path) -> None:
    """Remove a folder; what a power cut leaves of it has no name that counts."""
    gone = path.with_name(path.name + ".gone")
    shutil.rmtree(gone, ignore_errors=True)  # of somebody who was interrupted here
    if path.exists():
        path.rename(gone)
        settle(path.parent)
    shutil.rmtree(gone, ignore_errors=True)


@contextmanager
def alone(lock: Path, within_s: float = 60.0) -> Iterator[None]:
    """Nobody else changes releases meanwhile; the lock ends with the process, however that ends.

    Raises:
        Refused: somebody else holds it for too long.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + within_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Refused(f"{lock}: another ngatu-release is at work: wait for its end") from None
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)
