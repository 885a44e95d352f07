"""What the records of retention say of messages whose content is not there, as far as they can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from agent.wire.topics import read as read_topic
from station.ingest.inbound import MessageKind
from station.store.schema import deletion, message, stream


@dataclass(frozen=True, slots=True)
class DeletedContents:
    """What went of one box."""

    records: frozenset[int]
    """Those that are believed."""
    digests: frozenset[str]
    """Of messages that name one: the same content may have come under another number, too."""
    packages: frozenset[str]
    """Requests for footage whose package went."""

    def name(self, row: Row[Any]) -> bool:
        """Whether the content of this message is said to have gone."""
        if row.deletion_id in self.records or row.digest in self.digests:
            return True
        if row.kind != MessageKind.CHUNK:
            return False
        return read_topic("box", row.suffix)[1].get("request_id") in self.packages


@dataclass(frozen=True, slots=True)
class DeletionRecords:
    """All records of a store."""

    believed: frozenset[int]
    packages: frozenset[str]
    """Box and request."""

    def of_box(self, connection: Connection, box_id: int, device: str) -> DeletedContents:
        """What they say of one box."""
        query = (
            select(message.c.digest, message.c.deletion_id)
            .join(stream, stream.c.id == message.c.stream_id)
            .where(stream.c.box_id == box_id, message.c.deletion_id.is_not(None))
        )
        rows = connection.execute(query.execution_options(yield_per=1_000))
        digests = frozenset(row.digest for row in rows if row.deletion_id in self.believed)
        start = f"{device}/"
        packages = frozenset(name.removeprefix(start) for name in self.packages if name.startswith(start))
        return DeletedContents(self.believed, digests, packages)


def deletion_records(connection: Connection) -> DeletionRecords:
    """Those that count as many messages as name them."""
    named = select(message.c.deletion_id, func.count()).where(message.c.deletion_id.is_not(None))
    counts = {row[0]: row[1] for row in connection.execute(named.group_by(message.c.deletion_id))}
    rows = connection.execute(select(deletion.c.id, deletion.c.messages, deletion.c.subject)).all()
    believed = frozenset(row.id for row in rows if row.messages == counts.get(row.id, 0))
    return DeletionRecords(believed, frozenset(row.subject for row in rows if row.subject))
