"""Which events were kept since: read from the store once for all screens, and handed to each of them.

Invariants
1. The number of an event's revision in the feed grows in the order in which the store kept them, so whoever
   says which he had last gets all after it, once, in order, also after a break or a restart; or is told that he
   is too far behind, and begins anew.
2. One reader follows for all screens, and a screen that does not read holds up nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog
from sqlalchemy import Engine

from agent.errors import NgatuError
from station.lookup.cards import EventCard, cards_of, feed_after, feed_head

log = structlog.get_logger("station.web.feed")

LOOK_S: Final = 0.15
"""How often the reader looks: a part of the two seconds from the camera to the screen."""
KEPT: Final = 2_000
"""Revisions that are at hand for screens that had a break; who is further behind begins anew."""
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One event that was kept, as it stood when it was read."""

    id: int
    """The number in the feed."""
    card: EventCard


class EventFeed:
    """The newest of the feed, and who waits for the next."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._items: deque[FeedItem] = deque(maxlen=KEPT)
        self._floor = 0
        """Everything after this number is among the items."""
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.head = 0
        """The newest number that is among the items, or was."""
        self.trouble: str | None = None
        """Why the store cannot be read at present."""

    def start(self) -> None:
        """Begin to follow, from what is newest now; once."""
        with self._lock:
            if self._thread is not None or self._closed.is_set():
                return
            self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)
        with suppress(NgatuError):  # the reader tries again
            self._floor = self.head = feed_head(self._engine)
        self._thread.start()

    def close(self) -> None:
        """Stop following, and wake whoever waits."""
        self._closed.set()
        self.ring()
        if self._thread is not None:
            self._thread.join(5)

    @property
    def closed(self) -> bool:
        """Nothing will come any more."""
        return self._closed.is_set()

    def after(self, number: int) -> Sequence[FeedItem] | None:
        """The next items after this number, a part at a time; None: he is too far behind, or ahead of us."""
        with self._lock:
            if number < self._floor or number > self.head:
                return None
            first = next(
                (index for index, each in enumerate(self._items) if each.id > number), len(self._items)
            )
            return list(islice(self._items, first, first + AT_ONCE))

    @contextmanager
    def bell(self) -> Iterator[asyncio.Event]:
        """Is set whenever something may be new; for the loop that asks."""
        bell = asyncio.Event()
        with self._lock:
            self._waiting[bell] = asyncio.get_running_loop()
        try:
            yield bell
        finally:
            with self._lock:
                del self._waiting[bell]

    def ring(self) -> None:
        """Wake every screen: something is new, such as a review."""
        with self._lock:
            waiting = list(self._waiting.items())
        for bell, loop in waiting:
            with suppress(RuntimeError):  # its loop is closed: it waits no more
                loop.call_soon_threadsafe(bell.set)

    def _follow(self) -> None:
        while not self._closed.wait(LOOK_S):
            try:
                while self._read() and not self._closed.is_set():
                    self.ring()
                self.trouble = None
            except NgatuError as error:  # a database that is away comes back
                if self.trouble is None:
                    log.warning("feed_not_read", error=str(error))
                self.trouble = str(error)

    def _read(self) -> bool:
        """Read the next part; whether there was one."""
        part = feed_after(self._engine, self.head, AT_ONCE)
        if not part.ids:
            return False
        latest = dict(zip(part.keys, part.ids, strict=True))  # of several revisions of an event the last
        cards = cards_of(self._engine, part.keys)
        items = sorted((FeedItem(latest[card.key], card) for card in cards), key=lambda each: each.id)
        with self._lock:
            for item in items:
                if len(self._items) == KEPT:
                    self._floor = self._items[0].id
                self._items.append(item)
            self.head = part.ids[-1]
        return True
