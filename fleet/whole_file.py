"""A file put in its place at once and for good: the old or the new is there, whole, whatever happens meanwhile.

Invariants
1. Under the file's own name nothing half written ever stands: what is new has another name until it is whole.
2. When a write has returned, the file and its name are on the disk: a power cut takes neither.
3. What fails or is interrupted leaves the old one as it was, and nothing beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from agent.errors import NgatuError

ROOM: Final = "may this user write there, and is there room? then run the same again"


@contextmanager
def written_whole(path: Path, mode: int = 0o644, hint: str = ROOM) -> Iterator[BinaryIO]:
    """A file to be written to, which takes the place of `path` when the block has ended without an error.

    Raises:
        NgatuError: the folder does not take it; then the old one stands, and nothing of the new is left.
    """
    new = path.with_name(f".{path.name}.new")
    with in_words(path, hint):
        new.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # invariant 2, and before the name: else it may stand for an empty file
            new.replace(path)
        except BaseException:  # Ctrl-C, too: invariant 3
            with suppress(OSError):
                new.unlink()
            raise
        sync_folder(path.parent)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a file in place.

    Raises:
        NgatuError: the folder does not take it; then the old one stands, and nothing of the new is left.
    """
    with written_whole(path, mode) as file:
        file.write(data)


@contextmanager
def in_words(path: Path, hint: str) -> Iterator[None]:
    """What the system has against this file, as one clear error."""
    try:
        yield
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror or error}", hint) from None


def require_takes(folder: Path, hint: str) -> None:
    """See to it that files can be made in the folder, or that the folder can be made; makes nothing.

    Raises:
        NgatuError: they cannot.
    """
    there = folder.absolute()
    while not os.path.lexists(there):
        there = there.parent
    if not there.is_dir():
        raise NgatuError(f"{there}: this is no folder", hint)
    if not os.access(there, os.W_OK | os.X_OK):
        raise NgatuError(f"{there}: nothing may be written there", hint)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
