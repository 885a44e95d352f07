"""Pictures that are worth something now only: of a look, which somebody watches.

They are in no outbox, for nobody wants them later. Of each look only the newest picture waits, and what has
waited for too long goes nowhere. One is on the way at a time, so that no event waits behind more than one.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.core.types import Instant
from agent.wire.verbs import LOOK_OLDEST_S

OLDEST_S: Final = 3.0
"""A picture that has waited for so long is not sent; nor does the broker hand on one past LOOK_OLDEST_S."""
MOST_BYTES: Final = 30_000
LEAST_BYTES: Final = 8_000
"""Of one picture, however slow the link: below that nobody recognises anything."""
SHARE: Final = 4
"""A picture may be this part of what may be under way, which is two seconds of the link: half a second."""


class Fate(StrEnum):
    """What became of a picture."""

    SENT = "sent"
    """The broker has it, and somebody to give it to."""
    DROPPED = "dropped"
    """It was too old when its turn came, or newer ones had come, or the connection ended."""
    UNWANTED = "unwanted"
    """Nobody subscribes to it any more."""


@dataclass(frozen=True, slots=True)
class LivePicture:
    """One picture for whoever looks."""

    look: str
    """Which look it belongs to."""
    topic: str
    """Below the device."""
    data: bytes
    at: Instant
    """When the camera saw it."""
    user: tuple[tuple[str, str], ...]
    """MQTT 5 user properties."""
    ended: Callable[[Fate], None]
    """Called once, from any thread."""

    def expiry_s(self, now: Instant) -> int:
        """How long the broker may keep it: the time that is left, in whole seconds, at least one."""
        return max(1, math.floor(LOOK_OLDEST_S - now.since(self.at)))


class LivePictures:
    """Between those who make pictures and the one connection; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, LivePicture] = {}
        """By look; who has waited longest for a turn comes first."""
        self._under_way: tuple[int, LivePicture] | None = None
        self._wake: Callable[[], None] = lambda: None
        self._budget_bytes = LEAST_BYTES

    def watch(self, wake: Callable[[], None]) -> None:
        """Have this called when there is something to send."""
        self._wake = wake

    @property
    def budget_bytes(self) -> int:
        """How large the next picture may be: what the link carries in half a second, within the bounds."""
        return self._budget_bytes

    def carries(self, bound_bytes: float) -> None:
        """So many bytes may be under way on this link."""
        self._budget_bytes = int(min(MOST_BYTES, max(LEAST_BYTES, bound_bytes / SHARE)))

    def put(self, picture: LivePicture) -> None:
        """One more waits, in the place of the one before of its look."""
        with self._lock:
            before = self._waiting.get(picture.look)
            self._waiting[picture.look] = picture
        _end([before] if before else [], Fate.DROPPED)
        self._wake()

    def withdraw(self, look: str) -> None:
        """The look is over: what of it waits goes nowhere."""
        with self._lock:
            gone = self._waiting.pop(look, None)
        _end([gone] if gone else [], Fate.DROPPED)

    def next(self, now: Instant) -> LivePicture | None:
        """One that waits, of each look in turn, while none is on the way; what is too old goes."""
        with self._lock:
            if self._under_way is not None:
                return None
            old = [each for each in self._waiting.values() if now.since(each.at) > OLDEST_S]
            for each in old:
                del self._waiting[each.look]
            look = next(iter(self._waiting), None)
            first = None if look is None else self._waiting.pop(look)
        _end(old, Fate.DROPPED)
        return first

    def sent(self, picture: LivePicture, mid: int) -> None:
        """It is on the way as the packet with this id."""
        with self._lock:
            self._under_way = mid, picture

    def answered(self, mid: int, fate: Fate) -> bool:
        """The broker has answered a packet; whether it was one of ours."""
        with self._lock:
            if self._under_way is None or self._under_way[0] != mid:
                return False
            picture, self._under_way = self._under_way[1], None
        picture.ended(fate)
        return True

    def disconnected(self) -> None:
        """The connection is gone: what waited would be old when the next one stands."""
        with self._lock:
            gone = [*self._waiting.values(), *([self._under_way[1]] if self._under_way else [])]
            self._waiting, self._under_way, self._budget_bytes = {}, None, LEAST_BYTES
        _end(gone, Fate.DROPPED)


def _end(pictures: list[LivePicture], fate: Fate) -> None:
    for picture in pictures:
        picture.ended(fate)
