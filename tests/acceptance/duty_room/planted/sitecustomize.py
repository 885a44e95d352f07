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


def unescaped() -> None:
    """Pages take texts for HTML."""
    from station.web.render import Templates

    inner = Templates.__init__

    def init(self: Templates, *words: object) -> None:
        inner(self, *words)  # type: ignore[arg-type]
        self._environment.autoescape = False

    Templates.__init__ = init  # type: ignore[method-assign]


def formulas() -> None:
    """Exports for spreadsheets take texts as they are."""
    from agent import printable

    printable.spreadsheet_cell = lambda text: text


def unlocked() -> None:
    """A page that does not ask who is there."""
    from station.lookup.newest import newest_keys
    from station.web.pages import files
    from station.web.visitor import Desk

    def newest(desk: Desk) -> list[str]:
        return [event_id for _, event_id in newest_keys(desk.reads, 10, 2**52)]

    newest.__annotations__["desk"] = Desk
    files.router.get("/newest")(newest)


def unmarked() -> None:
    """What comes late looks like what is new."""
    from station.lookup.cards import EventCard

    EventCard.is_old_news = property(lambda _self: False)  # type: ignore[assignment]


def unreviewed() -> None:
    """Screens that follow hear of no review."""
    from station.web import feed

    feed.changes_after = lambda *_words: ()


PLANTS: dict[str, Callable[[], None]] = {
    "forgets": forgets,
    "repeats": repeats,
    "inside": inside,
    "deaf": deaf,
    "unescaped": unescaped,
    "formulas": formulas,
    "unlocked": unlocked,
    "unmarked": unmarked,
    "unreviewed": unreviewed,
}

if plant := os.environ.get("NGATU_PLANTED"):
    PLANTS[plant]()
