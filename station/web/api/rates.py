"""How often whoever asks may ask: a bucket for each, which fills by time. Pure but for its lock.

Source: the token bucket of traffic shaping (RFC 2697, section 3).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

PER_S: Final = 10.0
AT_ONCE: Final = 60
WRONG_PER_S: Final = 0.2
WRONG_AT_ONCE: Final = 20
REMEMBERED: Final = 10_000


class Rates:
    """One kind of bucket; for many threads. Of very many askers it knows those of late."""

    def __init__(
        self, per_s: float = PER_S, at_once: float = AT_ONCE, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s, self._at_once, self._now = per_s, at_once, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Of whom -> what is left, and when that was."""
        self._lock = threading.Lock()

    def take(self, who: str) -> float:
        """Ask once; after how many seconds it may be asked again, 0: now."""
        with self._lock:
            left = self._left(who)
            if left < 1:
                self._put(who, left)
                return (1 - left) / self._per_s
            self._put(who, left - 1)
            return 0.0

    def wait_s(self, who: str) -> float:
        """The same without asking."""
        with self._lock:
            left = self._left(who)
            return 0.0 if left >= 1 else (1 - left) / self._per_s

    def _left(self, who: str) -> float:
        left, at_s = self._buckets.get(who, (self._at_once, self._now()))
        return min(self._at_once, left + (self._now() - at_s) * self._per_s)

    def _put(self, who: str, left: float) -> None:
        self._buckets[who] = left, self._now()
        self._buckets.move_to_end(who)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
