"""Requests of the province that were taken, how far each is, and what was said of it: a file of their own.

Invariants
1. When a method returns, what it writes is on the disk; when it raises, none of it is.
2. A request is taken once by its id. It is forgotten only after it has expired, so what is sent again is known
   or late. Losing this file costs repetitions: what was asked is read and sent once more, and stands in the
   audit log once more; nothing is changed by any request.
3. An answer is noted as handed only after it is in the outbox: until then it is due.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from station.uplink.book import fault, open_book
from station.uplink.requests.answer import RequestAnswer, SentFile
from station.uplink.requests.order import ARGS, ProvinceRequest, RequestKind, RequestReason, RequestState

VERSION: Final = 1
DAY_MS: Final = 86_400_000
AGAIN_MS: Final = 60_000
"""Who asks again is answered again, so often at most."""
KEPT_MS: Final = 8 * DAY_MS
"""Longer than any request lives."""
HEARD: Final = "heard"
"""Taken, and not judged yet."""
_TABLES: Final = """
create table life (outbox text not null) strict;
create table request (
    id text primary key, kind text not null, args text not null, issuer text not null, purpose text not null,
    issued_ms integer not null, expires_ms integer not null, sha256 text not null, heard_ms integer not null,
    state text not null, reason text, at_ms integer not null, files text not null, counts text not null,
    number integer not null, handed integer not null, handed_ms integer not null, mark text not null,
    nth integer not null
) strict, without rowid;
create table used (day integer primary key, requests integer not null, size_bytes integer not null) strict;
"""
_COLUMNS: Final = "id, kind, args, issuer, purpose, issued_ms, expires_ms, sha256, state, mark, nth"

Taken = Literal["new", "again", "other", "full"]


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One that is to be judged or is under way."""

    request: ProvinceRequest
    state: str
    """HEARD or accepted."""
    mark: str
    """How far it is, in the words of who does it; empty: at its beginning."""
    nth: int
    """Of those that came on its day, from 1."""


@dataclass(frozen=True, slots=True)
class DayUse:
    """What was asked, and sent for it, on a day of UTC."""

    requests: int
    size_bytes: int


