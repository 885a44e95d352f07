"""Hands messages to the outbox, and holds them should it take nothing.

A full, failing or damaged disk the outbox bridges by itself; what is left is a mistake of ours, and these some
seconds of messages.

Held messages are bounded; what has no room any more is counted. They are tried again with what
is told next, at every turn of the caller, and at the end. What goes first is as in the outbox.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final, Protocol

from agent.clock import Clock
from agent.errors import OutboxError
from agent.host.supervise import OutageLog
from agent.outbox.transaction import EVICTION
from agent.wire.message import Message, Priority

MAX_HELD_BYTES: Final = 1 << 20
"""Memory of each camera; with the outbox's own, eight cameras stay below 32 MB (promise P19)."""
AGAIN_S: Final = 1.0
"""Between two attempts: a disk that is full or dying is not asked with every frame."""
OVERHEAD_BYTES: Final = 500
"""What a message costs in memory beyond its body."""


class Keeper(Protocol):
    """Where messages are kept until the station has them."""

    def put(self, messages: Sequence[Message]) -> list[int]:
        """Returns when they are safe. Raises OutboxError when they are not."""
        ...


class Keeping:
    """The way of one thread into the outbox; its figures may be read from any other."""

    def __init__(self, keeper: Keeper, part: str, clock: Clock, max_held_bytes: int = MAX_HELD_BYTES) -> None:
        """`part` is whose messages these are, as the log says it."""
        self.dropped: Counter[Priority] = Counter()
        """By class: what found no room."""
        self._keeper = keeper
        self._clock = clock
        self._max_held_bytes = max_held_bytes
        self._held: deque[Message] = deque()
        self._held_bytes = 0
        self._voice = OutageLog(f"outbox, {part}")
        self._tried_s = float("-inf")
        self._lock = threading.Lock()

    @property
    def failing(self) -> bool:
        """Whether the disk would not take the last."""
        return not self._voice.up

    @property
    def holds(self) -> bool:
        """Whether something waits here for the disk."""
        return bool(self._held)

    def keep(self, messages: Sequence[Message] = (), *, now: bool = False) -> None:
        """Keep these and what is held; `now` tries even if the last attempt was a moment ago."""
        if not messages and not self._held:
            return  # with most frames
        with self._lock:
            for message in messages:
                self._held.append(message)
                self._held_bytes += _cost(message)
            waited_s = self._clock.now().mono_s - self._tried_s
            if self._held and (now or not self.failing or waited_s >= AGAIN_S):
                self._try()
            while self._held_bytes > self._max_held_bytes:
                self._drop()

    def _try(self) -> None:
        self._tried_s = self._clock.now().mono_s
        try:
            self._keeper.put(list(self._held))
        except OutboxError as error:
            self._voice.lost(error)
        else:
            self._voice.back()
            self._held.clear()
            self._held_bytes = 0

    def _drop(self) -> None:
        """The oldest of the class that matters least; ends and alerts stay longest."""
        held = {message.priority for message in self._held}
        least = next(priority for priority in EVICTION if priority in held)
        victim = next(message for message in self._held if message.priority == least)
        self._held.remove(victim)
        self._held_bytes -= _cost(victim)
        self.dropped[least] += 1


def _cost(message: Message) -> int:
    return len(message.body) + OVERHEAD_BYTES
