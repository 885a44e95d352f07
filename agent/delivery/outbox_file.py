"""The outbox's file: opened, locked against a second agent, set aside when it cannot be read.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

import structlog

from agent.core.ids import Ids
from agent.core.types import Instant
from agent.errors import OutboxError

log = structlog.get_logger(__name__)
T = TypeVar("T")

APPLICATION_ID: Final = 1852268916
VERSION: Final = 1
KEPT_DAMAGED: Final = 3
"""Damaged files that are kept for salvage; more of them would fill the disk of a box with a dying card."""
_UNREADABLE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the module raised on its own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """The file itself is broken, not merely locked, full or out of reach."""
    return result_code(error) in _UNREADABLE


class OutboxFile:
    """One open outbox file. `db` is the connection; whoever uses it holds the outbox's lock.

    Raises:
        OutboxError: another process has it, it belongs to another program or a newer version, or its folder
            cannot be written.
    """

    def __init__(self, path: Path, at: Instant) -> None:
        self.path = path
        self.damaged = 0
        """Files set aside since this object exists."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path)
        except OSError as error:
            raise OutboxError(
                f"outbox {path}: {error.strerror or error}", "make its folder writable by the agent's user"
            ) from error
        try:
            self.db = self._open(at)
        except BaseException:
            os.close(self._lock)
            raise

    def transact(self, work: Callable[[], T]) -> T:
        """Do `work` in one transaction: all of it is on disk, or nothing happened."""
        self.db.execute("begin immediate")
        try:
            result = work()
            self.db.execute("commit")
        except BaseException:
            with suppress(sqlite3.Error):
                self.db.execute("rollback")
            raise
        return result

    def this_boot(self) -> int:
        """The row of this boot of the box; rows of boots that nothing waits from are forgotten."""
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else "unknown"
        last = self.db.execute("select id, boot_id from boot order by id desc limit 1").fetchone()
        if last is not None and last[1] == boot_id:
            return int(last[0])

        def add() -> int:
            self.db.execute(
                "delete from boot where id < coalesce((select min(boot) from ("
                " select * from (select boot from message order by seq limit 1)"
                " union all select * from (select boot from quarantine order by seq limit 1))), 1 << 62)"
            )  # rows of one boot follow each other, so the oldest seq is of the oldest boot
            return int(self.db.execute("insert into boot (boot_id) values (?)", (boot_id,)).lastrowid or 0)

        return self.transact(add)

    def is_sound(self) -> bool:
        """Read the whole file on a connection of its own: seconds on a large one.

        Raises:
            sqlite3.Error: it cannot be read, for another reason than damage.
        """
        try:
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as db:
                return bool(db.execute("pragma quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.Error as error:
            if is_damage(error):
                return False
            raise

    def begin_anew(self, at: Instant) -> None:
        """Set the damaged file aside and begin a new one under the same lock (invariant 9)."""
        with suppress(sqlite3.Error):
            self.db.close()
        self._set_aside()
        self.db = self._open(at)

    def close(self) -> None:
        """Fold the log into the file and let go of both; never raises, safe to call twice."""
        with suppress(sqlite3.Error):
            self.db.execute("pragma wal_checkpoint(truncate)")
        with suppress(sqlite3.Error):
            self.db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _open(self, at: Instant) -> sqlite3.Connection:
        try:
            return _connect(self.path, at, self.damaged)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise OutboxError(
                    f"outbox {self.path}: {error}", "look at the disk's space, mount options and permissions"
                ) from error
        self._set_aside()
        try:
            return _connect(self.path, at, self.damaged)
        except sqlite3.Error as error:
            raise OutboxError(f"outbox {self.path}: {error}", "look at the disk's health") from error

    def _set_aside(self) -> None:
        """Rename the file and its log, so that what is in them can still be salvaged."""
        found = self.path.parent.glob(f"{self.path.name}.damaged.*")
        taken = sorted(int(p.suffix[1:]) for p in found if p.suffix[1:].isdigit())
        number = max(taken, default=0) + 1
        try:
            for part in ("", "-wal"):
                source = self.path.with_name(self.path.name + part)
                if source.exists():
                    source.rename(self._aside(part, number))
            self.path.with_name(self.path.name + "-shm").unlink(missing_ok=True)
            for old in taken[: -(KEPT_DAMAGED - 1)]:
                self._aside("", old).unlink(missing_ok=True)
                self._aside("-wal", old).unlink(missing_ok=True)
        except OSError as error:
            raise OutboxError(f"outbox {self.path}: {error}", "look at the disk's health") from error
        self.damaged += 1
        log.error("outbox_damaged", path=str(self.path), kept_as=self._aside("", number).name)

    def _aside(self, part: str, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}{part}.damaged.{number}")


def _lock(path: Path) -> int:
    """A lock that the kernel drops with the process; SQLite's own would let two agents write by turns."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise OutboxError(
            f"outbox {path} is in use by another process",
            "is a second agent running with the same data folder?",
        ) from error
    return handle


def _connect(path: Path, at: Instant, damaged: int) -> sqlite3.Connection:
    new = not path.exists() or path.stat().st_size == 0
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        if not new:
            _recognise(db, path)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")  # invariant 1
        db.execute("pragma journal_size_limit = 8388608")
        if new:
            _create(db, at, damaged)
            _sync_folder(path.parent)
    except BaseException:
        db.close()
        raise
    return db


def _recognise(db: sqlite3.Connection, path: Path) -> None:
    """Invariant 8: what is not ours, or newer than we are, is refused and left alone."""
    if db.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        if db.execute("select count(*) from sqlite_schema").fetchone()[0] == 0:
            raise _damage("no tables: the power went before the first commit")
        raise OutboxError(f"{path} is the database of another program", "give the outbox a path of its own")
    version = db.execute("pragma user_version").fetchone()[0]
    if version > VERSION:
        raise OutboxError(
            f"outbox {path} has version {version}, this agent knows {VERSION}",
            "install the newer agent again, or move the file away once it is empty",
        )


def _damage(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _create(db: sqlite3.Connection, at: Instant, damaged: int) -> None:
    stream, _ = Ids(secrets.token_bytes(32)).next(at)
    schema = files("agent.delivery").joinpath("outbox.sql").read_text(encoding="utf-8")
    db.executescript(
        f"begin immediate;\n{schema}\ninsert into life values (1, '{stream}', 1, 0, {damaged:d});\ncommit;"
    )


def _sync_folder(folder: Path) -> None:
    """SQLite syncs its files, but not the folder's entry of a new one."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
