"""Mistakes of a screen that the judges must see: what starts with this folder on its path makes one of them.

NGATU_PLANTED names it. Python imports this module at its start (https://docs.python.org/3/library/site.html).
"""

# ruff: noqa: PLC0415 (only what the mistake is in is imported)
from __future__ import annotations

import os
from collections.abc import Callable


def forgets() -> None:
    """Who had a break goes on from now: what was kept meanwhile he never gets."""
    from station.web.feed import EventFeed, FeedPlace, FeedRun

    def behind(self: EventFeed, _place: FeedPlace) -> FeedRun:
        return FeedRun((), self.place())

    EventFeed.behind = behind  # type: ignore[method-assign]


def repeats() -> None:
    """Who had a break gets some of it again."""
    from station.web.feed import EventFeed, FeedPlace, FeedRun

    inner = EventFeed.behind

    def behind(self: EventFeed, place: FeedPlace) -> FeedRun | None:
        return inner(self, FeedPlace(max(0, place.event - 5), place.step))

    EventFeed.behind = behind  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {"forgets": forgets, "repeats": repeats}

if plant := os.environ.get("NGATU_PLANTED"):
    PLANTS[plant]()
