"""Orders on disk, so that each is done once, whenever the box dies.

Invariants
1. An order is in the journal before the broker hears that it has come.
2. An id is taken once. What was issued before all that the journal still remembers is not taken at all.
3. An order is `begun` before anything is done about it, and ended with its answer in one transaction. The
   effect of `set`, the pause, and of `snapshot`, the picture, is part of that transaction: it is there, or it
   is to be done again. A `restart` that was begun has happened when the next life reads the journal.
4. An answer stays until the outbox has it; it may then come twice, word for word.
5. A damaged file is set aside. The new one takes nothing that was issued before the time that is known then.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

import structlog

from agent.commands.policy import VERBS, Args, Command, Pause
from agent.errors import OutboxError

log = structlog.get_logger(__name__)
T = TypeVar("T")

State = Literal["accepted", "begun", "done", "failed", "refused"]
KEPT: Final = 2000
"""Ended orders that are remembered; older ones are known by their time of issue only (invariant 2)."""
MOST_WAITING: Final = 1000
"""Orders that are taken and not ended; more of them are a mistake at the station."""

IN_MEMORY: Final = Path(":memory:")
"""For a disk that will not have it: then each is done once in one life of the agent only."""

_SCHEMA: Final = """
create table if not exists command (
    id        text primary key,
    verb      text not null,
    args      text not null,
    issuer    text not null,
    issued_s  real not null,
    expires_s real not null,
    sha256    text not null,
    state     text not null,
    answer    blob,
    picture   blob,
    topic     text,
    told      integer not null default 0
) strict;
create index if not exists by_issue on command (issued_s);
create index if not exists untold on command (told) where told = 0;
create table if not exists pause (
    camera       text not null,
    rule         text not null,
    until_s      real not null,
    boot_id      text not null,
    until_mono_s real not null,
    issuer       text not null,
    primary key (camera, rule)
) strict;
create table if not exists memory (forgotten_s real not null) strict;
"""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What the journal has of an id."""

    state: State
    sha256: str
    answer: bytes | None


@dataclass(frozen=True, slots=True)
class StoredAck:
    """What is to be told of an ended order."""

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
        self._lock = threading.Lock()
        try:
            self._db = self._open(0.0)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._error(error) from error
            self._set_aside()
            try:
                self._db = self._open(now_s)
            except sqlite3.Error as again:
                raise self._error(again) from again

    # ------------------------------------------------------------------------------------------ an order's way

    def take(self, order: Command) -> JournalEntry | None:
        """Take the order (invariants 1 and 2); what is known of its id if it was taken before.

        Raises:
            JournalLost: it was issued before all that is remembered.
            Crowded: too many wait.
        """

        def work() -> JournalEntry | None:
            found = self._db.execute(
                "select state, sha256, answer from command where id = ?", (order.id,)
            ).fetchone()
            if found is not None:
                return JournalEntry(*found)
            (forgotten_s,) = self._db.execute("select forgotten_s from memory").fetchone()
            if order.issued_s <= forgotten_s:
                raise JournalLost("repeated or too old: it was issued before all that this box remembers")
            (waiting,) = self._db.execute(
                "select count(*) from command where state in ('accepted', 'begun')"
            ).fetchone()
            if waiting >= MOST_WAITING:
                raise Crowded(f"{waiting} orders wait to be done: send it again later")
            self._db.execute(
                "insert into command (id, verb, args, issuer, issued_s, expires_s, sha256, state)"
                " values (?, ?, ?, ?, ?, ?, ?, 'accepted')",
                (
                    order.id,
                    order.verb,
                    order.args.model_dump_json(),
                    order.issuer,
                    order.issued_s,
                    order.expires_s,
                    order.sha256,
                ),
            )
            return None

        return self._transact(work)

    def find(self, order_id: str) -> JournalEntry | None:
        """What is known of an id."""
        rows = self._read("select state, sha256, answer from command where id = ?", order_id)
        return JournalEntry(*rows[0]) if rows else None

    def begin(self, order_id: str) -> None:
        """From now on something may have been done about it (invariant 3)."""
        self._transact(lambda: self._db.execute("update command set state = 'begun' where id = ?", (order_id,)))

    def end(
        self,
        answer: StoredAck,
        state: State,
        *,
        pause: Pause | None = None,
        resume: tuple[str, str | None] | None = None,
    ) -> None:
        """It is done, failed or refused: with its answer and its effect at once (invariant 3)."""

        def work() -> None:
            self._db.execute(
                "update command set state = ?, answer = ?, picture = ?, topic = ? where id = ?",
                (state, answer.body, answer.picture, answer.topic, answer.id),
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

    def told(self, order_id: str) -> None:
        """The outbox has the answer (invariant 4); what is no longer needed is forgotten."""

        def work() -> None:
            self._db.execute("update command set told = 1, picture = null where id = ?", (order_id,))
            rows = self._db.execute(
                "select id, issued_s from command where told = 1 order by issued_s desc limit -1 offset ?",
                (KEPT,),
            ).fetchall()
            if rows:
                self._db.execute("update memory set forgotten_s = max(forgotten_s, ?)", (rows[0][1],))
                self._db.executemany("delete from command where id = ?", [(row[0],) for row in rows])

        self._transact(work)

    # -------------------------------------------------------------------------------------------- what is there

    def unended(self) -> list[tuple[Command, State]]:
        """What was taken and not ended, in the order of issue."""
        rows = self._read(
            "select id, verb, args, issuer, issued_s, expires_s, sha256, state from command"
            " where state in ('accepted', 'begun') order by issued_s, rowid"
        )
        return [
            (Command(name, verb, _args(verb, args), issuer, issued_s, expires_s, digest), state)
            for name, verb, args, issuer, issued_s, expires_s, digest, state in rows
        ]

    def untold(self) -> list[StoredAck]:
        """Answers that the outbox may not have."""
        rows = self._read(
            "select id, answer, picture, topic from command"
            " where answer is not null and told = 0 order by rowid"
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

    def _open(self, forgotten_s: float) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            # No write-ahead log: touching its map of memory, on a disk without room, would kill the process.
            db.execute("pragma journal_mode = delete")
            db.execute("pragma synchronous = extra")  # invariant 1; extra: also that the journal is gone
            db.executescript(_SCHEMA)
            if not db.execute("select count(*) from memory").fetchone()[0]:
                db.execute("insert into memory values (?)", (forgotten_s,))
            db.execute("select * from command limit 1").fetchall()
        except BaseException:
            db.close()
            raise
        return db

    def _set_aside(self) -> None:
        kept = self._path.with_name(self._path.name + ".damaged")
        with suppress(OSError):
            self._path.replace(kept)
        for end in ("-journal", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + end).unlink()
        log.error("orders_damaged", kept_as=str(kept))

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
        return OutboxError(f"orders {self._path}: {error}", "look at the disk: full, read-only, or dying?")


class JournalLost(Exception):
    """It cannot be told from one that was done long ago."""


class Crowded(Exception):
    """Too many orders wait."""


def _args(verb: str, told: str) -> Args:
    return VERBS[verb].model_validate_json(told)
