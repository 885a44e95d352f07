"""The disk of the footage: whose it is, what a file takes of it, and what is said when it fails."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.errors import FootageError
from agent.translatable import tr

BLOCK_BYTES: Final = 4096
"""What ext4, XFS and F2FS give a file at the least."""


class FootageDiskFails(FootageError):
    """The disk does not take it, or has not room."""

    @classmethod
    def because(cls, folder: Path, error: OSError) -> FootageDiskFails:
        """What the system said of this folder, and what to look at."""
        return cls(
            tr("{folder}: {reason}", folder=folder, reason=error.strerror or error),
            tr("is the disk full, read-only or dying?"),
        )


def on_disk(size_bytes: int) -> int:
    """What a file of this size takes of its disk, in bytes."""
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES


def own_disk(folder: Path, beside: Path | None) -> bool:
    """Whether a folder lies on another file system than the system, and than what it should not crowd out.

    A folder that is not there is judged by the one in which it would be made.
    """
    device = _device(folder)
    return all(device != _device(other) for other in (Path("/"), beside) if other is not None)


def _device(folder: Path) -> int:
    for each in (folder, *folder.absolute().parents):
        with suppress(OSError):
            return each.stat().st_dev
    return -1
