"""Commands on disk, so that each is done once, whenever the box dies.

Invariants
1. A command is in the journal before the broker hears that it has come.
2. An id is taken once. What was issued before all that the journal still remembers is not taken at all.
3. A command is `begun` before anything is done about it, and ended with its ack in one transaction. The
   effect of `set`, the pause, and of `snapshot`, the picture, is part of that transaction: it is there, or it
   is to be done again. A `restart` that was begun has happened when the next life reads the journal.
4. An ack stays until the outbox has it; it may then come twice, word for word.
5. A damaged file is set aside. The new one takes nothing that was issued before the time that is known then.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from agent.commands import database
from agent.commands.database import IN_MEMORY
from agent.commands.policy import Command, Pause
from agent.errors import OutboxError
from agent.wire.verbs import VERBS, Args, Verb

__all__ = ["IN_MEMORY", "CommandState", "CommandTooOld", "Journal", "JournalEntry", "JournalFull", "StoredAck"]

T = TypeVar("T")


class CommandState(StrEnum):
    """How far a command has come."""

    ACCEPTED = "accepted"
    BEGUN = "begun"
    """Something may have been done about it."""
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


KEPT: Final = 2000
"""Ended commands that are remembered; older ones are known by their time of issue only (invariant 2)."""
MOST_WAITING: Final = 1000
"""Commands that are taken and not ended; more of them are a mistake at the station."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What the journal has of an id."""

    state: CommandState
    sha256: str
    ack: bytes | None


@dataclass(frozen=True, slots=True)
class StoredAck:
    """What the station is to hear of an ended command."""

    id: str
    body: bytes
    picture: bytes | None
    topic: str | None
    """Where the picture goes."""


