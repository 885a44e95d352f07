"""What the kernel remembers of libraries that it has read or written."""

from __future__ import annotations

import os
from pathlib import Path


def forget_libraries(folder: Path) -> None:
    """Have the kernel read the libraries below the folder anew, as after a boot.

    With each page that is touched it maps those around it that lie in its page cache. Right after an
    installation that is nearly all of every library: up to 66 MB more (measured), which a box that has booted
    never holds. What a process has mapped cannot be forgotten, so this comes before anything is imported.
    """
    os.sync()  # what is not on the disk yet cannot be forgotten
    for library in folder.rglob("*.so*"):
        with library.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
