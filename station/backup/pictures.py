"""Pictures copied from one folder to another: only those that are not there, each held against its hash."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from station.store.blobs import INCOMING, Blobs, names_below, path_of

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is, and how much there is."""

_BATCH_BYTES = 16 * 2**20
_BATCH = 256


@dataclass(slots=True)
class Copied:
    """What became of the pictures."""

    fresh: int = 0
    fresh_bytes: int = 0
    there: int = 0
    """Were there before."""
    missing: list[str] = field(default_factory=list)
    """Hashes of those that the source lacks, too."""
    altered: list[str] = field(default_factory=list)
    """Hashes of those whose bytes are not what they were; they were not copied."""


def absent(rows: Iterable[tuple[str, int]], target: Path) -> Iterator[tuple[str, int]]:
    """Of (hash, size) in the order of their hashes, those whose file is not in a folder; reads names only.

    Raises:
        OSError: the folder cannot be read.
    """
    for prefix, below in groupby(rows, key=lambda row: row[0][:2]):
        there = names_below(target, prefix)
        yield from (row for row in below if row[0] not in there)


def copy_pictures(
    wanted: Iterable[tuple[str, int]], total: int, source: Path, target: Path, progress: Progress
) -> Copied:
    """Copy (hash, size) that the target lacks; what is copied is on its disk afterwards.

    Raises:
        OSError: a folder cannot be read or written; what was copied so far stays, and is not copied again.
    """
    copied, size_bytes = Copied(), 0
    batch: dict[str, bytes] = {}
    with closing(Blobs(target)) as blobs:
        for unfinished in (target / INCOMING).iterdir():
            unfinished.unlink()

        def put() -> None:
            blobs.put(batch)
            copied.fresh += len(batch)
            copied.fresh_bytes += size_bytes
            progress("pictures", copied.fresh, total)

        for name, each_bytes in wanted:
            try:
                data = _read(path_of(source, name), each_bytes)
            except FileNotFoundError:
                copied.missing.append(name)
                continue
            if sha256(data).hexdigest() != name:
                copied.altered.append(name)
                continue
            batch[name] = data
            size_bytes += len(data)
            if size_bytes >= _BATCH_BYTES or len(batch) >= _BATCH:
                put()
                batch, size_bytes = {}, 0
        if batch:
            put()
    return copied


def _read(path: Path, size_bytes: int) -> bytes:
    """At most one byte more than it should have; nothing of what is no file, for that might never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link
            return b""
        raise
    with open(descriptor, "rb") as file:  # noqa: PTH123 (it is a descriptor)
        return file.read(size_bytes + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
