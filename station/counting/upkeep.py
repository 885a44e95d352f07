"""What a store needs while it works, in a thread of its own: hours of counts summed up, a look at its columns.

It goes in small transactions with pauses as long as they took, so that the intake has its turns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from station.counting.hour_rows import sum_up
from station.store.database import engine_of
from station.store.statements.analysis import analyze, outgrown_parts, read_through

log = structlog.get_logger("station.counting.upkeep")

FIRST_S: Final = 20.0
"""After the start: the boxes come first."""
EVERY_S: Final = 60.0
LOOKED_S: Final = 86_400.0
AT_ONCE: Final = 50
"""Hours of lines in one transaction."""
LOOKED_REST: Final = 9.0
"""A look at an index of a million events holds writers up for some 10 ms, 0.2 s at most (0.7 s beside much
else): it is read beside them before, for from the disk it takes seconds (measured: 10 s for one)."""
T = TypeVar("T")


class StoreUpkeep:
    """One thread over one store."""

    def __init__(self, url: Any, now: Callable[[], float] = time.time, first_s: float | None = None) -> None:
        """`first_s`: when it begins, after the start; None: FIRST_S."""
        self._engine, self._now = engine_of(url), now
        self._reads = engine_of(url, writes=False)
        self._first_s = FIRST_S if first_s is None else first_s
        self._looked_s: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="upkeep", daemon=True)
        self._trouble: str | None = None

    def start(self) -> None:
        """Begin; the store must have its tables."""
        self._thread.start()

    def close(self) -> None:
        """End within a step."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._engine.dispose()
        self._reads.dispose()

    def once(self) -> int:
        """All that is due now; how many hours were summed up. What fails is told once, and tried again.

        Nothing that is kept hangs on it: an hour that is due is read from its intervals.
        """
        count = 0
        try:
            while done := self._write(partial(sum_up, now_ms=round(self._now() * 1000), most=AT_ONCE)):
                count += done
                if done < AT_ONCE or self._stop.is_set():
                    break
            self._look()
        except SQLAlchemyError as error:
            self._note(" ".join(str(getattr(error, "orig", error)).split())[:300])
        else:
            self._note(None)
        return count

    def _work(self) -> None:
        wait_s = self._first_s
        while not self._stop.wait(wait_s):
            wait_s = EVERY_S
            self.once()

    def _look(self) -> None:
        """Have the database look at what its columns hold, once a day: SQLite at what has grown."""
        if self._looked_s is not None and time.monotonic() - self._looked_s < LOOKED_S:
            return
        if self._engine.dialect.name == "sqlite":
            for part in (parts := self._write(outgrown_parts)):
                if self._stop.is_set():
                    return
                self._read(partial(read_through, part=part))
                self._write(partial(analyze, part=part), LOOKED_REST)
            if not parts:
                return
        else:
            self._write(analyze)
        self._looked_s = time.monotonic()

    def _write(self, job: Callable[[Connection], T], rest: float = 1.0) -> T:
        """Do it in a transaction of its own, then leave the store to others for `rest` times as long."""
        begun_s = time.monotonic()
        with self._engine.begin() as connection:
            done = job(connection)
        self._stop.wait(rest * (time.monotonic() - begun_s))
        return done

    def _read(self, job: Callable[[Connection], None]) -> None:
        """Do it while others write."""
        with self._reads.connect() as connection, connection.begin():
            job(connection)

    def _note(self, trouble: str | None) -> None:
        if trouble is not None and self._trouble is None:
            log.warning("upkeep_failed", why=trouble)
        self._trouble = trouble
