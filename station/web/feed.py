"""What was kept and reviewed since: read from the store once for all screens, and handed to each of them.

Invariants
1. Events have numbers in the order in which the store kept them, and steps of reviews in the order in which
   they were taken. Who says which of both he had last (FeedPlace) gets all after it, once, in order, also after
   a break and after a restart of whatever part; or is told that he is too far behind, and begins anew.
2. No tile is older than a step that was handed out before it: steps are read first, then events as they stand;
   and who is behind by more events than are read at once gets no step before he has had all of these.
3. One reader follows for all screens, and a screen that does not read holds up nobody.
4. How the boxes stand is read once for all screens, and takes no more than a small share of the time.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Self

import structlog
from sqlalchemy import Engine

from agent.errors import NgatuError
from station.lookup.cards import EventCard, cards_of, feed_after, feed_floor, feed_head
from station.review.open_alerts import open_total
from station.review.standing import ReviewStep, changes_after, newest_change

log = structlog.get_logger("station.web.feed")

LOOK_S: Final = 0.15
"""How often the reader looks: a part of the two seconds from the camera to the screen."""
KEPT: Final = 2_000
"""Items that are at hand for screens that had a break; who is further behind gets them from the store."""
FAR: Final = 10_000
"""Who is so far behind begins anew: it is less to read the page again."""
AT_ONCE: Final = 200
OPEN_AGE_S: Final = 1.0
OPEN_SHARE: Final = 20
"""A number of open alerts that took so long to count holds for so many times as long;"""
OPEN_MOST_S: Final = 5.0
"""but no longer than this: a wall that says that it receives must not show an old one."""
_PLACE: Final = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """Where a screen stands."""

    event: int
    """The number of the last event it had."""
    step: int
    """The id of the last step of a review it had."""

    def __str__(self) -> str:
        return f"{self.event}-{self.step}"

    @classmethod
    def read(cls, text: str, step: int = 0) -> Self | None:
        """What `str` made of it; a number alone is that of an event, with the step given. None: it is none."""
        found = _PLACE.fullmatch(text)
        return None if found is None else cls(int(found[1]), step if found[2] is None else int(found[2]))

    def no_further_than(self, other: FeedPlace) -> FeedPlace:
        """This place, or in each part the other's where that comes first."""
        return FeedPlace(min(self.event, other.event), min(self.step, other.step))

    def passes(self, other: FeedPlace) -> bool:
        """Whether who stands here has had something that who stands there lacks."""
        return self.event > other.event or self.step > other.step


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One event that was kept or got its picture, as it stood when it was read, or a step of a review."""

    place: FeedPlace
    """Of who has had it."""
    said: EventCard | ReviewStep

    def is_after(self, place: FeedPlace) -> bool:
        """Whether who stands there lacks it."""
        if isinstance(self.said, EventCard):
            return self.place.event > place.event
        return self.place.step > place.step


@dataclass(frozen=True, slots=True)
class FeedRun:
    """What a screen is sent at a time."""

    items: tuple[FeedItem, ...]
    place: FeedPlace
    """Where it stands then; further than before also where all of it is deleted since."""


class EventFeed:
    """The newest of the feed, and who waits for the next."""

    def __init__(self, engine: Engine, at_once: int = AT_ONCE) -> None:
        """`at_once`: so many events and steps are read, and handed out, at a time."""
        self._engine, self._at_once = engine, at_once
        self._items: deque[FeedItem] = deque()
        self._floor = self._head = FeedPlace(0, 0)
        """Everything between these two is among the items."""
        self.is_placed = False
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._open: int | None = None
        self._open_until_s = 0.0
        self._open_lock = threading.Lock()
        self.trouble: str | None = None
        """Why the store cannot be read at present."""

    def start(self) -> None:
        """Begin to follow, from what is newest now; once."""
        with self._lock:
            if self._thread is not None or self._closed.is_set():
                return
            self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)
        with suppress(NgatuError):  # the reader tries again
            self._begin()
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

    @property
    def head(self) -> FeedPlace:
        """Of who has had all that was read from the store."""
        return self._head

    def place(self) -> FeedPlace:
        """Where a screen begins that reads the store from now on.

        Raises:
            StoreError: the store cannot be read.
        """
        if not self.is_placed:
            self._begin()
        return self._head

    def at_hand(self, place: FeedPlace) -> FeedRun | None:
        """What follows after this place, a part at a time; None: `behind` may have it."""
        with self._lock:
            if not self.is_placed:
                return FeedRun((), place)
            if place.passes(self._head) or self._floor.passes(place):
                return None
            found: list[FeedItem] = []
            for item in reversed(self._items):
                if not item.place.passes(place):
                    break  # and so it is with all before it
                if item.is_after(place):
                    found.append(item)
            part = tuple(found[: -self._at_once - 1 : -1])
            return FeedRun(part, part[-1].place if len(part) < len(found) else self._head)

    def behind(self, place: FeedPlace) -> FeedRun | None:
        """The same out of the store; None: too far behind, or ahead of the store, as after a restore.

        Raises:
            StoreError: the store cannot be read.
        """
        head = self.place()
        events, steps = head.event - place.event, head.step - place.step
        if not (0 <= events <= FAR and 0 <= steps <= FAR) or place.event + 1 < feed_floor(self._engine):
            return None
        run = self._read(place, with_steps=events <= self._at_once)  # invariant 2
        # What is after the head will be at hand: no id says that somebody has had it.
        items = tuple(
            FeedItem(each.place.no_further_than(head), each.said)
            for each in run.items
            if not each.is_after(head)
        )
        return FeedRun(items, run.place.no_further_than(head))

    def open_alerts(self) -> int:
        """How many alerts are open, of this moment or hardly older.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._open_lock:
            began_s = time.monotonic()
            if self._open is None or began_s >= self._open_until_s:
                self._open = open_total(self._engine)
                ended_s = time.monotonic()
                holds_s = min(OPEN_MOST_S, OPEN_SHARE * (ended_s - began_s))
                self._open_until_s = ended_s + max(OPEN_AGE_S, holds_s)
            return self._open

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
        """Wake every screen: something is new."""
        with self._lock:
            waiting = list(self._waiting.items())
        for bell, loop in waiting:
            with suppress(RuntimeError):  # its loop is closed: it waits no more
                loop.call_soon_threadsafe(bell.set)

    def _begin(self) -> None:
        step, event = newest_change(self._engine), feed_head(self._engine)  # invariant 2
        with self._lock:
            if not self.is_placed:
                self._floor = self._head = FeedPlace(event, step)
                self.is_placed = True

    def _follow(self) -> None:
        while not self._closed.wait(LOOK_S):
            try:
                self.place()
                while self.turn() and not self._closed.is_set():
                    self.ring()
                self.trouble = None
            except NgatuError as error:  # a database that is away comes back
                if self.trouble is None:
                    log.warning("feed_not_read", error=str(error))
                self.trouble = str(error)

    def turn(self) -> bool:
        """Read the next part; whether there was one."""
        before, run = self._head, self._read(self._head)
        with self._lock:
            self._items.extend(run.items)
            self._head = run.place
            while len(self._items) > KEPT:
                self._floor = self._items.popleft().place
        return run.place.passes(before)

    def _read(self, place: FeedPlace, *, with_steps: bool = True) -> FeedRun:
        """What follows in the store, at most `at_once` of either; invariant 2."""
        items: list[FeedItem] = []
        for step in changes_after(self._engine, place.step, self._at_once) if with_steps else ():
            place = FeedPlace(place.event, step.id)
            items.append(FeedItem(place, step))
        part = feed_after(self._engine, place.event, self._at_once)
        if part.ids:
            latest = dict(zip(part.keys, part.ids, strict=True))  # of an event that changed twice the last time
            cards = {latest[card.key]: card for card in cards_of(self._engine, list(latest))}
            items += (FeedItem(FeedPlace(each, place.step), cards[each]) for each in sorted(cards))
            place = FeedPlace(part.ids[-1], place.step)
        return FeedRun(tuple(items), place)