class RequestJournal:
    """The file; for the thread that hears and the one that does.

    Raises:
        StoreError: it cannot be opened or made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._outbox: str | None = None
        try:
            self._db = open_book(path, _TABLES, VERSION, "requests_damaged")
        except sqlite3.Error as error:
            raise fault(path, error) from error

    def take(self, request: ProvinceRequest, now_ms: int, most: int) -> Taken:
        """Note one that has come, unless `most` of today are noted already.

        Raises:
            StoreError: it cannot be noted.
        """
        with self._transaction() as db:
            known = db.execute("select sha256, handed_ms from request where id = ?", (request.id,)).fetchone()
            if known is not None:
                if known[0] != request.sha256:
                    return "other"
                if now_ms - known[1] >= AGAIN_MS:
                    db.execute("update request set handed = 0 where id = ?", (request.id,))
                return "again"
            before = self._used(now_ms).requests
            if before >= most:
                return "full"
            args = "" if request.args is None else request.args.model_dump_json()
            db.execute("delete from request where heard_ms < ?", (now_ms - KEPT_MS,))
            db.execute("delete from used where day < ?", (now_ms // DAY_MS - 1,))
            db.execute(
                f"insert into request values ({', '.join('?' * 19)})",  # noqa: S608
                (
                    request.id, request.kind, args, request.issuer, request.purpose, request.issued_ms,
                    request.expires_ms, request.sha256, now_ms, HEARD, None, now_ms, "[]", "{}", 0, 0, 0, "",
                    before + 1,
                ),
            )  # fmt: skip
            _use(db, now_ms, requests=1)
            return "new"

    def open(self) -> list[OpenRequest]:
        """Those that are to be judged or are under way, the oldest first.

        Raises:
            StoreError: the file cannot be read.
        """
        query = f"select {_COLUMNS} from request where state in (?, ?) order by heard_ms, id"  # noqa: S608
        with self._transaction() as db:
            return [_open(row) for row in db.execute(query, (HEARD, RequestState.ACCEPTED))]

    def judge(self, request_id: str, reason: RequestReason | None, now_ms: int) -> None:
        """It is accepted, or refused for a reason: the first answer.

        Raises:
            StoreError: it cannot be noted.
        """
        state = RequestState.ACCEPTED if reason is None else RequestState.REFUSED
        with self._transaction() as db:
            db.execute(
                "update request set state = ?, reason = ?, at_ms = ?, number = 1 where id = ? and state = ?",
                (state, reason, now_ms, request_id, HEARD),
            )

    def wait(self, request_id: str, reason: RequestReason, now_ms: int) -> None:
        """It is accepted and cannot be done yet: an answer more, where the reason is another one than before.

        Raises:
            StoreError: it cannot be noted.
        """
        with self._transaction() as db:
            db.execute(
                "update request set reason = ?, at_ms = ?, number = number + 1 "
                "where id = ? and state = ? and reason is not ?",
                (reason, now_ms, request_id, RequestState.ACCEPTED, reason),
            )

    def advance(self, request_id: str, mark: str, size_bytes: int, now_ms: int) -> None:
        """A part of what it brings is in the outbox.

        Raises:
            StoreError: it cannot be noted.
        """
        with self._transaction() as db:
            db.execute("update request set mark = ? where id = ?", (mark, request_id))
            _use(db, now_ms, size_bytes=size_bytes)

    def end(
        self,
        request_id: str,
        reason: RequestReason | None,
        now_ms: int,
        files: Sequence[SentFile] = (),
        counts: dict[str, int] | None = None,
    ) -> None:
        """All of it is in the outbox, or it failed for a reason: the last answer.

        Raises:
            StoreError: it cannot be noted.
        """
        state = RequestState.DONE if reason is None else RequestState.FAILED
        listed = json.dumps([[each.name, each.size_bytes, each.sha256] for each in files])
        with self._transaction() as db:
            db.execute(
                "update request set state = ?, reason = ?, at_ms = ?, files = ?, counts = ?, "
                "number = number + 1 where id = ? and state = ?",
                (state, reason, now_ms, listed, json.dumps(counts or {}), request_id, RequestState.ACCEPTED),
            )

    def due(self, limit: int = 100) -> list[RequestAnswer]:
        """Answers that are not in the outbox yet.

        Raises:
            StoreError: the file cannot be read.
        """
        query = (
            "select id, sha256, number, state, reason, at_ms, files, counts from request "
            "where number > handed order by at_ms limit ?"
        )
        with self._transaction() as db:
            return [
                RequestAnswer(
                    request_id,
                    sha256,
                    number,
                    RequestState(state),
                    reason,
                    at_ms,
                    _files(files),
                    json.loads(counts),
                )
                for request_id, sha256, number, state, reason, at_ms, files, counts in db.execute(
                    query, (limit,)
                )
            ]

    def handed(self, answers: Sequence[RequestAnswer], now_ms: int) -> None:
        """These are in the outbox (invariant 3).

        Raises:
            StoreError: it cannot be noted.
        """
        rows = [(each.number, now_ms, each.id, each.number) for each in answers]
        with self._transaction() as db:
            db.executemany("update request set handed = ?, handed_ms = ? where id = ? and number >= ?", rows)

    def belong_to(self, outbox: str) -> None:
        """The life of the outbox to which it is handed.

        Where that is another one than before, what was answered and what was sent goes once more.

        Raises:
            StoreError: it cannot be noted.
        """
        if outbox == self._outbox:
            return
        with self._transaction() as db:
            before = db.execute("select outbox from life").fetchone()
            if before is not None and before[0] != outbox:
                db.execute("update request set handed = 0, mark = ''")
                again = RequestState.ACCEPTED, RequestState.DONE
                db.execute("update request set state = ?, reason = null where state = ?", again)
            db.execute("delete from life")
            db.execute("insert into life values (?)", (outbox,))
        self._outbox = outbox

    def used(self, now_ms: int) -> DayUse:
        """What was used today.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._transaction():
            return self._used(now_ms)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _used(self, now_ms: int) -> DayUse:
        query = "select requests, size_bytes from used where day = ?"
        row = self._db.execute(query, (now_ms // DAY_MS,)).fetchone()
        return DayUse(*row) if row else DayUse(0, 0)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            try:
                self._db.execute("begin immediate")
                yield self._db
                self._db.execute("commit")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    self._db.execute("rollback")
                if isinstance(error, sqlite3.Error):
                    raise fault(self._path, error) from error
                raise


def _use(db: sqlite3.Connection, now_ms: int, *, requests: int = 0, size_bytes: int = 0) -> None:
    db.execute(
        "insert into used values (?, ?, ?) on conflict (day) do update set "
        "requests = requests + excluded.requests, size_bytes = size_bytes + excluded.size_bytes",
        (now_ms // DAY_MS, requests, size_bytes),
    )


def _open(row: Sequence[Any]) -> OpenRequest:
    request_id, kind, args, issuer, purpose, issued_ms, expires_ms, sha256, state, mark, nth = row
    model = ARGS.get(RequestKind(kind)) if kind in tuple(RequestKind) and args else None
    read = None if model is None else model.model_validate_json(args)
    request = ProvinceRequest(request_id, kind, read, issuer, purpose, issued_ms, expires_ms, sha256)
    return OpenRequest(request, state, mark, nth)


def _files(listed: str) -> tuple[SentFile, ...]:
    return tuple(SentFile(*each) for each in json.loads(listed))
