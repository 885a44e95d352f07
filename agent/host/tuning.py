"""Settings of this process, made at its start, by which a box that watches costs less."""

from __future__ import annotations

import cv2

from agent.clock import libc

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
"""malloc.h of the GNU C library."""
MAPPED_BYTES = 4 << 20
"""A block of so many is given back as soon as it is freed. Left to itself, the library raises this limit to the
largest such block that was ever freed, and keeps twice as much at the end of its heap from then on."""
ARENAS = 2
"""Its own choice is eight for each core, and each keeps what its threads once needed: 20 MB on a box with four
cameras (measured). The threads of a box seldom allocate at the same moment."""


def begin() -> None:
    """Spare memory and wake-ups; before threads are started."""
    # OpenCV would wake a thread on every core for pictures of 30 000 pixels, which takes longer than they do.
    cv2.setNumThreads(1)
    if hasattr(libc(), "mallopt"):  # GNU's alone has it
        libc().mallopt(M_ARENA_MAX, ARENAS)
        libc().mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)


def tidy() -> None:
    """Give memory back that is not needed any more, in a millisecond. After starting it is 11 MB (measured)."""
    if hasattr(libc(), "malloc_trim"):
        libc().malloc_trim(0)
