"""Remembers when boxes were silent though connected, and when they saw less, as alarms with beginning and end.

Of how a box does the store has the newest word alone, and a shift is told of all that was. Of a box that is
away or silent nobody knows how it does: what it said of itself before ends there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from sqlalchemy import Engine

from agent.errors import NgatuError
from station.boxes.findings import BY_WORD, SAID_ALREADY, silent_since_ms
from station.boxes.standing import BoxStanding, standings
from station.ingest.alarms import AlarmKind

log = structlog.get_logger("station.boxes.blind_watch")

LOOK_S: Final = 15.0


class RemembersBeginnings(Protocol):
    """Keeps alarms that began before anybody noticed; the store does."""

    def raise_alarm(
        self, kind: AlarmKind, of_box: tuple[str, str] | None, detail: str, *, since_ms: int
    ) -> None:
        """It is so since then."""
        ...

    def close_alarm(self, kind: AlarmKind, of_box: tuple[str, str] | None) -> None:
        """It is over."""
        ...


@dataclass(frozen=True, slots=True)
class BlindChange:
    """Something that began (since a moment, ms since 1970), or is over (None)."""

    kind: AlarmKind
    box: tuple[str, str]
    """Commune and device."""
    since_ms: int | None
    detail: str = ""


class BlindWatch:
    """Looks each LOOK_S in a thread of its own; `tell` is called in the station's own turn."""

    def __init__(
        self, engine: Engine, commune: str, look_s: float = LOOK_S, now: Callable[[], float] = time.time
    ) -> None:
        """`engine` is read only, and closed here."""
        self._engine, self._commune, self._look_s, self._now = engine, commune, look_s, now
        self._due: tuple[BlindChange, ...] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="blind-watch", daemon=True)

    def start(self) -> None:
        """Begin; the store must have its tables."""
        self._thread.start()

    def tell(self, alarms: RemembersBeginnings) -> None:
        """Open and end the alarms that are due."""
        due, self._due = self._due, ()
        for each in due:
            if each.since_ms is None:
                alarms.close_alarm(each.kind, each.box)
            else:
                alarms.raise_alarm(each.kind, each.box, each.detail, since_ms=each.since_ms)

    def close(self) -> None:
        """End within moments."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._engine.dispose()

    def look(self) -> None:
        """Find what has changed.

        Raises:
            StoreError: the store cannot be read.
        """
        now_ms = round(self._now() * 1000)
        self._due = tuple(changes(standings(self._engine, self._commune, now_ms), now_ms))

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except NgatuError as error:  # whoever writes there says it, too
                log.debug("boxes_not_read", why=error.what)
            self._stop.wait(self._look_s)


def changes(boxes: Iterable[BoxStanding], now_ms: int) -> Iterator[BlindChange]:
    """What began and what is over, beside the alarms that stand."""
    for box in boxes:
        whose = box.commune, box.device
        found = {each.kind: each for each in _found(box, now_ms)}
        stands = {each.kind for each in box.alarms}
        for kind in SAID_ALREADY:
            if kind in found and kind not in stands:
                yield found[kind]
            elif kind in stands and kind not in found:
                yield BlindChange(kind, whose, None)


def _found(box: BoxStanding, now_ms: int) -> Iterator[BlindChange]:
    whose = box.commune, box.device
    since_ms = silent_since_ms(box, now_ms)
    if since_ms is not None:
        yield BlindChange(AlarmKind.BOX_SILENT, whose, since_ms, "nothing of itself")
    elif box.is_online and box.speaks and box.health is not None and box.health_age_ms is not None:
        said_ms = now_ms - box.health_age_ms
        for word, kind in BY_WORD.items():
            if of := [of or box.device for said, of in box.health.degradations if said == word]:
                yield BlindChange(kind, whose, said_ms, ", ".join(of))
