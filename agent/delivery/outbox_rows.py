"""What the outbox asks its file: rows to Stored and back out. Each function runs under the outbox's lock.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from agent.core.types import Instant
from agent.delivery.message import Message, Priority, Stored

_READ: Final = """
    select topic, body, content_type, priority, at_mono_s, at_wall_s, event_id, revision, opens, closes, sha256,
           put_mono_s, put_wall_s, boot
    from message where seq = ?"""
_COPIED: Final = (
    "seq, priority, cost_bytes, boot, put_mono_s, put_wall_s, at_mono_s, at_wall_s, topic, content_type,"
    " event_id, revision, opens, closes, sha256, body"
)


def in_order(
    db: sqlite3.Connection, live: int, limit: int, skip: Container[int], priorities: Iterable[Priority]
) -> list[int]:
    """Up to `limit` seqs in the order of invariant 5, from the index alone; `live` is the first live seq."""
    found: list[int] = []
    for priority in sorted(priorities):
        for first, last in ((live, 1 << 62), (0, live - 1)):
            rows = db.execute(
                "select seq from message where priority = ? and seq between ? and ? order by seq",
                (int(priority), first, last),
            )
            for (seq,) in rows:
                if len(found) >= limit:
                    break
                if seq not in skip:
                    found.append(seq)
            rows.close()
    return found


def read(db: sqlite3.Connection, seq: int, boot: int) -> Stored:
    """One message that waits. `mono_s` of another boot is minus infinity: before everything of this one."""
    topic, body, kind, priority, at_mono, at_wall, event, revision, opens, closes, sha256, mono, wall, of = (
        db.execute(_READ, (seq,)).fetchone()
    )
    if of != boot:
        at_mono = mono = -math.inf
    message = Message(
        topic=topic,
        body=body,
        content_type=kind,
        priority=Priority(priority),
        at=Instant(at_mono, at_wall),
        event_id=event,
        revision=revision,
        opens=bool(opens),
        closes=bool(closes),
    )
    return Stored(seq, message, sha256.hex(), Instant(mono, wall))


def waits(db: sqlite3.Connection, seq: int) -> bool:
    """Whether it lies among the messages, not in the quarantine and not gone."""
    return db.execute("select 1 from message where seq = ?", (seq,)).fetchone() is not None


def open_events(db: sqlite3.Connection) -> list[Message]:
    """The latest message of each event that is open, in the order of their times."""
    rows = db.execute(
        "select topic, body, content_type, priority, at_mono_s, at_wall_s, event_id, revision"
        " from open_event order by at_wall_s, event_id"
    )
    return [
        Message(topic, body, kind, Priority(priority), Instant(mono, wall), event, revision, opens=True)
        for topic, body, kind, priority, mono, wall, event, revision in rows
    ]


@dataclass(slots=True)
class Forgotten:
    """What a receipt has removed."""

    sent: int = 0
    quarantined: int = 0
    cost_bytes: int = 0


def forget(db: sqlite3.Connection, ranges: list[tuple[int, int]]) -> Forgotten:
    """Invariants 3 and 11: committed messages leave, wherever they lie."""
    gone = Forgotten()
    where = "where seq between ? and ? returning cost_bytes"
    for bounds in ranges:
        for (cost,) in db.execute(f"delete from message {where}", bounds):  # noqa: S608
            gone.sent += 1
            gone.cost_bytes += cost
        for (cost,) in db.execute(f"delete from quarantine {where}", bounds):  # noqa: S608
            gone.quarantined += 1
            gone.cost_bytes += cost
    return gone


def set_apart(db: sqlite3.Connection, seq: int, reason: str) -> bool:
    """Move one message to the quarantine; False if it waits no more."""
    moved = db.execute(
        f"insert into quarantine ({_COPIED}, reason) select {_COPIED}, ? from message where seq = ?",  # noqa: S608
        (reason, seq),
    ).rowcount
    db.execute("delete from message where seq = ?", (seq,))
    return moved > 0


def oldest_seq(db: sqlite3.Connection) -> int | None:
    """The lowest seq that has no receipt."""
    row = db.execute(
        "select min(seq) from (select min(seq) as seq from message union all select min(seq) from quarantine)"
    ).fetchone()
    return None if row[0] is None else int(row[0])


def oldest_s(db: sqlite3.Connection, boot: int, now: Instant) -> float | None:
    """Age of the oldest that waits; over a reboot only the wall clock can tell, as well as it can."""
    row = db.execute("select boot, put_mono_s, put_wall_s from message order by seq limit 1").fetchone()
    if row is None:
        return None
    age_s: float = now.mono_s - row[1] if row[0] == boot else now.wall_s - row[2]
    return max(0.0, age_s)
