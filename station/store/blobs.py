"""Pictures as files of their own, each once, in a file that bears its hash: how backups hold them.

A restore writes them so, and stations did before there were segments (pictures/shelf.py).

Invariants
1. When put() returns, the files and their names are on disk: neither a crash nor a power cut can lose them.
2. A file that has its final name is whole, and is never changed.
3. A folder that somebody removed under it is made again by the next put().
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from station.footage.folder import give_as

BLOBS = "blobs"
"""The folder of pictures in a station's state_dir."""
INCOMING = "incoming"
REMOVAL_LOCK = "removal.lock"
"""In a station's state_dir: a backup holds it for reading, and who removes files by their age for itself."""
T = TypeVar("T")
_SYNCS = 8
_NAME = re.compile("[0-9a-f]{64}")


def path_of(folder: Path, sha256: str) -> Path:
    """Where the bytes with this hash lie: in one of 65,536 folders, so that none is large."""
    return folder / sha256[:2] / sha256[2:4] / sha256


class Blobs:
    """One folder, used by one process at a time.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / INCOMING
        self._make_folders()
        self._threads = ThreadPoolExecutor(_SYNCS, "blobs")

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, or would lie."""
        return path_of(self._folder, sha256)

    def put(self, blobs: Mapping[str, bytes]) -> None:
        """Keep the bytes under their hash (invariants 1 and 2); costs one sync per file and per folder.

        Raises:
            OSError: some may be there, some not; calling again is harmless.
        """
        if not blobs:
            return
        try:
            self._put(blobs)
        except FileNotFoundError:  # invariant 3; it may also go between two of its steps
            self._make_folders()
            self._put(blobs)

    def _put(self, blobs: Mapping[str, bytes]) -> None:
        fresh = [sha256 for sha256 in blobs if not self.path(sha256).exists()]
        self._at_once(lambda sha256: _write(self._incoming / sha256, blobs[sha256]), fresh)
        # The folders of those that are there already too: whoever put them may not have come so far.
        touched = {self.path(sha256).parent for sha256 in blobs}
        for folder in list(touched):
            if not folder.is_dir():
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
                touched |= {folder.parent, self._folder}
        for sha256 in fresh:
            (self._incoming / sha256).replace(self.path(sha256))
        self._at_once(_sync, touched)

    def _make_folders(self) -> None:
        self._incoming.mkdir(mode=0o750, parents=True, exist_ok=True)

    def close(self) -> None:
        """End its threads."""
        self._threads.shutdown()

    def _at_once(self, job: Callable[[T], None], items: Iterable[T]) -> None:
        """Syncs that wait together share the disk's work; one after the other took four times as long."""
        for _ in self._threads.map(job, items):
            pass


@contextmanager
def removal_turn(state_dir: Path, *, shared: bool, file: str = REMOVAL_LOCK) -> Iterator[bool]:
    """Own the right to remove files by their age, or with others keep everybody from it; whether it is had.

    Who shares waits for whoever removes, which is a moment; who removes waits for nobody: then it is False.
    By another `file` it is another right.

    Raises:
        OSError: the lock's file cannot be made.
    """
    path = state_dir / file
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        give_as(path, state_dir)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            had = False
        else:
            had = True
        yield had
    finally:
        os.close(descriptor)


def names_below(folder: Path, prefix: str) -> set[str]:
    """The hashes of the files whose names begin with two characters; none where there is no such folder.

    Reads folders only, at most 257 of them: what a file holds, and how large it is, nobody looks at.

    Raises:
        OSError: a folder is there and cannot be read.
    """
    try:
        return {path.name for path in _files(folder / prefix)}
    except FileNotFoundError:
        return set()


def _files(folder: Path) -> Iterator[Path]:
    for inner in os.scandir(folder):
        if inner.is_dir():
            with suppress(FileNotFoundError):  # somebody removed it meanwhile
                yield from (Path(entry.path) for entry in os.scandir(inner) if _NAME.fullmatch(entry.name))


def _write(path: Path, data: bytes) -> None:
    # Readable by the group, so that a web server of its own user may show pictures; by nobody else.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    with open(descriptor, "wb") as file:  # noqa: PTH123 (it is a descriptor)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
