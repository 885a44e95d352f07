"""What stations answer to requests, into the province's tables; within the transaction of a batch.

Invariants
1. An answer or a piece counts only if it is of the commune that was asked; an answer only if it names the
   request as it was sent, a piece only if it is of the picture that was asked for. Anything else is let go, and
   the log says so.
2. A picture is shown only once all of it is here, its hash is the one that was asked for, and it is one whole
   JPEG. Anything else is let go, and the request has failed.
Footage has invariants of its own (footage.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from station.ingest.jpeg import fault
from station.province.requests.footage import NUMBER_OF_OURS, SPOILED, Notice, take_footage_piece
from station.uplink.requests.answer import RequestAnswer, SentPiece, pieces_in
from station.uplink.requests.order import RequestKind

PICTURE: Final = "picture.jpg"
"""What a station calls it: under one name no more comes than is asked for."""
MAX_PICTURE_BYTES: Final = 2**24
_ANSWER: Final = text(
    "update request set state = :state, number = :number, reason = :reason, said_ms = :said_ms, "
    "heard_ms = :now_ms, files = :files, counts = :counts "
    "where id = :id and commune_id = :commune_id and sha256 = :sha256 and number < :number"
)
_KNOWN: Final = text("select id from request where id = :id and commune_id = :commune_id and sha256 = :sha256")
_ASKED: Final = text(
    "select id, kind, state, wanted_sha256, complete_ms, whole_ms, file_name, file_bytes, file_sha256 "
    "from request "
    "where id = :id and commune_id = :commune_id for update"
)
_PIECE: Final = text(
    "insert into request_piece values (:id, :name, :number, :data, :now_ms) on conflict do nothing"
)
_HAVE: Final = text("select count(*) from request_piece where request_id = :id and name = :name")
_READ: Final = text("select data from request_piece where request_id = :id and name = :name order by number")
_GONE: Final = text("delete from request_piece where request_id = :id")
_PICTURE: Final = text(
    "insert into picture values (:sha256, :commune_id, :size_bytes, :data, :now_ms) "
    "on conflict (sha256, commune_id) do update set received_ms = excluded.received_ms"
)
_COMPLETE: Final = text("update request set complete_ms = :now_ms where id = :id")
_SPOILED: Final = text("update request set state = 'failed', reason = :reason, number = :number where id = :id")


@dataclass
class TakenPieces:
    """What became of some pieces that is to be told."""

    strange: list[SentPiece] = field(default_factory=list)
    """Nobody has asked for these."""
    notices: list[Notice] = field(default_factory=list)


def take_answers(
    connection: Connection, answers: Iterable[tuple[int, RequestAnswer]], now_ms: int
) -> list[RequestAnswer]:
    """Note these of communes, by their ids; which of them nobody has asked for."""
    strange = []
    for commune_id, answer in sorted(answers, key=lambda each: (each[1].id, each[1].number)):
        files = [[each.name, each.size_bytes, each.sha256] for each in answer.files]
        said = {
            "id": answer.id, "commune_id": commune_id, "sha256": answer.sha256, "state": str(answer.state),
            "number": answer.number, "reason": answer.reason, "said_ms": answer.at_ms, "now_ms": now_ms,
            "files": json.dumps(files), "counts": json.dumps(answer.counts),
        }  # fmt: skip
        known = connection.execute(_ANSWER, said).rowcount or connection.execute(_KNOWN, said).first()
        if not known:
            strange.append(answer)
    return strange


def take_pieces(
    connection: Connection, pieces: Sequence[tuple[int, SentPiece]], now_ms: int, max_footage_bytes: int
) -> TakenPieces:
    """Keep these of communes, by their ids, and put together what is whole; what is to be told."""
    taken, touched = TakenPieces(), dict[tuple[int, str, str], SentPiece]()
    for commune_id, piece in sorted(pieces, key=lambda each: (each[1].request_id, each[1].number)):
        where = {"id": piece.request_id, "commune_id": commune_id}
        asked = connection.execute(_ASKED, where).first()
        if asked is not None and asked.kind == RequestKind.FOOTAGE:
            notice = take_footage_piece(connection, asked, piece, now_ms, max_footage_bytes)
            taken.notices += [] if notice is None else [notice]
        elif asked is None or not _fits(asked, piece):
            taken.strange.append(piece)
        elif asked.complete_ms is None:
            row = where | {"name": piece.file.name, "number": piece.number, "data": piece.data}
            connection.execute(_PIECE, row | {"now_ms": now_ms})
            touched[commune_id, piece.request_id, piece.file.name] = piece
    for (commune_id, _, _), piece in touched.items():
        _put_together(connection, commune_id, piece, now_ms)
    return taken


def _fits(asked: Row[Any], piece: SentPiece) -> bool:
    return (
        asked.kind == RequestKind.PICTURE
        and piece.file.name == PICTURE
        and piece.file.sha256 == asked.wanted_sha256
        and piece.file.size_bytes <= MAX_PICTURE_BYTES
    )


def _put_together(connection: Connection, commune_id: int, piece: SentPiece, now_ms: int) -> None:
    """Invariant 2."""
    file, where = piece.file, {"id": piece.request_id, "name": piece.file.name}
    if connection.scalar(_HAVE, where) != pieces_in(file.size_bytes):
        return
    data = b"".join(bytes(each) for each in connection.scalars(_READ, where))
    connection.execute(_GONE, where)
    if sha256(data).hexdigest() != file.sha256 or fault(data) is not None:
        connection.execute(_SPOILED, where | {"reason": SPOILED, "number": NUMBER_OF_OURS})
        return
    row = {"sha256": file.sha256, "commune_id": commune_id, "size_bytes": len(data), "data": data}
    connection.execute(_PICTURE, row | {"now_ms": now_ms})
    connection.execute(_COMPLETE, where | {"now_ms": now_ms})
