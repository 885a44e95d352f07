"""Whether the database's file is whole, looked at once after each start, in a thread of its own.

SQLite's `quick_check` reads every page and row, but not whether the indexes say the same; PostgreSQL looks
after its pages itself. It may last LONGEST_S: many gigabytes on a slow disk are looked at in part.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.translatable import tr
from station.ingest.alarms import AlarmKind
from station.ingest.handler import RaisesAlarms

log = structlog.get_logger("station.audit.integrity")

LONGEST_S: Final = 600.0
_STEPS: Final = 200_000
"""Of SQLite's machine between two looks at the clock: some milliseconds."""
_MOST: Final = 5
"""Faults that are asked for: one is enough."""
_HINT: Final = tr("stop the station, keep the file as it is, and restore a backup; boxes send the rest")


class StoreCheck:
    """One look over one store; reads only.

    `tell` is called in the station's own turn, and raises the alarm there or ends one of before.
    """

    def __init__(self, engine: Engine, longest_s: float = LONGEST_S) -> None:
        self._engine, self._longest_s = engine, longest_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="integrity", daemon=True)
        self._found: str | None = None
        """What is wrong; '': nothing; None: nobody knows yet, it took too long, or it was told."""
        self._sound: bool | None = None if engine.dialect.name == "sqlite" else True

    @property
    def sound(self) -> bool | None:
        """Whether nothing is known against the store; None: it is still looked at."""
        return self._sound

    def start(self) -> None:
        """Begin; the store must have its tables."""
        if self._engine.dialect.name == "sqlite":
            self._thread.start()

    def tell(self, alarms: RaisesAlarms) -> None:
        """Once: what was found."""
        found, self._found = self._found, None
        if found:
            alarms.raise_alarm(AlarmKind.STORE_DAMAGED, None, found)
        elif found is not None:
            alarms.close_alarm(AlarmKind.STORE_DAMAGED, None)

    def close(self) -> None:
        """End within moments."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._engine.dispose()

    def _look(self) -> None:
        begun_s = time.monotonic()
        found = self._damage(begun_s + self._longest_s)
        self._sound = not found
        took_s = round(time.monotonic() - begun_s, 1)
        if found is None:
            if not self._stop.is_set():
                log.info("store_checked_in_part", took_s=took_s)
            return
        self._found = found
        if found:
            log.error("store_damaged", why=found, hint=_HINT)
        else:
            log.debug("store_checked", took_s=took_s)

    def _damage(self, until_s: float) -> str | None:
        """What is wrong; '': nothing; None: it was ended before its end, or the file cannot be opened."""
        try:
            with self._engine.connect() as connection:
                raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
                raw.set_progress_handler(lambda: self._stop.is_set() or time.monotonic() > until_s, _STEPS)
                rows = raw.execute(f"pragma quick_check({_MOST})").fetchall()
                raw.set_progress_handler(None, 0)
        except (SQLAlchemyError, sqlite3.Error) as error:
            origin = getattr(error, "orig", error)
            code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
            damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
            return " ".join(str(origin).split())[:300] if damaged else None
        words = [str(row[0]) for row in rows if row[0] != "ok"]
        return "; ".join(" ".join(each.split()) for each in words)[:300]