class Journal:
    """One file; every method may be called from any thread.

    Raises:
        OutboxError: the file cannot be opened, or a method could not write: then nothing has changed.
    """

    def __init__(self, path: Path, now_s: float) -> None:
        """`now_s` is the wall time, or a lower bound of it (invariant 5)."""
        self._path = path
        self._lock = threading.RLock()
        try:
            self._db = database.connect(path, 0.0)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._error(error) from error
            database.set_aside(path)
            try:
                self._db = database.connect(path, now_s)
            except sqlite3.Error as again:
                raise self._error(again) from again
        if path != IN_MEMORY:
            database.erase(path)
        self.inherited = frozenset(command.id for command, _ in self.unended())
        """Ids that an earlier life has taken and not ended."""

    # ---------------------------------------------------------------------------------------- a command's way

    def take(self, command: Command) -> JournalEntry | None:
        """Take the command (invariants 1 and 2); what is known of its id if it was taken before.

        Raises:
            CommandTooOld: it was issued before all that is remembered.
            JournalFull: too many wait.
        """

        def work() -> JournalEntry | None:
            found = self._db.execute(
                "select state, sha256, ack from command where id = ?", (command.id,)
            ).fetchone()
            if found is not None:
                return JournalEntry(CommandState(found[0]), *found[1:])
            (forgotten_s,) = self._db.execute("select forgotten_s from memory").fetchone()
            if command.issued_s <= forgotten_s:
                raise CommandTooOld("repeated or too old: it was issued before all that this box remembers")
            (waiting,) = self._db.execute(
                "select count(*) from command where state in ('accepted', 'begun')"
            ).fetchone()
            if waiting >= MOST_WAITING:
                raise JournalFull(f"{waiting} commands wait to be done: send it again later")
            self._db.execute(
                "insert into command (id, verb, args, issuer, issued_s, expires_s, sha256, state)"
                " values (?, ?, ?, ?, ?, ?, ?, 'accepted')",
                (
                    command.id,
                    command.verb,
                    command.args.model_dump_json(),
                    command.issuer,
                    command.issued_s,
                    command.expires_s,
                    command.sha256,
                ),
            )
            return None

        return self._transact(work)

    def find(self, command_id: str) -> JournalEntry | None:
        """What is known of an id."""
        rows = self._read("select state, sha256, ack from command where id = ?", command_id)
        return JournalEntry(CommandState(rows[0][0]), *rows[0][1:]) if rows else None

    def begin(self, command_id: str) -> None:
        """From now on something may have been done about it (invariant 3)."""
        self._transact(
            lambda: self._db.execute("update command set state = 'begun' where id = ?", (command_id,))
        )

    def end(
        self,
        ack: StoredAck,
        state: CommandState,
        *,
        pause: Pause | None = None,
        resume: tuple[str, str | None] | None = None,
    ) -> None:
        """It is done, failed or refused: with its ack and its effect at once (invariant 3)."""

        def work() -> None:
            self._db.execute(
                "update command set state = ?, ack = ?, picture = ?, topic = ? where id = ?",
                (state, ack.body, ack.picture, ack.topic, ack.id),
            )
            if pause is not None:
                self._db.execute(
                    "insert or replace into pause values (?, ?, ?, ?, ?, ?)",
                    (
                        pause.camera,
                        pause.rule or "",
                        pause.until_s,
                        pause.boot_id,
                        pause.until_mono_s,
                        pause.issuer,
                    ),
                )
            if resume is not None:
                camera, rule = resume
                self._db.execute("delete from pause where camera = ? and rule = ?", (camera, rule or ""))

        self._transact(work)

    def stored(self, command_id: str) -> None:
        """The outbox has the ack (invariant 4); what is no longer needed is forgotten, its picture for good."""

        def work() -> bool:
            pictured = self._db.execute(
                "select 1 from command where id = ? and picture is not null", (command_id,)
            ).fetchone()
            self._db.execute("update command set in_outbox = 1, picture = null where id = ?", (command_id,))
            rows = self._db.execute(
                "select id, issued_s from command where in_outbox = 1 order by issued_s desc limit -1 offset ?",
                (KEPT,),
            ).fetchall()
            if rows:
                self._db.execute("update memory set forgotten_s = max(forgotten_s, ?)", (rows[0][1],))
                self._db.executemany("delete from command where id = ?", [(row[0],) for row in rows])
            return pictured is not None

        with self._lock:
            if self._transact(work) and self._path != IN_MEMORY:
                database.erase(self._path)

    # -------------------------------------------------------------------------------------------- what is there

    def unended(self) -> list[tuple[Command, CommandState]]:
        """What was taken and not ended, in the order of issue."""
        rows = self._read(
            "select id, verb, args, issuer, issued_s, expires_s, sha256, state from command"
            " where state in ('accepted', 'begun') order by issued_s, rowid"
        )
        return [
            (
                Command(name, Verb(verb), _args(verb, args), issuer, issued_s, expires_s, digest),
                CommandState(state),
            )
            for name, verb, args, issuer, issued_s, expires_s, digest, state in rows
        ]

    def acks(self) -> list[StoredAck]:
        """Those that the outbox may not have."""
        rows = self._read(
            "select id, ack, picture, topic from command where ack is not null and in_outbox = 0 order by rowid"
        )
        return [StoredAck(*row) for row in rows]

    def pauses(self) -> list[Pause]:
        """Every pause, also what may be over."""
        rows = self._read("select camera, rule, until_s, boot_id, until_mono_s, issuer from pause")
        return [Pause(camera, rule or None, *rest) for camera, rule, *rest in rows]

    def drop(self, over: Iterable[Pause]) -> None:
        """Forget pauses that are over."""
        names = [(pause.camera, pause.rule or "") for pause in over]
        if names:
            self._transact(
                lambda: self._db.executemany("delete from pause where camera = ? and rule = ?", names)
            )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    # ----------------------------------------------------------------------------------------------- the inside

    def _transact(self, work: Callable[[], T]) -> T:
        with self._lock:
            try:
                self._db.execute("begin immediate")
                try:
                    result = work()
                    self._db.execute("commit")
                except BaseException:
                    with suppress(sqlite3.Error):
                        self._db.execute("rollback")
                    raise
            except sqlite3.Error as error:
                raise self._error(error) from error
            return result

    def _read(self, query: str, *given: str) -> list[tuple]:  # type: ignore[type-arg]  # rows of SQLite hold anything
        with self._lock:
            try:
                return self._db.execute(query, given).fetchall()
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> OutboxError:
        return OutboxError(
            f"command journal {self._path}: {error}", "look at the disk: full, read-only, or dying?"
        )


class CommandTooOld(Exception):
    """It cannot be told from one that was done long ago."""


class JournalFull(Exception):
    """Too many commands wait."""


def _args(verb: str, text: str) -> Args:
    return VERBS[Verb(verb)].model_validate_json(text)
