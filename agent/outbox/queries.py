"""What the outbox asks its file: rows to Stored and back out. Each function runs under the outbox's lock.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import zlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.core.types import Instant
from agent.outbox.database import damage
from agent.outbox.encryption import HEAD_BYTES, LOCKED, OutboxKey, as_put
from agent.wire.message import Message, Priority, Stored

_READ: Final = """
    select topic, body, content_type, priority, at_mono_s, at_wall_s, event_id, revision, opens, closes, sha256,
           crc, put_mono_s, put_wall_s, boot
    from {} where seq = ?"""
_COPIED: Final = (
    "seq, priority, cost_bytes, boot, put_mono_s, put_wall_s, at_mono_s, at_wall_s, topic, content_type,"
    " event_id, revision, opens, closes, sha256, crc, body"
)

_SHA256: Final = """
    select seq, sha256 from message where seq in (select value from json_each(?))
    union all select seq, sha256 from quarantine where seq in (select value from json_each(?))"""
_FORGET: Final = """
    delete from {} where seq in (select value from json_each(?)) returning cost_bytes, priority, topic"""

_LOSE: Final = """
    insert into loss (priority, messages, bytes) values (?, 1, ?)
    on conflict (priority) do update set messages = messages + 1, bytes = bytes + excluded.bytes"""


def checksum(seq: int, message: Message, sha256: object) -> int:
    """CRC-32 of what a row says beside its body, so that a flipped bit is noticed."""
    numbers = struct.pack(
        "<qiqdd??", seq, message.priority, message.revision, message.at.mono_s, message.at.wall_s,
        message.opens, message.closes,
    )  # fmt: skip
    words = "\0".join((message.topic, message.content_type, message.event_id or ""))
    return zlib.crc32(sha256 if isinstance(sha256, bytes) else b"", zlib.crc32(numbers + words.encode()))


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


def read(
    db: sqlite3.Connection,
    seq: int,
    boot: int,
    stream: str,
    table: str = "message",
    key: OutboxKey | None = None,
) -> Stored:
    """One message that waits. `mono_s` of another boot is minus infinity: before everything of this one.

    Raises:
        sqlite3.DatabaseError: it is not what was put.
        Locked: it is encrypted, and not with this key.
    """
    (
        topic,
        lying,
        kind,
        priority,
        at_mono,
        at_wall,
        event,
        revision,
        opens,
        closes,
        sha256,
        crc,
        mono,
        wall,
        of,
    ) = db.execute(_READ.format(table), (seq,)).fetchone()
    body = as_put(lying, sha256, key)
    message = Message(
        topic=topic,
        body=body or b"",
        content_type=kind,
        priority=Priority(priority),
        at=Instant(at_mono, at_wall),
        event_id=event,
        revision=revision,
        opens=bool(opens),
        closes=bool(closes),
    )
    if body is None or checksum(seq, message, sha256) != crc:
        raise damage(f"message {seq} is not what was put")  # invariant 9
    if of != boot:
        mono = -math.inf
        message = replace(message, at=Instant(-math.inf, at_wall))
    return Stored(seq, message, sha256.hex(), Instant(mono, wall), stream)


def digest_of(db: sqlite3.Connection, seq: int) -> bytes | None:
    """Of a message's body as it was put; None: it is not here."""
    listed = json.dumps([seq])
    row = db.execute(_SHA256, (listed, listed)).fetchone()
    return None if row is None else bytes(row[1])


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


@dataclass(frozen=True, slots=True)
class ForgottenMessages:
    """What a receipt has removed."""

    sent: int
    quarantined: int
    cost_bytes: int
    footage: tuple[str, ...] = ()
    """Topics of those that were pieces of footage."""


def proven(db: sqlite3.Connection, proofs: Sequence[tuple[int, str]]) -> tuple[list[int], list[int]]:
    """Of what waits: the seqs whose proof is of this message, and those whose proof is of another one.

    A seq with proofs of both is in neither: who names two messages under one number has not read them.
    """
    seqs = json.dumps([seq for seq, _ in proofs])
    digests = {seq: sha256.hex() for seq, sha256 in db.execute(_SHA256, (seqs, seqs))}
    named = [(seq, digests[seq].startswith(proof)) for seq, proof in proofs if seq in digests]
    ours = {seq for seq, is_ours in named if is_ours}
    foreign = {seq for seq, is_ours in named if not is_ours}
    return sorted(ours - foreign), sorted(foreign - ours)


def forget(db: sqlite3.Connection, seqs: Iterable[int]) -> ForgottenMessages:
    """Invariants 3 and 11: committed messages leave, wherever they lie."""
    listed = (json.dumps(list(seqs)),)
    sent, apart = (
        db.execute(statement, listed).fetchall()
        for statement in (_FORGET.format("message"), _FORGET.format("quarantine"))
    )
    gone = sent + apart
    footage = tuple(topic for _, priority, topic in gone if priority == Priority.EVIDENCE)
    return ForgottenMessages(len(sent), len(apart), sum(cost for cost, _, _ in gone), footage)


