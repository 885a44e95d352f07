"""The outbox's file: locked against a second agent, set aside when damaged or forked, left to a failing disk.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import structlog

from agent.clock import boot_id
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox import database
from agent.outbox.ballast import OPENING_BYTES
from agent.outbox.database import SMALL_BYTES, Seal, is_damage, is_out_of_reach, log_of, result_code
from agent.outbox.erase import erase_file, erase_some
from agent.outbox.recovery.salvage import DamagedFile, OutboxLife
from agent.translatable import tr

log = structlog.get_logger(__name__)
T = TypeVar("T")

DAMAGED: Final = "damaged"
FORKED: Final = "forked"
"""Why a file was set aside: the word between its name and its number."""
KEPT_DAMAGED: Final = 3
"""Damaged files that are kept; more of them would fill the disk of a box with a dying card."""
KEPT_S: Final = 7 * 86400.0
"""So long those are kept of which not all came again."""
LATER_S: Final = 3600.0
"""So far after now one was saved under a clock that was wrong."""
_SAVED: Final = "-saved"
_WHOLE: Final = "whole"
_DISK: Final = frozenset({errno.EROFS, errno.EIO, errno.ENOSPC, errno.EDQUOT})
"""What a disk says, and not a mistake in the configuration."""


class DiskFails(Exception):
    """The file cannot be opened now, for a reason that may pass."""


class OutboxInUse(OutboxError):
    """Another process has the file open."""


class OutboxFile:
    """One outbox file. `db` is the connection to it; whoever uses it holds the outbox's lock.

    Raises:
        OutboxError: another process has it, it belongs to another program or a newer version, or its folder
            cannot be written.
    """

    def __init__(self, path: Path, at: Instant) -> None:
        self.path = path
        self.damaged = 0
        """Files set aside since this object exists."""
        self.unsaved: list[Path] = []
        """Files set aside whose messages are not saved yet."""
        self.db: sqlite3.Connection | None = None
        """None while the disk fails."""
        self.trouble: str | None = None
        """Why it is None."""
        self._lock = -1
        self._folded = False
        """We let go of it ourselves: SQLite may have folded its log into it, so that none is missing."""
        try:
            self.open(at)
        except DiskFails as error:
            self.trouble = str(error)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def is_locked(path: Path) -> bool:
        """Whether some process has the file open; False where that cannot be seen."""
        try:
            handle = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def open(self, at: Instant, before: Seal | None = None) -> sqlite3.Connection:
        """Open it, or what takes the place of a damaged one; a new one continues the chain of `before`.

        Raises:
            DiskFails: not now.
            OutboxError: never.
        """
        self._take_lock()
        self._ask_for_room()
        for _ in range(2):
            try:
                self.db = database.connect(self.path, at, self.damaged, before, log_may_be_gone=self._folded)
            except sqlite3.Error as error:
                # A plain error here is a header that says nonsense: "unsupported file format".
                if is_damage(error) or result_code(error) == sqlite3.SQLITE_ERROR:
                    before = self._set_aside(str(error)).seal or before
                elif is_out_of_reach(error):
                    raise DiskFails(str(error)) from error
                else:
                    raise OutboxError(
                        tr("outbox {path}: {error}", path=self.path, error=error),
                        tr("look at the disk's health"),
                    ) from error
            except OSError as error:
                raise DiskFails(f"{error.strerror or error}") from error
            else:
                self.trouble, self._folded = None, False
                return self.db
        raise DiskFails("a new file cannot be read back")

    def begin_anew(self, at: Instant, why: str, kind: str = DAMAGED) -> None:
        """Set the damaged or forked file aside and begin a new one under the same lock (invariants 9 and 16).

        Raises:
            DiskFails: not now.
        """
        self.let_go()
        before = self._set_aside(why, kind)
        self.open(at, before.seal)

    def let_go(self) -> None:
        """Close the connection to a file that cannot be used now, without writing anything."""
        if self.db is not None:
            self._folded = True
            with suppress(sqlite3.Error):
                self.db.close()
        self.db = None

    def close(self) -> None:
        """Fold the log into the file and let go of both; never raises, safe to call twice."""
        if self.db is not None:
            database.close(self.db, self.path)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def saved(self, aside: Path, now_s: float, whole: bool = False) -> None:
        """What could be saved from a file that was set aside has been put; `whole`: there was nothing else.

        `now_s` is the time that is believed, as in `erase_some`.

        Of these, a forked one goes at once, if it does not take long.
        """
        with suppress(OSError):
            if whole and is_forked(aside) and aside.stat().st_size <= SMALL_BYTES:
                _remove(aside)
            else:
                _note(aside).write_text(_WHOLE if whole else "", encoding="ascii")
                os.utime(_note(aside), (now_s, now_s))
        self.unsaved.remove(aside)

    def erase_some(self, now_s: float) -> None:
        """Overwrite some of a file that was set aside and that nobody needs any more.

        One that came again whole is not needed, another for a week: somebody may get more out of it than we.
        `now_s` is the wall time that is believed; one that was saved later than that was saved now.

        Raises:
            OSError: it cannot be written.
        """
        for note in sorted(self.path.parent.glob(f"{self.path.name}.*.*{_SAVED}")):
            file = note.with_name(note.name.removesuffix(_SAVED))
            kept_s = now_s - note.stat().st_mtime
            if kept_s < -LATER_S:
                os.utime(note, (now_s, now_s))
            if note.read_bytes() == _WHOLE.encode() or kept_s > KEPT_S:
                for part in (log_of(file), file):
                    if part.is_file() and not erase_some(part):
                        return
                if not file.exists():
                    note.unlink()

    def _take_lock(self) -> None:
        if self._lock >= 0:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path)
        except OSError as error:
            if error.errno in _DISK:
                raise DiskFails(error.strerror or str(error)) from error
            raise OutboxError(
                tr("outbox {path}: {reason}", path=self.path, reason=error.strerror or error),
                tr("make its folder writable by the agent's user"),
            ) from error
        self.unsaved = [path for path in self._set_aside_before() if not _note(path).exists()]

    def _ask_for_room(self) -> None:
        """SQLite maps a file beside the database; on a disk without room for that the process dies (SIGBUS)."""
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError as error:
            raise DiskFails(error.strerror or str(error)) from error
        if free < OPENING_BYTES:
            raise DiskFails("the disk is full")

    def _set_aside(self, why: str, kind: str = DAMAGED) -> OutboxLife:
        """Rename the file and its log, so that what is in them can be saved; what it says of itself.

        Raises:
            DiskFails: not now.
        """
        before = self._set_aside_before()
        number = max(map(_number, before), default=0) + 1
        aside = self.path.with_name(f"{self.path.name}.{kind}.{number}")
        damaged = [path for path in before if not is_forked(path)]
        try:
            for source, target in ((self.path, aside), (log_of(self.path), log_of(aside))):
                if source.exists():
                    source.rename(target)
            self.path.with_name(self.path.name + "-shm").unlink(missing_ok=True)
            for old in damaged[: -(KEPT_DAMAGED - 1)]:
                if old.is_file() and old.stat().st_size > SMALL_BYTES and len(damaged) < 2 * KEPT_DAMAGED:
                    _note(old).write_text(_WHOLE, encoding="ascii")  # to be overwritten beside the work
                else:
                    _remove(old)
        except OSError as error:
            raise DiskFails(error.strerror or str(error)) from error
        self.damaged += kind == DAMAGED
        self.unsaved.append(aside)
        name = "outbox_forked" if kind == FORKED else "outbox_damaged"
        log.error(name, path=str(self.path), kept_as=aside.name, why=why)
        damaged_file = DamagedFile(aside)
        try:
            return damaged_file.life()
        finally:
            damaged_file.close()

    def _set_aside_before(self) -> list[Path]:
        """Oldest first."""
        found = (
            path for kind in (DAMAGED, FORKED) for path in self.path.parent.glob(f"{self.path.name}.{kind}.*")
        )
        return sorted(filter(_number, found), key=_number)


def transact(db: sqlite3.Connection, work: Callable[[], T]) -> T:
    """Do `work` in one transaction: all of it is on disk, or nothing happened."""
    db.execute("begin immediate")
    try:
        result = work()
        db.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("rollback")
        raise
    return result


def this_boot(db: sqlite3.Connection) -> int:
    """The row of this boot of the box; rows of boots that nothing waits from are forgotten."""
    name = boot_id()
    last = db.execute("select id, boot_id from boot order by id desc limit 1").fetchone()
    if last is not None and last[1] == name:
        return int(last[0])

    def add() -> int:
        db.execute(
            "delete from boot where id < coalesce((select min(boot) from ("
            " select * from (select boot from message order by seq limit 1)"
            " union all select * from (select boot from quarantine order by seq limit 1))), 1 << 62)"
        )  # rows of one boot follow each other, so the oldest seq is of the oldest boot
        return int(db.execute("insert into boot (boot_id) values (?)", (name,)).lastrowid or 0)

    return transact(db, add)


def is_forked(aside: Path) -> bool:
    """Whether it was set aside whole, because others had its numbers (invariant 16)."""
    return aside.stem.endswith(f".{FORKED}")


def _remove(aside: Path) -> None:
    """Overwrite what is not so large that this would hold up the start."""
    for part in (aside, log_of(aside), aside.with_name(aside.name + "-shm"), _note(aside)):
        if part.is_file() and part.stat().st_size <= SMALL_BYTES:
            erase_file(part)
        elif not part.is_dir():
            part.unlink(missing_ok=True)


def _number(path: Path) -> int:
    """Of a file that was set aside; 0 for what belongs to one."""
    return int(path.suffix[1:]) if re.fullmatch("[0-9]{1,9}", path.suffix[1:]) else 0


def _note(damaged_file: Path) -> Path:
    """There when the messages of a file that was set aside are saved."""
    return damaged_file.with_name(damaged_file.name + _SAVED)


def _lock(path: Path) -> int:
    """A lock that the kernel drops with the process; SQLite's own would let two agents write by turns."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    if os.geteuid() == 0:  # a technician's command must not lock the agent's user out
        owner = path.parent.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise OutboxInUse(
            tr("outbox {path} is in use by another process", path=path),
            tr("is a second agent running with the same data folder?"),
        ) from error
    return handle
