"""Opens an outbox's database: a new one, one of ours that is sound, or said why not.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from importlib.resources import files
from pathlib import Path
from secrets import token_bytes
from typing import Final

from agent.core.ids import Ids
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox.erase import erase_log
from agent.outbox.recovery import pages
from agent.outbox.recovery.pages import PAGE
from agent.translatable import tr

APPLICATION_ID: Final = 1852268916
VERSION: Final = 2
SMALL_BYTES: Final = 8 << 20
"""A file of this size is read as a whole at the start; of a larger one that is left to `verify`."""
CHECKPOINT_PAGES: Final = 2000
"""The log is folded into the file at 2 MiB: on a full disk that must fit into the ballast twice."""
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DAMAGE_EXTENDED: Final = frozenset({522, 8458})  # SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_CORRUPTFS
_OUT_OF_REACH: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)

STREAM: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_SCHEMA: Final = files("agent.outbox").joinpath("outbox.sql").read_text(encoding="utf-8")
"""Read with the code: an outbox that flees into memory may have no disk left to read from."""

Seal = tuple[str, int, bytes]
"""Stream, number and hash of the newest seal."""


def result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the module raised on its own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """The file itself is broken, not merely locked, full or out of reach."""
    extended = int(getattr(error, "sqlite_errorcode", 0))
    return result_code(error) in _DAMAGE or extended in _DAMAGE_EXTENDED


def is_out_of_reach(error: sqlite3.Error) -> bool:
    """The disk does not take or give what it should: full, read-only, dying, gone."""
    return result_code(error) in _OUT_OF_REACH


def damage(what: str) -> sqlite3.DatabaseError:
    """The error of a file that SQLite takes for sound and we do not."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def log_of(path: Path) -> Path:
    """SQLite's write-ahead log of a file."""
    return path.with_name(path.name + "-wal")


def connect(
    path: Path, at: Instant, damaged: int, before: Seal | None, *, log_may_be_gone: bool = False
) -> sqlite3.Connection:
    """The outbox's database, marked as running; a new one continues the chain of `before`.

    Raises:
        sqlite3.Error: damaged (`is_damage`), or not to be reached.
        OutboxError: another program's, or of a newer version (invariant 8).
    """
    new = not path.exists() or (path.is_file() and path.stat().st_size == 0 and not log_of(path).exists())
    if not new:
        _look_before(path, log_may_be_gone)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        db.execute(f"pragma page_size = {PAGE:d}")  # heeded by a new file only
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")  # invariant 1
        db.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES:d}")
        db.execute("pragma secure_delete = on")  # what has left is not to be read on a card that was stolen
        if new:
            _create(db, at, damaged, before)
            _sync_folder(path.parent)
        _mark(db, running=True)
    except BaseException:
        db.close()
        raise
    return db


def in_memory(at: Instant, damaged: int, before: Seal | None) -> sqlite3.Connection:
    """An outbox that ends with the process, for as long as the disk takes nothing (invariant 12)."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.execute(f"pragma page_size = {PAGE:d}")
    _create(db, at, damaged, before)
    return db


def close(db: sqlite3.Connection, path: Path) -> None:
    """Fold the log into the file, say that nobody has it open, and let go; never raises."""
    with suppress(sqlite3.Error):
        _mark(db, running=False)
    with suppress(sqlite3.Error, OSError):
        erase_log(db, log_of(path), whole=True)
    with suppress(sqlite3.Error):
        db.execute("pragma wal_checkpoint(truncate)")
    with suppress(sqlite3.Error):
        db.close()


def is_sound(path: Path) -> bool:
    """Read the whole file on a connection of its own: seconds on a large one.

    Raises:
        sqlite3.Error: it cannot be read, for another reason than damage.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return bool(db.execute("pragma quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error as error:
        if is_damage(error):
            return False
        raise


def _look_before(path: Path, log_may_be_gone: bool) -> None:
    """What SQLite would silently accept: a log that is gone, of another file, or broken in its middle."""
    if not path.is_file():
        raise damage("it is not a file")
    if not os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK):
        raise damage("it belongs to another user")
    log = log_of(path)
    if log.exists() and not log.is_file():
        raise damage("its log is not a file")
    if path.stat().st_size == 0:
        raise damage("it is empty, its log is not: SQLite would throw that away")
    stream, running = _life_without_log(path)
    if running and not log.exists() and not log_may_be_gone:
        raise damage("its log is gone: what was put last would be numbered again")  # invariant 2
    if stream is not None and not STREAM.fullmatch(stream):
        stream = None  # the power went while its page was written: the log has it whole
    if log.exists() and log.stat().st_size:
        if not os.access(log, os.R_OK | os.W_OK):
            raise damage("its log belongs to another user")
        if pages.read_log(log).broken:
            raise damage("its log is broken: SQLite would leave out what follows")
    # Read-only: a connection that may write folds the log into the file when it ends, damaged or not.
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
        _recognise(db, path)
        if stream is not None and db.execute("select stream from life").fetchone() != (stream,):
            raise damage("its log is of another outbox")
        if path.stat().st_size <= SMALL_BYTES:
            _check(db)


def _life_without_log(path: Path) -> tuple[str | None, bool]:
    """Stream and running as the file alone says them; None where it says nothing."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            stream, running = db.execute("select stream, running from life").fetchone()
            return str(stream), bool(running)
    except (sqlite3.Error, TypeError):
        return None, False


def _recognise(db: sqlite3.Connection, path: Path) -> None:
    """Invariant 8: what is not ours, or newer than we are, is refused and left alone."""
    tables = {name for (name,) in db.execute("select name from sqlite_schema where type = 'table'")}
    if not tables:
        raise damage("no tables: the power went before the first commit")
    ours = {"life", "message", "quarantine", "open_event"} <= tables
    if not ours and db.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise OutboxError(
            tr("{path} is the database of another program", path=path), tr("give the outbox a path of its own")
        )
    if not ours or db.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise damage("its header is not that of an outbox")
    version = db.execute("pragma user_version").fetchone()[0]
    columns = {name for _, name, *_ in db.execute("pragma table_info(life)")}
    of_life = db.execute("select version from life").fetchone() if "version" in columns else (version,)
    if of_life is None or of_life[0] != version:
        raise damage("it says two versions of itself")
    if version > VERSION:
        raise OutboxError(
            tr(
                "outbox {path} has version {version}, this agent knows {known}",
                path=path,
                version=version,
                known=VERSION,
            ),
            tr("install the newer agent again, or move the file away once it is empty"),
        )
    if version < VERSION:
        raise damage(f"version {version} is of an early trial: it is kept aside")


def _check(db: sqlite3.Connection) -> None:
    if db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
        raise damage("quick_check finds damage")


def _create(db: sqlite3.Connection, at: Instant, damaged: int, before: Seal | None) -> None:
    stream, _ = Ids(token_bytes(32)).next(at)
    db.executescript(f"begin immediate;\n{_SCHEMA}")
    db.execute(
        "insert into life values (1, ?, 1, 0, ?, 0, ?, ?, ?, ?)",
        (stream, damaged, VERSION, *(before or (None, None, None))),
    )
    db.execute("commit")


def _mark(db: sqlite3.Connection, *, running: bool) -> None:
    """Into the file itself, not only into its log: the log is what may be missing."""
    if db.execute("select running from life").fetchone()[0] != running:
        db.execute("update life set running = ?", (running,))
        db.execute("pragma wal_checkpoint(passive)")


def _sync_folder(folder: Path) -> None:
    """SQLite syncs its files, but not the folder's entry of a new one."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
