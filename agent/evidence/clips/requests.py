"""Requests for footage on disk, so that each is answered whenever the box dies.

Invariants
1. A request that was noted is answered: sent whole, refused, failed or released. What a life left goes on.
2. A request is noted once by its id.
3. The files of a package are fixed when it is cut: the same piece of the same file is the same bytes for ever.
4. A piece that was noted as sent is never sent again; one that was sent and not noted is sent twice, and harms
   nothing, for its name and its bytes are the same.
5. A word for the station stays until the outbox has it; it may then come twice.
6. A damaged file is set aside, and told; the station's requests are then asked for anew.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from agent.errors import FootageError
from agent.evidence.clips import database
from agent.evidence.clips.files import Package, PackageFile, file_at, place_json
from agent.translatable import tr
from agent.wire.ranges import Ranges

log = structlog.get_logger(__name__)
T = TypeVar("T")

KEPT: Final = 500
"""Requests that are over, hold nothing, and are still remembered."""
MOST_OPEN: Final = 50
"""Requests that wait or are being sent; who asks for more asks again later."""

_COLUMNS: Final = (
    "id, camera, from_s, to_s, case_number, purpose, officer, issuer, asked_s, command_sha256, audit_line"
)


class ClipState(StrEnum):
    """How far a request has come; the words of the wire."""

    REQUESTED = "requested"
    """NotedClip and held; not all of it is there yet."""
    SENDING = "sending"
    COMPLETE = "complete"
    REFUSED = "refused"
    FAILED = "failed"
    RELEASED = "released"


OPEN: Final = (ClipState.REQUESTED, ClipState.SENDING)
NOT_HELD: Final = (ClipState.REFUSED, ClipState.RELEASED)
"""In all other states the range of a request is held."""


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """What was asked for, by whom and why."""

    id: str
    camera: str
    """Empty: frames for training, of all cameras."""
    from_s: float
    """Wall time, seconds since 1970."""
    to_s: float
    case_number: str
    """Empty: of frames for training there is none."""
    purpose: str
    officer: str
    issuer: str
    asked_s: float
    command_sha256: str | None = None
    """Of the command as it came; None: it was asked for at the box itself."""
    audit_line: int | None = None
    """Of the box's audit log, in which it stands."""


@dataclass(frozen=True, slots=True)
class NotedClip:
    """A request, and how far it has come."""

    request: ClipRequest
    state: ClipState
    detail: str | None
    announced: str
    """The state that the outbox has a word of; empty: none."""
    sent: Ranges
    """Numbers of the pieces that the station has receipted."""
    bytes: int | None = None
    """Of its package, once it is cut."""
    parts: int | None = None
    """Pieces of it."""