def set_apart(db: sqlite3.Connection, seq: int, reason: str) -> bool:
    """Move one message to the quarantine; False if it waits no more."""
    moved = db.execute(
        f"insert into quarantine ({_COPIED}, reason) select {_COPIED}, ? from message where seq = ?",  # noqa: S608
        (reason, seq),
    ).rowcount
    db.execute("delete from message where seq = ?", (seq,))
    return moved > 0


def set_free(db: sqlite3.Connection, seq: int) -> bool:
    """Move one message back among those that wait; False if it is not in quarantine."""
    moved = db.execute(
        f"insert into message ({_COPIED}) select {_COPIED} from quarantine where seq = ?",  # noqa: S608
        (seq,),
    ).rowcount
    db.execute("delete from quarantine where seq = ?", (seq,))
    return moved > 0


def unlocked(db: sqlite3.Connection, key: OutboxKey) -> list[int]:
    """Of those in quarantine for want of their key: the ones of this key. Their bodies are not read."""
    apart = db.execute("select seq from quarantine where reason = ?", (LOCKED,)).fetchall()
    found = []
    for (seq,) in apart:
        with db.blobopen("quarantine", "body", seq, readonly=True) as body:
            if key.names(body.read(HEAD_BYTES)):
                found.append(seq)
    return found


@dataclass(frozen=True, slots=True)
class FootageLying:
    """Which pieces of footage lie in the outbox, by topic."""

    waiting: frozenset[str]
    apart: Mapping[str, str]
    """In quarantine, and why."""


def footage(db: sqlite3.Connection) -> FootageLying:
    """The pieces that lie here; reads no body."""
    bulk = (int(Priority.EVIDENCE),)
    waiting = db.execute("select topic from message where priority = ?", bulk)
    apart = db.execute("select topic, reason from quarantine where priority = ?", bulk)
    return FootageLying(frozenset(topic for (topic,) in waiting), dict(apart.fetchall()))


def footage_seqs(db: sqlite3.Connection, which: Callable[[str], bool]) -> list[int]:
    """The seqs of the pieces with these topics, wherever they lie."""
    found = []
    for table in ("message", "quarantine"):
        rows = db.execute(f"select seq, topic from {table} where priority = ?", (int(Priority.EVIDENCE),))  # noqa: S608
        found += [seq for seq, topic in rows if which(topic)]
    return found


def withdraw(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Drop these, counted like what was evicted."""
    for table in ("message", "quarantine"):
        gone = [
            row
            for seq in seqs
            for row in db.execute(
                f"delete from {table} where seq = ? returning seq, priority, cost_bytes",  # noqa: S608
                (seq,),
            ).fetchall()
        ]
        lose(db, gone)


def give_up(db: sqlite3.Connection, seq: int) -> bool:
    """Drop one message of the quarantine, counted like one that was evicted; False if it is not there."""
    row = db.execute("delete from quarantine where seq = ? returning priority, cost_bytes", (seq,)).fetchone()
    if row is None:
        return False
    lose(db, [(seq, *row)])
    return True


def lose(db: sqlite3.Connection, victims: Iterable[tuple[int, int, int]]) -> None:
    """Count what goes without a receipt (invariant 3): (seq, class, cost), and have the next seal tell it."""
    for seq, priority, cost in victims:
        db.execute(_LOSE, (priority, cost))
        db.execute("insert or ignore into given_up values (?)", (seq,))


def count_losses(db: sqlite3.Connection, priority: Priority, number: int) -> None:
    """Losses that were counted elsewhere."""
    db.execute(
        "insert into loss values (?, ?, 0) on conflict (priority) do update set messages = messages + ?",
        (int(priority), number, number),
    )


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


def reopen(db: sqlite3.Connection, events: Iterable[Message]) -> None:
    """These were open when their file was set aside; what is known better already stays."""
    _remember(db, events, "ignore")


def replace_open(db: sqlite3.Connection, events: Iterable[Message]) -> None:
    """These are open now; what the file says of them is older."""
    _remember(db, events, "replace")


def _remember(db: sqlite3.Connection, events: Iterable[Message], otherwise: str) -> None:
    for event in events:
        db.execute(
            f"insert or {otherwise} into open_event (event_id, priority, at_mono_s, at_wall_s, topic,"  # noqa: S608
            " content_type, revision, body) values (?, ?, ?, ?, ?, ?, ?, ?)",
            (event.event_id, int(event.priority), event.at.mono_s, event.at.wall_s, event.topic,
             event.content_type, event.revision, event.body),
        )  # fmt: skip


def spent(db: sqlite3.Connection, day: str) -> dict[Priority, int]:
    """What was sent on that day."""
    rows = db.execute("select priority, bytes from spent where day = ?", (day,))
    return {Priority(priority): number for priority, number in rows}


def note_spent(db: sqlite3.Connection, day: str, sent_bytes: Mapping[Priority, int]) -> None:
    """What was sent on that day, instead of what stood there."""
    rows = [(int(priority), day, number) for priority, number in sent_bytes.items()]
    db.executemany("insert or replace into spent (priority, day, bytes) values (?, ?, ?)", rows)
