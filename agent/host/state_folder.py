"""The folder of the box's state: what is no file there would hold up whoever opens it, at every start.

Opening a pipe waits for somebody who writes, reading a device need not end. A card that was in other hands, or
that is damaged, may hold either under any of our names, so they go before the first of them is opened.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


def clear(folder: Path) -> None:
    """Take away pipes, sockets, devices, and links to such; all else stays. Never raises."""
    try:
        with os.scandir(folder) as entries:
            strange = [folder / entry.name for entry in entries if _would_hold_up(entry)]
    except OSError:
        return  # it is made later, or whoever opens it tells
    for path in strange:
        try:
            path.unlink()
        except OSError as error:
            log.warning("state_not_a_file", path=str(path), removed=False, why=error.strerror)
        else:
            log.warning("state_not_a_file", path=str(path), removed=True)


def _would_hold_up(entry: os.DirEntry[str]) -> bool:
    try:
        mode = entry.stat().st_mode
    except OSError:  # a link that leads nowhere: what it leads to may be mounted later
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
