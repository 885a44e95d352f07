"""Footage that stations send on request, at the shard's worker: kept in pieces, and checked once it is whole.

Invariants
1. The first piece announces the file: its name, its bytes and its hash. What announces another one later, or
   more than may be, ends the request: it has failed, nothing of it is kept, and the log says so once.
2. Of one request no more is kept than it announced, whatever comes and however often.
3. A file is here once all of its bytes have the announced hash; until then nobody is given any of it.
4. The hash is taken a few pieces at a time, between batches: alerts do not wait for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from station.uplink.requests.answer import SentPiece, pieces_in
from station.uplink.requests.order import RequestReason

SPOILED: Final = "spoiled"
"""Why a request failed for which other bytes came: the province's own word."""
NUMBER_OF_OURS: Final = 2**31 - 1
"""Of what the province itself says of a request: no answer counts after it."""
AT_ONCE: Final = 128
"""Pieces of which the hash is taken in one turn: 12 MiB."""
Notice = tuple[str, dict[str, object]]
_ANNOUNCED: Final = text(
    "update request set file_name = :name, file_bytes = :size_bytes, file_sha256 = :sha256 where id = :id"
)
_PIECE: Final = text(
    "insert into request_piece values (:id, :name, :number, :data, :now_ms) on conflict do nothing"
)
_HAVE: Final = text("select count(*) from request_piece where request_id = :id")
_WHOLE: Final = text("update request set whole_ms = :now_ms where id = :id")
_FAILED: Final = text(
    "update request set state = 'failed', reason = :reason, number = :number, whole_ms = null where id = :id"
)
_GONE: Final = text("delete from request_piece where request_id = :id")
_DUE: Final = text(
    "select id, file_bytes, file_sha256 from request where shard = :shard and whole_ms is not null "
    "and complete_ms is null and state <> 'failed' order by whole_ms, id limit 1"
)
_NEXT: Final = text(
    "select data from request_piece where request_id = :id and number >= :number order by number limit :most"
)
_COMPLETE: Final = text("update request set complete_ms = :now_ms where id = :id")


def take_footage_piece(
    connection: Connection, asked: Row[Any], piece: SentPiece, now_ms: int, max_bytes: int
) -> Notice | None:
    """Keep a piece of what was asked for; what the log is to be told, if the request has failed by it."""
    if asked.whole_ms is not None or asked.state in ("refused", "failed"):
        return None  # it comes again, or too late
    file = piece.file
    announced = asked.file_name, asked.file_bytes, asked.file_sha256
    if announced == (None, None, None):
        if file.size_bytes > max_bytes:
            return end_refused(connection, asked.id, RequestReason.TOO_LARGE)
        said = {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}
        connection.execute(_ANNOUNCED, said | {"id": asked.id})
    elif announced != (file.name, file.size_bytes, file.sha256):
        return end_refused(connection, asked.id, SPOILED)
    where = {"id": asked.id, "now_ms": now_ms}
    connection.execute(_PIECE, where | {"name": file.name, "number": piece.number, "data": piece.data})
    if connection.scalar(_HAVE, where) == pieces_in(file.size_bytes):
        connection.execute(_WHOLE, where)
    return None


def end_refused(connection: Connection, request_id: str, reason: str) -> Notice:
    """It has failed by what the station sent; what the log is to be told."""
    connection.execute(_FAILED, {"id": request_id, "reason": str(reason), "number": NUMBER_OF_OURS})
    connection.execute(_GONE, {"id": request_id})
    hint = "look at that commune's station: what it sends is not what it announced, or more than may be"
    return "up_footage_refused", {"request": request_id, "why": str(reason), "hint": hint}


@dataclass(slots=True)
class _Hashing:
    """One file of which the hash is being taken."""

    request_id: str
    number: int = 0
    """Of the piece that is next."""
    digest: Any = field(default_factory=hashlib.sha256)


class FootageCheck:
    """For the thread of one shard's worker; a worker that is started again begins a file anew."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        self._at: _Hashing | None = None

    def turn(self, connection: Connection, now_ms: int) -> list[Notice]:
        """Go on with the oldest file that is whole (invariants 3 and 4); what the log is to be told."""
        due = connection.execute(_DUE, {"shard": self._shard}).first()
        if due is None:
            self._at = None
            return []
        if self._at is None or self._at.request_id != due.id:
            self._at = _Hashing(due.id)
        at, where = self._at, {"id": due.id, "now_ms": now_ms}
        for data in connection.scalars(_NEXT, where | {"number": at.number, "most": AT_ONCE}):
            at.digest.update(bytes(data))
            at.number += 1
        if at.number < pieces_in(due.file_bytes):
            return []
        self._at = None
        if at.digest.hexdigest() != due.file_sha256:
            return [end_refused(connection, due.id, SPOILED)]
        connection.execute(_COMPLETE, where)
        return []
