"""The audit logs of the boxes, as the store holds them: read, and held against each other and the acks.

A box sends each line of its log, and with each ack number and hash of the line that is about it. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.translatable import tr
from agent.wire.audit_log import AuditEntry, AuditFault, AuditFinding, check, entry
from agent.wire.codec import parse
from agent.wire.payloads import AckBody, AuditBody
from station.ingest.inbound import MessageKind
from station.store.database import in_words
from station.store.schema import box, other_message

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class BoxLog:
    """The log of one box, each line once, in the order in which they came."""

    box: str
    """commune/device."""
    entries: tuple[AuditEntry, ...]
    findings: tuple[AuditFinding, ...]


def logs(engine: Engine, devices: Iterable[str] = ()) -> Iterator[BoxLog]:
    """Of each box that has sent lines or acks; of these only, if any are named.

    Raises:
        StoreError: the store cannot be read.
    """
    wanted = frozenset(devices)
    try:
        with engine.connect() as connection, connection.begin():
            for one in connection.execute(select(box).order_by(box.c.commune, box.c.device)).all():
                if not wanted or one.device in wanted:
                    yield log_of(connection, one.id, f"{one.commune}/{one.device}")
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def log_of(connection: Connection, box_id: int, name: str) -> BoxLog:
    """The log of the box with this row."""
    came: list[AuditEntry] = []
    acks: list[tuple[int, str]] = []
    query = select(other_message.c.kind, other_message.c.body).where(
        other_message.c.box_id == box_id,
        other_message.c.kind.in_([str(MessageKind.AUDIT), str(MessageKind.ACK)]),
    )
    query = query.order_by(other_message.c.stream_id, other_message.c.seq)
    for kind, body in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        with suppress(WireError):  # altered in the store: the proof names it
            if kind == str(MessageKind.AUDIT):
                came += _entries(parse(AuditBody, body.encode()))
            else:
                acks += _named(parse(AckBody, body.encode()))
    once = {line.sha256: line for line in came}
    return BoxLog(name, tuple(once.values()), tuple(check(came, acks)))


def finding_line(name: str, found: AuditFinding) -> str:
    """What is wrong, in a line."""
    lines = str(found.first) if found.first == found.last else f"{found.first}-{found.last}"
    if found.fault is AuditFault.ANEW:
        return tr("{box} audit log: began again at line 1: another card, or somebody deleted it", box=name)
    if found.fault is AuditFault.MISSING:
        return tr("{box} audit log: missing: {lines}", box=name, lines=lines)
    return tr("{box} audit log: not what it was: {lines}", box=name, lines=lines)


def _entries(body: AuditBody) -> Iterator[AuditEntry]:
    for text in body.lines:
        with suppress(WireError):  # then the next line has none before it, which is found
            yield entry(text)


def _named(ack: AckBody) -> Iterator[tuple[int, str]]:
    n, digest = ack.result.get("audit"), ack.result.get("audit_sha256")
    if isinstance(n, int) and isinstance(digest, str):
        yield n, digest
