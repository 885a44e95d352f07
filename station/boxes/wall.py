"""Every box of the commune with its verdict, for all screens at once.

Thirty screens that look each few seconds cost the store as much as one: what was read is shown to whoever asks
within FRESH_S, and one thread reads at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from station.boxes.findings import BoxVerdict, JudgedBox, judged, sort_key
from station.boxes.standing import standings
from station.store.alarms import StandingAlarm, standing
from station.store.database import in_words

FRESH_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class BoxesNow:
    """All boxes at one moment, what needs somebody first."""

    read_ms: int
    boxes: tuple[JudgedBox, ...]
    alarms: tuple[StandingAlarm, ...]
    """Those of the station itself, about no single box."""

    def count(self, verdict: BoxVerdict) -> int:
        """How many boxes stand so."""
        return sum(each.verdict is verdict for each in self.boxes)

    def find(self, device: str) -> JudgedBox | None:
        """The box with this id; None: it never spoke."""
        return next((each for each in self.boxes if each.standing.device == device), None)


class BoxWall:
    """The boxes of one commune, or of all that can be read; for many threads."""

    def __init__(
        self,
        engine: Engine,
        commune: str | None,
        now: Callable[[], float] = time.time,
        *,
        away: Callable[[int], Collection[str]] | None = None,
    ) -> None:
        """`away` is the province's: from the moment (ms) to the communes whose stations are not heard.

        What boxes report of themselves does not come there.
        """
        self._engine, self._commune, self._now, self._away = engine, commune, now, away
        self._lock = threading.Lock()
        self._latest: BoxesNow | None = None

    def now(self) -> BoxesNow:
        """How they stand, at most FRESH_S ago.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._lock:
            now_ms = round(self._now() * 1000)
            latest = self._latest
            if latest is None or not 0 <= now_ms - latest.read_ms < FRESH_S * 1000:
                latest = self._latest = self._read(now_ms)
            return latest

    def find(self, device: str) -> JudgedBox | None:
        """The box with this id; None: it never spoke.

        Raises:
            StoreError: the store cannot be read.
        """
        return self.now().find(device)

    def _read(self, now_ms: int) -> BoxesNow:
        away = self._away(now_ms) if self._away is not None else ()
        boxes = [
            judged(each, now_ms, reports=self._away is None, station_away=each.commune in away)
            for each in standings(self._engine, self._commune, now_ms)
        ]
        try:
            with self._engine.connect() as connection, connection.begin():
                alarms = tuple(each for each in standing(connection) if each.box is None)
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error
        return BoxesNow(now_ms, tuple(sorted(boxes, key=sort_key)), alarms)
