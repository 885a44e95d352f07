"""What was done at the console, by whom: appended to a chain of hashes, searched, and held against itself.

Invariants
1. An entry that `note` has taken is on disk, and so is its end in `console.head`, when it returns.
2. Each entry follows the last one by its hash, whoever writes: one transaction at a time appends, by SQLite's
   `begin immediate` or a lock of the table in PostgreSQL.
3. Entries are never changed. What somebody takes out, alters or puts elsewhere breaks the chain at that
   place; what somebody cuts off at the end lacks below the head, and the next entry follows on the head, not
   on what is left, so that the hole stays to be seen.
4. A head that is gone or damaged is an entry of the log before the next one is taken, once the log has more
   than FIRST_UNDER_WAY: putting it anew hides nothing.
Who writes all of it anew, and the head too, is not found by this log alone: backups hold older ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from station.access.audit_entry import AT_THE_MACHINE, FIRST, Actor, AuditVerb, ConsoleEntry, LogEnd, entry_of
from station.access.audit_proof import BreakKind, LogBreak, LogVerdict, break_at
from station.access.log_head import LogHead
from station.store.database import in_words
from station.store.schema import audit_entry

PAGE: Final = 50
_AT_ONCE: Final = 2_000
_NOTHING: Final = LogEnd(0, FIRST)
FIRST_UNDER_WAY: Final = 64
"""So many of the first entries may stand before any of their threads has written the first head."""
_THE_LOG: Final = Actor("", "", "", AT_THE_MACHINE)


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What is looked for; what is not named is not asked."""

    since_ms: int | None = None
    until_ms: int | None = None
    """Before this moment."""
    who: str = ""
    """A login, or a part of a name."""
    verb: str = ""
    subject: str = ""
    """Words, each of which stands in the subject or in the detail."""
    before: int | None = None
    """Only entries of a lower number: the next page."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first."""

    entries: tuple[ConsoleEntry, ...]
    more: int | None
    """What `before` of the next page is; None: there is none."""


_Append = Callable[[Connection, Actor, AuditVerb, str, Mapping[str, Any]], ConsoleEntry]


class AuditTransaction:
    """What is done in one transaction, and the entries that say so."""

    def __init__(self, connection: Connection, append: _Append) -> None:
        """`append` writes an entry through the connection."""
        self.connection = connection
        self._append = append
        self.end: LogEnd | None = None
        """Where the log ends by it; None: nothing was noted yet."""

    def note(
        self, actor: Actor, verb: AuditVerb, subject: str = "", detail: Mapping[str, Any] | None = None
    ) -> ConsoleEntry:
        """Append one entry."""
        made = self._append(self.connection, actor, verb, subject, detail or {})
        self.end = LogEnd(made.id, made.sha256)
        return made


