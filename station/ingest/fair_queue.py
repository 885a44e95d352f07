"""What came and waits to be read, in a queue for each box: a turn for every box, however much one sends.

The broker has one queue for a station, whatever box a message is of. So the station takes from it as fast as it
can, and what one box sends beyond all measure is let go here: it has no receipt, and its box sends it again.
No box of ours ever has so much without a receipt (agent.mqtt.inflight). Pure, and used by one thread.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Box = tuple[str, str]
"""Commune and device."""

BOX_MESSAGES = 6_000
"""A box sends at most 5,400 small messages without a receipt, and 100 pictures."""
BOX_BYTES = 32 * 2**20
ALL_BYTES = 128 * 2**20
"""When so much waits, no box may have more of it than its share."""

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items with their sizes; those of one box stay in order."""

    def __init__(
        self, box_messages: int = BOX_MESSAGES, box_bytes: int = BOX_BYTES, all_bytes: int = ALL_BYTES
    ) -> None:
        self._box_messages, self._box_bytes, self._all_bytes = box_messages, box_bytes, all_bytes
        self._waiting: dict[Box, deque[tuple[T, int]]] = {}
        """The box whose turn it is first."""
        self._bytes: dict[Box, int] = {}
        self._sum_bytes = 0
        self._len = 0

    def __len__(self) -> int:
        return self._len

    def put(self, box: Box, item: T, size_bytes: int) -> bool:
        """Whether there was room for it."""
        waiting, has_bytes = self._waiting.get(box), self._bytes.get(box, 0) + size_bytes
        if waiting is not None:  # what is alone always has room
            share = self._all_bytes // len(self._waiting)
            if (
                len(waiting) >= self._box_messages
                or has_bytes > self._box_bytes
                or (self._sum_bytes + size_bytes > self._all_bytes and has_bytes > share)
            ):
                return False
            waiting.append((item, size_bytes))
        else:
            self._waiting[box] = deque([(item, size_bytes)])
        self._bytes[box] = has_bytes
        self._sum_bytes += size_bytes
        self._len += 1
        return True

    def take(self, most: int, most_bytes: int) -> list[T]:
        """At most so many, and no more once they have so many bytes: one of each box in turn."""
        taken: list[T] = []
        taken_bytes = 0
        while self._waiting and len(taken) < most and taken_bytes < most_bytes:
            box = next(iter(self._waiting))
            waiting = self._waiting.pop(box)
            item, size_bytes = waiting.popleft()
            taken.append(item)
            taken_bytes += size_bytes
            self._bytes[box] -= size_bytes
            if waiting:
                self._waiting[box] = waiting  # behind all others
            else:
                del self._bytes[box]
        self._len -= len(taken)
        self._sum_bytes -= taken_bytes
        return taken
