"""A picture of an event, for the province: only one that a message of this event names."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from agent.wire.message import Priority
from station.store.blobs import BLOBS
from station.store.columns import kept_suffix
from station.store.database import in_words
from station.store.pictures.rows import KeptPictures
from station.store.schema import box, event_revision, message, message_is_picture
from station.uplink.requests.answer import file_of, piece_items
from station.uplink.requests.effect import RequestPart
from station.uplink.requests.order import PictureArgs, ProvinceRequest, RequestReason

FILE: Final = "picture.jpg"
_MOST_REVISIONS: Final = 1_000


class PictureEffect:
    """Reads the store and its pictures."""

    priority = Priority.ALERT_IMAGE

    def __init__(self, reads: Engine, state_dir: Path, commune: str, max_bytes: int) -> None:
        self._reads, self._commune, self._max_bytes = reads, commune, max_bytes
        self._pictures = KeptPictures(reads, state_dir / BLOBS)

    def part(self, request: ProvinceRequest, mark: str) -> RequestPart:
        """The picture, whole, or why there is none.

        What its box has not sent yet is waited for.

        Raises:
            StoreError, OSError: the store or the picture cannot be read now.
        """
        args = request.args
        assert isinstance(args, PictureArgs)
        why, is_heard_of = self._looked_for(args)
        if why is not None:
            return RequestPart(is_last=True, reason=why)
        data = self._pictures.read(args.sha256)
        if data is None:
            return RequestPart(is_last=is_heard_of, reason=RequestReason.NOT_KEPT)
        if len(data) > self._max_bytes:
            return RequestPart(is_last=True, reason=RequestReason.TOO_LARGE)
        file = file_of(FILE, data)
        items = list(piece_items(request.id, file, data, args.device))
        return RequestPart(items, size_bytes=len(data), is_last=True, files=[file])

    def _looked_for(self, args: PictureArgs) -> tuple[RequestReason | None, bool]:
        """Why it may not go up, and whether it ever came here."""
        try:
            with self._reads.connect() as connection, connection.begin():
                bodies = list(_bodies(connection, self._commune, args))
                topics = {topic for body in bodies for digest, topic in _named(body) if digest == args.sha256}
                came = _came(connection, topics, args.sha256)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error
        if not bodies:
            return RequestReason.NO_EVENT, came
        return (None if topics else RequestReason.NO_PICTURE), came


def _came(connection: Connection, topics: Collection[str], sha256: str) -> bool:
    """Whether a message under one of these topics, below the device, brought it; that outlives the file."""
    query = (
        select(message.c.seq)
        .where(message_is_picture, message.c.digest == sha256)
        .where(message.c.suffix.in_([kept_suffix(topic) for topic in topics]))
    )
    return connection.scalars(query.limit(1)).first() is not None


def _bodies(connection: Connection, commune: str, args: PictureArgs) -> Iterator[str]:
    query = (
        select(event_revision.c.body)
        .join(box, box.c.id == event_revision.c.box_id)
        .where(box.c.commune == commune, box.c.device == args.device)
        .where(event_revision.c.event_id == args.event_id)
        .order_by(event_revision.c.revision.desc())
        .limit(_MOST_REVISIONS)
    )
    yield from connection.scalars(query)


def _named(body: str) -> Iterator[tuple[str, str]]:
    """Hashes and topics of the pictures that a message names."""
    said = json.loads(body)
    for name in ("image", "scene"):
        if isinstance(found := said.get(name), dict):
            yield str(found.get("sha256")), str(found.get("topic"))
