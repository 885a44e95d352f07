"""A small database of this room: opened, made where there is none, refused where it is somebody else's."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    """What one of them is, and how it is made.

    Attributes:
        application_id, version: What stands in the file's head; `schema` writes both.
        schema: The statements that make an empty file one of ours.
        table: One of its tables, which is looked into: damage shows there.
    """

    application_id: int
    version: int
    schema: str
    table: str


def connect(path: Path, own: OwnDatabase) -> sqlite3.Connection:
    """The database; a new one where there is none.

    Raises:
        sqlite3.OperationalError: the disk will not have it, or it is not ours.
        sqlite3.DatabaseError: it is damaged.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        db.execute("pragma journal_mode = persist")  # as the commands' journal: a full disk kills nobody
        db.execute("pragma synchronous = extra")
        db.execute("pragma foreign_keys = on")
        (ours,) = db.execute("pragma application_id").fetchone()
        (version,) = db.execute("pragma user_version").fetchone()
        tables = db.execute("select count(*) from sqlite_schema").fetchone()[0]
        if not tables and not ours:
            db.executescript(f"begin immediate; {own.schema} commit;")
        elif ours != own.application_id or version > own.version:
            raise sqlite3.OperationalError("it is of another program, or of a newer version")  # noqa: TRY301
        db.execute(f"select * from {own.table} limit 1").fetchall()  # noqa: S608 – words of our own
    except BaseException:
        db.close()
        raise
    return db
