"""How full and how worn the disks of a host are, by what `df` and the kernel print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 1 << 60
"""No card holds, and none was ever written, more than that."""


@dataclass(frozen=True, slots=True)
class BoxStorage:
    """Disks of a host, and what their wear is known to be."""

    free_bytes: int | None = None
    """Of the fullest of the file systems that matter."""
    size_bytes: int | None = None
    written_bytes: int | None = None
    """Over the life of the file systems, by ext4's own count."""
    errors: int = 0
    """That ext4 has met since they were made or checked."""
    worn_pct: int | None = None
    """Of an eMMC, by its own word, in steps of ten, 110 for more than it was made for; SD cards do not tell."""


def storage(text: str) -> BoxStorage | None:
    """Read lines of `df` (mount point, size, free) and of files of /sys (path, content); None: there are none.

    ext4: lifetime_write_kbytes and errors_count (linux: Documentation/ABI/testing/sysfs-fs-ext4).
    eMMC: life_time, two hexadecimal numbers of tenths (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST_TYP_A and _B).
    """
    fullest: tuple[int, int] | None = None
    written: int | None = None
    worn: int | None = None
    errors = 0
    for line in text.splitlines():
        name, *values = line.split() or [""]
        try:
            if name.endswith("/lifetime_write_kbytes"):
                written = (written or 0) + int(values[0]) * 1024
            elif name.endswith("/errors_count"):
                errors += int(values[0])
            elif name.endswith("/life_time"):
                worn = max([worn or 0, *(int(each, 16) * 10 for each in values)])
            elif len(values) == 2:
                size, free = int(values[0]), int(values[1])
                if (
                    0 <= free <= size < MOST_BYTES
                    and size
                    and (fullest is None or free * fullest[0] < fullest[1] * size)
                ):
                    fullest = size, free
        except (ValueError, IndexError):
            continue  # a board that writes it otherwise
    if fullest is None and written is None:
        return None
    if max(written or 0, errors, worn or 0) >= MOST_BYTES or min(written or 0, errors, worn or 0) < 0:
        return None  # no disk says that
    size_bytes, free_bytes = fullest or (None, None)
    return BoxStorage(free_bytes, size_bytes, written, errors, worn or None)
