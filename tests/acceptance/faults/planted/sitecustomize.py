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


def inside() -> None:
    """The screen is served by a thread of the station."""
    import threading

    import uvicorn

    from station.web.app import app_of
    from station.web.console import DutyConsole
    from station.web.process import ScreenProcess

    def start(self: ScreenProcess) -> None:
        config = StationConfig.model_validate_json(self._first)
        assert config.web is not None
        settings = uvicorn.Config(
            app_of(DutyConsole.opened(config)), host=config.web.host, port=config.web.port, log_config=None
        )
        threading.Thread(target=uvicorn.Server(settings).run, daemon=True).start()

    from station.config import StationConfig

    ScreenProcess.start = start  # type: ignore[method-assign]


def deaf() -> None:
    """The screen does not hear how the intake goes."""
    from station.web.console import DutyConsole

    DutyConsole.hear = lambda _self, _intake: None  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "forgets": forgets,
    "repeats": repeats,
    "inside": inside,
    "deaf": deaf,
}

if plant := os.environ.get("NGATU_PLANTED"):
    PLANTS[plant]()
