"""A small SQLite file of the uplink: opened, and begun anew where it is damaged or of another program.

What it holds can be had again: so a damaged one is set aside, and nobody waits for it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import structlog

from station.store.database import StoreError

log = structlog.get_logger("station.uplink.book")

_LOGS: Final = ("-wal", "-shm")


def open_book(path: Path, tables: str, version: int, damaged: str) -> sqlite3.Connection:
    """The file, synced at each commit; `damaged` is what the log calls it when it is set aside.

    Raises:
        sqlite3.OperationalError: the disk is full or read-only, which is no damage.
        sqlite3.DatabaseError: also the new one cannot be used.
    """
    try:
        return _opened(path, tables, version)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = path.with_name(path.name + ".damaged")
        log.error(damaged, path=str(path), why=str(error), aside=str(aside))  # noqa: TRY400  (it says all)
        path.replace(aside)
        for each in _LOGS:
            path.with_name(path.name + each).unlink(missing_ok=True)
        return _opened(path, tables, version)


def fault(path: Path, error: sqlite3.Error) -> StoreError:
    """What is said of a file that cannot be used."""
    return StoreError(f"{path}: {error}", "look at the disk: full, read-only, or dying?")


def _opened(path: Path, tables: str, version: int) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        (found,) = db.execute("pragma user_version").fetchone()
        if found == 0 and not db.execute("select 1 from sqlite_schema").fetchone():
            db.executescript(f"begin; {tables} pragma user_version = {version}; commit;")
        _check(db, version)
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, version: int) -> None:
    """Raises sqlite3.DatabaseError if it is not ours, or damaged."""
    (found,) = db.execute("pragma user_version").fetchone()
    (word,) = db.execute("pragma quick_check").fetchone()
    if found != version or word != "ok":
        raise sqlite3.DatabaseError(word if found == version else f"version {found}")
