"""The database of an index: opened or begun anew, read row by row, written in whole transactions.

Invariants
1. A transaction is there whole, or not at all.
2. What is damaged is said in the log and begun anew, unless the file is opened to be read only.
3. A disk that fails or is full damages nothing: the file stays, and the error says which disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import structlog

from agent.errors import FootageError
from agent.translatable import tr

log = structlog.get_logger(__name__)

FILE: Final = "index.db"
APPLICATION: Final = 0x6E67_5249  # "ngRI"
VERSION: Final = 2
_SCHEMA: Final = files("agent.evidence.listing").joinpath("index.sql").read_text(encoding="utf-8")
"""Read with the code: whoever becomes another user later may not read it any more."""
_ADDED: Final = files("agent.evidence.listing").joinpath("boot_clock.sql").read_text(encoding="utf-8")
"""What an index of before lacks; to one that has it nothing is done, and an earlier version heeds it not."""


class IndexFile:
    """The database in a ring's folder. All of it may be called from any thread."""

    def __init__(self, folder: Path, readonly: bool = False) -> None:
        """Open it; a damaged one is deleted and begun anew, unless it is opened to be read only.

        Raises:
            FootageError: it cannot be opened.
        """
        self.folder = folder
        self.fresh = False
        """It was begun anew: what lies in the folder is not listed yet."""
        self.damaged = False
        """It was found damaged while it was used: open it again, and it is begun anew."""
        self._lock = threading.RLock()
        try:
            self._db = _connect(folder / FILE, readonly)
            self.fresh = not readonly and self.one("select count(*) from segment") == 0
        except (sqlite3.Error, OSError) as error:
            if readonly or not isinstance(error, sqlite3.DatabaseError) or _out_of_reach(error):
                raise self.failure(error) from error
            self._begin_anew(error)

    def close(self) -> None:
        """Let go of it; may be called twice."""
        with self._lock, suppress(sqlite3.Error):
            self._db.close()

    def one(self, sql: str, *values: Any) -> int:
        """The number that is all of the answer.

        Raises:
            FootageError: it cannot be read.
        """
        return int(self.rows(sql, *values)[0][0])

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Every row of the answer.

        Raises:
            FootageError: it cannot be read.
        """
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self.failure(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing.

        Raises:
            FootageError: it cannot be written.
        """
        with self._lock:
            try:
                self._db.execute("begin immediate")
                try:
                    yield self._db
                    self._db.execute("commit")
                except BaseException:
                    with suppress(sqlite3.Error):
                        self._db.execute("rollback")
                    raise
            except sqlite3.Error as error:
                raise self.failure(error) from error

    def failure(self, error: Exception) -> FootageError:
        """The error for whoever runs the box; damage is noted."""
        self.damaged |= getattr(error, "sqlite_errorcode", 0) & 0xFF in (
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        )
        return FootageError(
            tr("the index of the footage in {folder}: {error}", folder=self.folder, error=error),
            tr("is the disk full, read-only or dying?"),
        )

    def _begin_anew(self, why: Exception) -> None:
        log.error("footage_index_damaged", path=str(self.folder / FILE), why=str(why))
        try:
            for end in ("", "-wal", "-shm"):
                (self.folder / (FILE + end)).unlink(missing_ok=True)
            self._db = _connect(self.folder / FILE, readonly=False)
        except (sqlite3.Error, OSError) as error:
            raise self.failure(error) from error
        self.fresh = True


def index_bytes(folder: Path) -> int:
    """What the index takes on disk, with its log."""
    total = 0
    for end in ("", "-wal", "-shm"):
        with suppress(OSError):
            total += (folder / (FILE + end)).stat().st_blocks * 512
    return total


def _connect(path: Path, readonly: bool) -> sqlite3.Connection:
    if readonly:
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=5.0,
            isolation_level=None,
            check_same_thread=False,
        )
    else:
        db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        if not readonly:
            _prepare(db)
        db.execute("select count(*) from link").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    (application,) = db.execute("pragma application_id").fetchone()
    (version,) = db.execute("pragma user_version").fetchone()
    (tables,) = db.execute("select count(*) from sqlite_schema").fetchone()
    if tables and (application, version) != (APPLICATION, VERSION):
        raise sqlite3.DatabaseError("it is of another version, or no index of footage")
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")  # what a cut takes of it is read from the files again
    db.execute("pragma wal_autocheckpoint = 256")
    db.execute("pragma journal_size_limit = 2097152")
    if not tables:
        db.executescript(
            f"begin;{_SCHEMA}pragma application_id = {APPLICATION};pragma user_version = {VERSION};commit;"
        )
    else:
        with closing(db.execute("pragma quick_check(1)")) as rows:
            (word,) = rows.fetchone()
        if word != "ok":
            raise sqlite3.DatabaseError(word)
    db.executescript(_ADDED)


def _out_of_reach(error: sqlite3.DatabaseError) -> bool:
    """Whether the disk is the trouble, and not what lies on it."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    )