class AuditLog:
    """The log of one station; for many threads."""

    def __init__(
        self,
        writes: Engine,
        state_dir: Path,
        reads: Engine | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`reads` is for whoever only looks, so that it waits for no writer; None: `writes`."""
        self._writes, self._reads, self._now = writes, reads or writes, now
        self._head = LogHead(state_dir)
        self._turn = threading.Lock()
        """Threads wait here in turn; SQLite would have them try again and again."""

    def note(
        self, actor: Actor, verb: AuditVerb, subject: str = "", detail: Mapping[str, Any] | None = None
    ) -> ConsoleEntry:
        """Append one entry, in a transaction of its own (invariants 1 and 2).

        Raises:
            StoreError: it is not written; what was to be noted must not be done or shown.
        """
        with self.transaction() as transaction:
            return transaction.note(actor, verb, subject, detail)

    @contextmanager
    def transaction(self) -> Iterator[AuditTransaction]:
        """Change something of the store, and note it (invariant 5).

        Raises:
            StoreError: nothing of it is written.
        """
        try:
            with self._turn, self._writes.begin() as connection:
                _lock(connection)
                transaction = AuditTransaction(connection, self._append)
                yield transaction
            if transaction.end is not None:
                self._head.advance(transaction.end)
        except (SQLAlchemyError, OSError) as error:
            raise in_words(error, self._writes.url) from error

    def verify(self) -> LogVerdict:
        """Read the whole log, and say where it is not what it was first.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            head, is_readable = self._head.read(), True  # first: what comes meanwhile is behind it
        except ValueError:
            head, is_readable = None, False
        except OSError as error:
            raise in_words(error, self._reads.url) from error
        count, end, seen_head = 0, _NOTHING, head is None
        broken: LogBreak | None = None
        for each in self._entries(select(audit_entry).order_by(audit_entry.c.id)):
            broken = broken or break_at(end, each)
            count, end = count + 1, LogEnd(each.id, each.sha256)
            if head is not None and each.id == head.id:
                seen_head = True
                if each.sha256 != head.sha256:
                    broken = broken or LogBreak(BreakKind.ALTERED, each.id, each.id)
        if broken is None and not seen_head and head is not None:
            broken = LogBreak(BreakKind.CUT_OFF, end.id + 1, head.id)
        if broken is None and (not is_readable or (head is None and count)):
            broken = LogBreak(BreakKind.NO_HEAD, end.id, end.id)
        return LogVerdict(count, broken)

    def search(self, query: AuditQuery, limit: int = PAGE) -> AuditPage:
        """Entries that answer the query, the newest first, `limit` of them at most.

        Raises:
            StoreError: it cannot be read.
        """
        found = list(self._entries(_selected(query).limit(limit + 1)))
        more = found[limit - 1].id if len(found) > limit else None
        return AuditPage(tuple(found[:limit]), more)

    def every(self, query: AuditQuery) -> Iterator[ConsoleEntry]:
        """All entries that answer the query, the newest first, as they are read: for exports.

        Raises:
            StoreError: it cannot be read.
        """
        page = self.search(query, _AT_ONCE)
        yield from page.entries
        while page.more is not None:  # a transaction for each: whoever reads slowly holds up nobody
            page = self.search(replace(query, before=page.more), _AT_ONCE)
            yield from page.entries

    def restored(self, actor: Actor, detail: Mapping[str, Any]) -> None:
        """After a restore: go on from the end that came back, and note what the head had known beyond it.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            head = None
            with suppress(ValueError):
                head = self._head.read()
            with self._reads.connect() as connection, connection.begin():
                end = _last(connection)
            if end == _NOTHING and head is None:
                return  # the console was never used
            lost = max(0, head.id - end.id) if head is not None else 0
            self._head.replace(end if end.id else None)
        except (SQLAlchemyError, OSError) as error:
            raise in_words(error, self._writes.url) from error
        self.note(actor, AuditVerb.RESTORED, "", {**detail, "entries_lost": lost})

    def _append(
        self, connection: Connection, actor: Actor, verb: AuditVerb, subject: str, detail: Mapping[str, Any]
    ) -> ConsoleEntry:
        """One entry, behind the one about a head that is not there (invariants 3 and 4)."""
        time_ms, last = round(self._now() * 1000), _last(connection)
        try:
            head = self._head.read()
        except ValueError:
            head = None
        end = last if head is None else self._end(connection, last, head)
        entries = []
        if head is None and last.id > FIRST_UNDER_WAY:
            entries.append(entry_of(end, time_ms, _THE_LOG, AuditVerb.LOG_END_LOST, "", {"after": last.id}))
            end = LogEnd(entries[0].id, entries[0].sha256)
        entries.append(entry_of(end, time_ms, actor, verb, subject, detail))
        connection.execute(audit_entry.insert(), [asdict(each) for each in entries])
        return entries[-1]

    def _end(self, connection: Connection, last: LogEnd, head: LogEnd) -> LogEnd:
        """What the next entry follows (invariant 3)."""
        if head == last:
            return last
        kept = connection.scalar(select(audit_entry.c.sha256).where(audit_entry.c.id == head.id))
        if kept == head.sha256:
            return last  # a power cut, or another process that has not written its end yet
        return LogEnd(max(last.id, head.id), head.sha256)

    def _entries(self, query: Select[Any]) -> Iterator[ConsoleEntry]:
        try:
            with self._reads.connect() as connection, connection.begin():
                for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
                    yield ConsoleEntry(**row._mapping)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error


def _lock(connection: Connection) -> None:
    """Nobody else appends until this transaction ends; SQLite's began as a writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("lock table audit_entry in exclusive mode"))


def _last(connection: Connection) -> LogEnd:
    columns = audit_entry.c.id, audit_entry.c.sha256
    row = connection.execute(select(*columns).order_by(audit_entry.c.id.desc()).limit(1)).first()
    return LogEnd(row.id, row.sha256) if row is not None else _NOTHING


def _selected(query: AuditQuery) -> Select[Any]:
    columns = audit_entry.c
    found = select(audit_entry).order_by(columns.id.desc())
    if query.since_ms is not None:
        found = found.where(columns.time_ms >= query.since_ms)
    if query.until_ms is not None:
        found = found.where(columns.time_ms < query.until_ms)
    if query.who:
        found = found.where(or_(columns.login == query.who.lower(), _has(columns.name, query.who)))
    if query.verb:
        found = found.where(columns.verb == query.verb)
    for word in query.subject.split():
        found = found.where(_has(columns.subject + " " + columns.detail, word))
    return found if query.before is None else found.where(columns.id < query.before)


def _has(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Whatever the case; SQLite knows that of ASCII only, so the word counts as it is written, too."""
    return or_(
        column.contains(word, autoescape=True), func.lower(column).contains(word.lower(), autoescape=True)
    )
