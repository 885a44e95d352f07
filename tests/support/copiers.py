"""The processes that copy a main stream, as a test sees them."""

from __future__ import annotations

from contextlib import suppress

import psutil

WORDS = "agent.cameras.decode.footage.copier"


def copiers() -> list[psutil.Process]:
    """Those of this process that run; a broker or a database of other tests may be beside them."""
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # one that has ended, and is still to be waited for
            if WORDS in each.cmdline():
                found.append(each)
    return found
