"""What a process has written."""

from __future__ import annotations

import os
from functools import cache


def written_bytes() -> int:
    """Bytes that this process has given the system to write; cheap, for a traced program asks often.

    What the system says that it wrote counts a whole folio of the page cache for each page in it.
    """
    given = os.pread(_counters(), 1000, 0)
    return int(given[given.index(b"wchar:") + 6 :].split(maxsplit=1)[0])


@cache
def _counters() -> int:
    """The file of this process, open: not to be asked for in a process from which others are forked."""
    return os.open("/proc/self/io", os.O_RDONLY | os.O_CLOEXEC)
