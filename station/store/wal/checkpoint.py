"""Folds SQLite's log into the database's file beside the writers, in a thread of its own.

SQLite by itself does it inside the commit that fills the log: who waits for a receipt then waits for thousands
of pages.

Invariants
1. Nothing about what is on disk changes: SQLite syncs the log before it copies pages, and the file before the
   log is begun anew. A cut at any point leaves both as they were, or pages in both.
2. Writers are held only while the short rest is copied that came meanwhile, and no longer than READER_S because
   somebody reads what the log still has. Those of this process give it its turn however busy they are.
3. Unless a reader stays, the log has a bound: beyond MOST_FRAMES all of it is folded in while writers wait.
   If this thread fails or is gone, they fold it in themselves (database.LOG_PAGES).
4. What fails is said once, and so is its end.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import StoreError, engine_of, in_words, turn_of
from station.store.wal.frames import LogFill, log_fill, log_of
from station.store.wal.sync import sync_open

log = structlog.get_logger("station.store.wal.checkpoint")

FOLD_FRAMES: Final = 32_768
"""From here on it is folded in: 128 MiB. The longer, the fewer pages go twice: an event of a backlog costs the
disk 40.4 kB with 64 MiB, 40.5 to 40.8 with 96, 38.1 to 39.7 with 128."""
REST_FRAMES: Final = 256
"""So many may be copied while writers wait: a few milliseconds, and a sync of their pages."""
AGAIN_FRAMES: Final = 1_024
"""Where somebody reads what the log has it is tried again after so many more."""
MOST_FRAMES: Final = 57_344
"""224 MiB: more comes together only where the disk copies more slowly than is written, or a reader stays."""
READER_S: Final = 0.02
WRITER_S: Final = 1.0
"""So long a transaction that goes on is waited for."""
_PASSES: Final = 6
"""Beside the writers, until the rest is short; each copies pages again that change all the time."""
_COMMIT_S: Final = 0.1
"""So long a commit is waited for behind which a pass may end."""
_LOOK_S: Final = 0.1
_RETRY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class CheckpointResult:
    """What one checkpoint came to."""

    is_whole: bool
    """All of the log is in the file, and it is begun anew, if that was asked for."""
    copied: int
    """Frames of the log that are in the file."""
    left: int
    """Frames that may be in the log alone."""


class LogCheckpoint:
    """One thread over one store; there is nothing to do on PostgreSQL."""

    def __init__(self, url: URL, fold_frames: int | None = None, most_frames: int | None = None) -> None:
        """`fold_frames`, `most_frames`: None: FOLD_FRAMES, MOST_FRAMES."""
        self._url = url
        self._engine = engine_of(url)
        self._is_sqlite = url.drivername == "sqlite"
        self._file = Path(str(url.database))
        self._log = log_of(self._file)
        self._fold_frames = FOLD_FRAMES if fold_frames is None else fold_frames
        self._most_frames = MOST_FRAMES if most_frames is None else most_frames
        self._begun_anew = LogFill()
        """The log as it was when all of it was in the file; a writer that comes later gives it another salt."""
        self._waits_for = 0
        """Frames before it is tried again: somebody reads what the log has."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoint", daemon=True)
        self._at_work: sqlite3.Connection | None = None
        self._trouble: str | None = None

    def start(self) -> None:
        """Begin; the store must have its tables."""
        if self._is_sqlite:
            self._thread.start()

    def close(self) -> None:
        """End at once: a checkpoint that is broken off is done again by whoever comes next."""
        self._stop.set()
        while self._thread.is_alive():
            at_work = self._at_work
            if at_work is not None:
                at_work.interrupt()
            self._thread.join(0.05)
        self._engine.dispose()

    def once(self) -> bool:
        """Look, and fold the log in if it is long; whether all of it is in the file now."""
        try:
            done = self._fold_if_due()
        except (sqlite3.Error, SQLAlchemyError, OSError) as error:
            if not self._stop.is_set():
                self._note(in_words(error, self._url))
            return False
        self._note(None)
        return done

    def copied_beside(self, connection: sqlite3.Connection) -> int:
        """Copy what the log has now, beside the writers; how many of its frames are in the file.

        A pass that reaches the log's end syncs all that was ever copied in one go, and a commit waits for the
        disk as long as that takes. So it ends where a reader of now stands, once a commit is behind that.
        """
        with closing(self._engine.raw_connection()) as pooled:
            reader = pooled.driver_connection
            assert isinstance(reader, sqlite3.Connection)
            reader.execute("begin")
            try:
                reader.execute("select 1 from sqlite_schema").fetchone()
                here, ends_s = log_fill(self._log), time.monotonic() + _COMMIT_S
                while log_fill(self._log) == here and time.monotonic() < ends_s:
                    if self._stop.wait(_COMMIT_S / 20):
                        break
                return _checkpoint(connection, "passive").copied
            finally:
                reader.execute("rollback")

    # --------------------------------------------------------------------------------------------- the inside

    def _work(self) -> None:
        while not self._stop.wait(_LOOK_S if self._trouble is None else _RETRY_S):
            self.once()

    def _fold_if_due(self) -> bool:
        fill = log_fill(self._log)
        if fill.salt == self._begun_anew.salt or fill.frames < max(self._fold_frames, self._waits_for):
            return False
        is_too_long = fill.frames >= self._most_frames
        with closing(self._engine.raw_connection()) as pooled:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            self._at_work = connection
            try:
                result = self._folded(connection, is_too_long=is_too_long)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                result = CheckpointResult(False, 0, fill.frames)  # a transaction lasts: the next time
            finally:
                self._at_work = None
        if result.is_whole:
            self._begun_anew, self._waits_for = fill, 0
        else:
            self._waits_for = log_fill(self._log).frames + AGAIN_FRAMES
            if is_too_long and result.left > self._fold_frames:
                log.warning("log_stays_long", frames=fill.frames, left=result.left)
        return result.is_whole

    def _folded(self, connection: sqlite3.Connection, *, is_too_long: bool) -> CheckpointResult:
        """Most of it beside the writers, then the rest while they wait."""
        copied = -1
        for _ in range(0 if is_too_long else _PASSES):
            before, copied = copied, self.copied_beside(connection)
            sync_open(self._file, self._stop.is_set)
            if log_fill(self._log).frames - copied <= REST_FRAMES or copied == before:
                break
        with turn_of(self._url):
            connection.execute(f"pragma busy_timeout = {round(WRITER_S * 1000):d}")
            connection.execute("begin immediate")  # nobody of this process begins another one behind it
            connection.execute("rollback")
            return _checkpoint(connection, "restart")

    def _note(self, trouble: StoreError | None) -> None:
        if trouble is not None and self._trouble is None:
            log.warning("checkpoint_failed", why=trouble.what, hint=trouble.hint)
        elif trouble is None and self._trouble is not None:
            log.info("checkpoints_again")
        self._trouble = None if trouble is None else trouble.what


def _checkpoint(connection: sqlite3.Connection, mode: str) -> CheckpointResult:
    connection.execute(f"pragma busy_timeout = {round(READER_S * 1000):d}")
    busy, frames, copied = connection.execute(f"pragma wal_checkpoint({mode})").fetchone()
    return CheckpointResult(not busy, copied, max(0, frames - copied))
