"""Waiting by progress: as long as something still comes, nobody gives up, however slow the machine is.

A trial that waits by the clock for "everything is at the station" tells how busy its machine is. Here a number
is watched that says how much is still missing. Whenever it is less than ever before, that was progress, and the
patience begins anew; it can fall only so often, so the wait ends without a limit of its own. Patience is over
when nothing was better for so many seconds and for so many readings: a reading is work too, so on a machine
that can hardly read the patience lasts longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.acceptance.faults.suite import Broken

QUIET_S = 60.0
"""More than the longest rest of parts that work: the waits of box and station are seconds here."""
QUIET_READINGS = 60
PAUSE_S = 0.1
APART = 4.0
"""Times its own length that the next reading waits: who watches must not hold up what is watched."""


def least_left(missing: Callable[[], int], quiet_s: float = QUIET_S) -> int:
    """Watch until nothing is missing, or until it gets no less; how much was missing in the last reading."""
    began_s = since_s = time.monotonic()
    left = least = missing()
    readings = 0
    while left and (time.monotonic() - since_s < quiet_s or readings < min(QUIET_READINGS, quiet_s / PAUSE_S)):
        time.sleep(max(PAUSE_S, APART * (time.monotonic() - began_s)))
        began_s = time.monotonic()
        left, readings = missing(), readings + 1
        if left < least:
            least, since_s, readings = left, time.monotonic(), 0
    return left


def until_none_is_missing(missing: Callable[[], int], what: str, quiet_s: float = QUIET_S) -> None:
    """Watch until nothing is missing.

    Raises:
        Broken: it gets no less; the text says what was waited for and how much of it is missing.
    """
    if left := least_left(missing, quiet_s):
        raise Broken(f"{what}: {left} are missing, and no more come")
