"""Which events were kept since: followed in the database once for all screens, and handed to each of them.

Invariants
1. The number of an event's revision in the feed grows in the order in which the store kept them, so whoever
   says which he had last gets all after it, once, in order, also after a break or a restart.
2. One reader follows for all screens; a screen that does not read loses its place and begins again from its
   last number, and holds up nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from station.store.schema import event_feed

log = structlog.get_logger("station.web.feed")

LOOK_S: Final = 0.2
"""How often the reader looks. One indexed maximum: 30 µs."""


class EventFeed:
    """The newest number of the feed, and who waits for the next."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.head = 0
        """The newest number that is known."""

    def start(self) -> None:
        """Begin to follow; once."""
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._look()
                self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop following, and wake whoever waits."""
        self._closed.set()
        self._wake()

    @property
    def closed(self) -> bool:
        """Nothing will come any more."""
        return self._closed.is_set()

    @contextmanager
    def bell(self) -> Iterator[asyncio.Event]:
        """Rings (is set) whenever something may be new; of the loop that asks."""
        self.start()
        bell = asyncio.Event()
        with self._lock:
            self._waiting[bell] = asyncio.get_running_loop()
        try:
            yield bell
        finally:
            with self._lock:
                del self._waiting[bell]

    def ring(self) -> None:
        """Something else is new, such as a review."""
        self._wake()

    def _follow(self) -> None:
        while not self._closed.wait(LOOK_S):
            before = self.head
            self._look()
            if self.head != before:
                self._wake()

    def _look(self) -> None:
        try:
            with self._engine.connect() as connection, connection.begin():
                self.head = connection.scalar(select(func.max(event_feed.c.id))) or 0
        except SQLAlchemyError as error:  # a database that is away comes back
            log.debug("feed_not_read", error=type(error).__name__)

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting.items())
        for bell, loop in waiting:
            with suppress(RuntimeError):  # its loop is closed: it waits no more
                loop.call_soon_threadsafe(bell.set)