class ClipRequests:
    """One file; every method may be called from any thread.

    Raises:
        FootageError: the file cannot be opened, or a method could not read or write: then nothing has changed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        try:
            try:
                self._db = database.connect(path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:  # invariant 6
                database.set_aside(path)
                self._db = database.connect(path)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def note(self, request: ClipRequest, files: Sequence[PackageFile] = ()) -> NotedClip | None:
        """Note a request (invariants 1 and 2); what is known of its id if it was noted before.

        `files` are those of which its package is to be made, where that is known already.

        Raises:
            FootageError: too many wait, or it cannot be written.
        """

        def work() -> NotedClip | None:
            found = self._find(request.id)
            if found is not None:
                return found
            (waiting,) = self._db.execute("select count(*) from request where state in (?, ?)", OPEN).fetchone()
            if waiting >= MOST_OPEN:
                raise FootageError(
                    tr("{waiting} clips wait to be sent", waiting=waiting), tr("ask again when some are there")
                )
            row = [getattr(request, name.strip()) for name in _COLUMNS.split(",")]
            marks = ", ".join("?" * len(row))
            self._db.execute(
                f"insert into request ({_COLUMNS}, state) values ({marks}, ?)",  # noqa: S608 – names of our own
                (*row, ClipState.REQUESTED),
            )
            self._list(request.id, files)
            self._forget_old()
            return None

        return self._transact(work)

    def cut(self, request_id: str, files: Sequence[PackageFile]) -> bool:
        """Its package is fixed (invariant 3): from now on it is being sent; False: nobody wants it any more."""
        package = Package(tuple(files))

        def work() -> bool:
            changed = self._db.execute(
                "update request set state = ?, detail = null, sent = '[]', bytes = ?, parts = ?"
                " where id = ? and state = ?",
                (ClipState.SENDING, package.size_bytes, package.parts, request_id, ClipState.REQUESTED),
            )
            if not changed.rowcount:  # released while it was cut
                return False
            self._db.execute("delete from file where request = ?", (request_id,))
            self._list(request_id, files)
            return True

        return self._transact(work)

    def lose(self, request_id: str, name: str) -> None:
        """A file of its package lies nowhere any more: it is `gone` from now on."""
        self._transact(
            lambda: self._db.execute(
                "update file set body = null, stored = null where request = ? and name = ?", (request_id, name)
            )
        )

    def note_sent(self, request_id: str, sent: Ranges) -> None:
        """The station has receipted these pieces (invariant 4)."""
        listed = json.dumps(list(sent))
        self._transact(
            lambda: self._db.execute("update request set sent = ? where id = ?", (listed, request_id))
        )

    def end(self, request_id: str, state: ClipState, detail: str | None = None) -> bool:
        """It is over, or it waits for `detail`; whether it was still open. What it was to send is forgotten."""

        def work() -> bool:
            changed = self._db.execute(
                "update request set state = ?, detail = ? where id = ? and state in (?, ?)",
                (state, detail, request_id, *OPEN),
            )
            if changed.rowcount and state not in OPEN:
                self._db.execute("delete from file where request = ?", (request_id,))
            return changed.rowcount > 0

        return self._transact(work)

    def release(self, request_id: str, detail: str) -> NotedClip | None:
        """Nobody wants it any more; how it stood before, None: it is not known."""

        def work() -> NotedClip | None:
            found = self._find(request_id)
            if found is not None:
                self._db.execute(
                    "update request set state = ?, detail = ? where id = ?",
                    (ClipState.RELEASED, detail, request_id),
                )
                self._db.execute("delete from file where request = ?", (request_id,))
            return found

        return self._transact(work)

    def tell(self, request_id: str, state: ClipState) -> None:
        """The outbox has a word of this state (invariant 5)."""
        self._transact(
            lambda: self._db.execute("update request set announced = ? where id = ?", (state, request_id))
        )

    # -------------------------------------------------------------------------------------------- what is there

    def find(self, request_id: str) -> NotedClip | None:
        """What is known of a request."""
        return self._read(lambda: self._find(request_id))

    def open(self) -> list[NotedClip]:
        """Those that wait or are being sent, in the order in which they were asked for."""
        return self._read(lambda: self._rows("where state in (?, ?) order by asked_s, rowid", *OPEN))

    def unannounced(self) -> list[NotedClip]:
        """Those of whose state the outbox has no word yet."""
        return self._read(lambda: self._rows("where announced != state order by asked_s, rowid"))

    def held(self) -> list[NotedClip]:
        """Those whose range is to be held: all that were not refused and not released."""
        return self._read(lambda: self._rows("where state not in (?, ?) order by asked_s, rowid", *NOT_HELD))

    def package(self, request_id: str) -> Package:
        """The files of a request that is being sent."""
        query = "select name, bytes, body, stored from file where request = ? order by place"

        def work() -> Package:
            rows = self._db.execute(query, (request_id,))
            return Package(tuple(file_at(*row) for row in rows))

        return self._read(work)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    # ----------------------------------------------------------------------------------------------- the inside

    def _find(self, request_id: str) -> NotedClip | None:
        return next(iter(self._rows("where id = ?", request_id)), None)

    def _rows(self, which: str, *given: object) -> list[NotedClip]:
        query = f"select {_COLUMNS}, state, detail, announced, sent, bytes, parts from request {which}"  # noqa: S608 – words of our own
        return [_noted(row) for row in self._db.execute(query, given)]

    def _list(self, request_id: str, files: Sequence[PackageFile]) -> None:
        self._db.executemany(
            "insert into file values (?, ?, ?, ?, ?, ?)",
            [
                (request_id, place, file.name, file.size_bytes, file.body, place_json(file))
                for place, file in enumerate(files)
            ],
        )

    def _forget_old(self) -> None:
        """What is over, told, and holds nothing; what holds footage must be there to be released."""
        rows = self._db.execute(
            "select id from request where state in (?, ?) and announced = state"
            " order by asked_s desc limit -1 offset ?",
            (*NOT_HELD, KEPT),
        )
        old = rows.fetchall()
        self._db.executemany("delete from file where request = ?", old)  # of a version that left some behind
        self._db.executemany("delete from request where id = ?", old)

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

    def _read(self, work: Callable[[], T]) -> T:
        with self._lock:
            try:
                return work()
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> FootageError:
        return FootageError(
            tr("requests for clips {path}: {error}", path=self._path, error=error),
            tr("look at the disk: full, read-only, or dying?"),
        )


def _noted(row: Sequence[Any]) -> NotedClip:
    *request, state, detail, announced, sent, size, parts = row
    ranges = Ranges((first, last) for first, last in json.loads(sent))
    return NotedClip(ClipRequest(*request), ClipState(state), detail, announced, ranges, size, parts)
