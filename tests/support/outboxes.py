"""Messages for an outbox, and what disks do to its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.core.types import Instant
from agent.outbox.degraded import OutboxSettings
from agent.wire.message import Message, Priority
from agent.wire.payloads import PROOF_DIGITS

SMALL = OutboxSettings(max_bytes=1 << 20, ballast_bytes=0)


def message(
    event: str | None = "e1",
    revision: int = 1,
    *,
    priority: Priority = Priority.EVENT,
    body: bytes = b'{"a":1}',
    opens: bool = False,
    closes: bool = False,
) -> Message:
    picture = priority in (Priority.ALERT_IMAGE, Priority.IMAGE)
    return Message(
        topic=f"camera/north/image/{event}/thumbnail" if picture else "camera/north/event",
        body=body,
        content_type="image/jpeg" if picture else "application/json",
        priority=priority,
        at=Instant(999.0, 1_769_999_999.0),
        event_id=event,
        revision=revision,
        opens=opens,
        closes=closes,
    )


def start(event: str, body: bytes = b'{"phase":"start"}') -> Message:
    return message(event, 1, body=body, opens=True)


def update(event: str, revision: int) -> Message:
    return message(event, revision, priority=Priority.UPDATE, body=b'{"r":%d}' % revision, opens=True)


def end(event: str, revision: int) -> Message:
    return message(event, revision, body=b'{"phase":"end"}', closes=True)


def proofs(outbox: Path | sqlite3.Connection, *ranges: tuple[int, int]) -> list[tuple[int, str]]:
    """What a station that has committed these ranges of seq tells of them."""
    if isinstance(outbox, Path):
        with closing(sqlite3.connect(outbox)) as db:
            return proofs(db, *ranges)
    return [
        (seq, sha256.hex()[:PROOF_DIGITS])
        for bounds in ranges
        for seq, sha256 in outbox.execute(
            "select * from (select seq, sha256 from message union all select seq, sha256 from quarantine)"
            " where seq between ? and ? order by seq",
            bounds,
        )
    ]


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """The file takes no message, as one on a dying disk; what may be in memory meanwhile stays there."""
    refuse = "create trigger refuse before insert on message begin select raise(abort, 'refused'); end"
    with closing(sqlite3.connect(path)) as other:
        other.execute(refuse)
        other.commit()
        yield
        other.execute("drop trigger refuse")
        other.commit()


def by_hand(path: Path, *statements: str) -> None:
    """What another program does to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement).fetchall()
