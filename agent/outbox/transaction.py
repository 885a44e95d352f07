"""One transaction of the outbox in the making: what put() writes, and what makes room for it.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.core.types import Instant
from agent.outbox import seals
from agent.outbox.database import Seal
from agent.outbox.encryption import OutboxKey, lying_bytes, to_lie
from agent.outbox.queries import checksum, lose
from agent.outbox.recovery.pages import PAGE, local_bytes
from agent.outbox.seals import SEAL_EVERY, Reinserted
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.message import Message, Priority

EVICTION: Final = (
    Priority.EVIDENCE,  # can be cut again
    Priority.IMAGE,
    Priority.UPDATE,
    Priority.ALERT_IMAGE,
    Priority.COUNT,
    Priority.EVENT,
)
"""Which class makes room first (wire.md)."""
ROW_BYTES: Final = 256
"""What a row takes beside its body: the other columns and its line in the index."""

_INSERT: Final = """
    insert into message (seq, priority, cost_bytes, boot, put_mono_s, put_wall_s, at_mono_s, at_wall_s, topic,
                         content_type, event_id, revision, opens, closes, sha256, crc, body)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_TAKE_OVER: Final = """
    update message set priority = ?, cost_bytes = ?, boot = ?, put_mono_s = ?, put_wall_s = ?, at_mono_s = ?,
                       at_wall_s = ?, topic = ?, content_type = ?, event_id = ?, revision = ?, opens = ?,
                       closes = ?, sha256 = ?, crc = ?, body = ?
    where seq = ?"""
_OPEN: Final = """
    insert or replace into open_event (event_id, priority, at_mono_s, at_wall_s, topic, content_type, revision,
                                       body)
    values (?, ?, ?, ?, ?, ?, ?, ?)"""
_UNSEALED: Final = "insert or replace into unsealed (seq, sha256) values (?, ?)"
_COUNTERS: Final = """
    update life set next_seq = ?, replaced = ?, seal_stream = ?, seal_number = ?, seal_sha256 = ?"""


@dataclass(slots=True)
class Counters:
    """The sums that the file would otherwise be asked for again and again."""

    next_seq: int = 1
    pending: int = 0
    quarantined: int = 0
    cost_bytes: int = 0
    """Of both."""
    replaced: int = 0
    dropped: dict[Priority, int] = field(default_factory=dict)
    unsealed: int = 0
    """That no seal lists yet."""
    seal: Seal | None = None
    """The newest; before the first one of a stream, the last of the stream before."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update that nobody outside has seen: its row may still be taken over."""

    seq: int
    revision: int
    topic: str
    cost_bytes: int


def sums(db: sqlite3.Connection) -> tuple[str, int, Counters]:
    """Stream, files set aside before this one, and the sums of a file that was just opened."""
    stream, next_seq, replaced, damaged, *seal = db.execute(
        "select stream, next_seq, replaced, damaged, seal_stream, seal_number, seal_sha256 from life"
    ).fetchone()
    pending, cost = db.execute("select count(*), coalesce(sum(cost_bytes), 0) from message").fetchone()
    apart, apart_cost = db.execute("select count(*), coalesce(sum(cost_bytes), 0) from quarantine").fetchone()
    (unsealed,) = db.execute("select count(*) from unsealed").fetchone()
    dropped = {Priority(p): n for p, n in db.execute("select priority, messages from loss")}
    newest = (seal[0], seal[1], seal[2]) if seal[0] is not None else None
    return (
        stream,
        damaged,
        Counters(next_seq, pending, apart, cost + apart_cost, replaced, dropped, unsealed, newest),
    )


def cost_bytes(body_bytes: int) -> int:
    """What a body takes of the file: its share of a leaf, of which some bytes stay empty, and its own pages."""
    row = body_bytes + ROW_BYTES
    local = local_bytes(row)
    share = -(-PAGE // ((PAGE - 8) // (local + 2)))
    return share + -(-(row - local) // (PAGE - 4)) * PAGE


@dataclass(slots=True)
class WriteBatch:
    """Of one open transaction; what it changes in `counters` and `fresh` holds once that is committed."""

    db: sqlite3.Connection
    counters: Counters
    fresh: dict[str, Waiting]
    """Event -> its update that may be taken over, as it was before this batch."""
    boot: int
    at: Instant
    stream: str
    key: OutboxKey | None = None
    """Under which pictures are encrypted; None: they are not."""
    changed: dict[str, Waiting | None] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Events whose end was added."""

    def add(self, message: Message) -> int:
        """Write one message and what it says about its event being open; its seq."""
        cost = cost_bytes(lying_bytes(message, self.key))
        seq = self._take_over(message, cost)
        if seq is None:
            seq = self.reinsert(message)
        self._remember(message, seq, cost)
        return seq

    def reinsert(self, message: Message) -> int:
        """Write one message, and nothing else: it takes over no row, its event is neither opened nor ended."""
        cost, seq = cost_bytes(lying_bytes(message, self.key)), self.counters.next_seq  # invariant 2
        self.db.execute(_INSERT, (seq, *self._columns(seq, message, cost)))
        self.counters.next_seq += 1
        self.counters.pending += 1
        self.counters.unsealed += 1
        self.counters.cost_bytes += cost
        return seq

    def finish(self, max_bytes: int, bulk_bytes: int | None = None) -> None:
        """Seal what is ripe (invariant 13), make room (invariant 7) and write the counters.

        Beyond `bulk_bytes`, which is below `max_bytes`, only events and counts may still be added.
        """
        while self.counters.unsealed - self.unripe >= SEAL_EVERY:
            self.seal()
        if bulk_bytes is not None:
            self._make_room(EVICTION[: EVICTION.index(Priority.COUNT)], min(bulk_bytes, max_bytes))
        self._make_room(EVICTION, max_bytes)
        seal = self.counters.seal or (None, None, None)
        self.db.execute(_COUNTERS, (self.counters.next_seq, self.counters.replaced, *seal))

    @property
    def unripe(self) -> int:
        """Messages that may still change, so that no seal may list them."""
        gone = sum(event in self.fresh and waiting is None for event, waiting in self.changed.items())
        new = sum(event not in self.fresh and waiting is not None for event, waiting in self.changed.items())
        return len(self.fresh) - gone + new

    def seal(self, reinserted: Reinserted | None = None) -> None:
        """Put a seal over the oldest messages that no seal lists and that can no longer change."""
        waiting = (self.changed.get(event, row) for event, row in {**self.changed, **self.fresh}.items())
        body, sealed = seals.compose(
            self.db, self.stream, self.counters.seal, {row.seq for row in waiting if row}, self.at, reinserted
        )
        self.counters.unsealed -= sealed
        self.reinsert(codec.message(MessageKind.CHAIN, body, self.at))
        number = seals.number_after(self.stream, self.counters.seal)
        self.counters.seal = (self.stream, number, hashlib.sha256(body).digest())

    def _take_over(self, message: Message, cost: int) -> int | None:
        """Invariant 4: the row of the event's waiting update, if this message may have it."""
        if message.event_id is None or not (message.closes or message.priority is Priority.UPDATE):
            return None
        old = self.changed.get(message.event_id, self.fresh.get(message.event_id))
        if old is None or old.topic != message.topic or old.revision >= message.revision:
            return None
        row = self.db.execute(_TAKE_OVER, (*self._columns(old.seq, message, cost), old.seq))
        if row.rowcount == 0:
            return None  # cannot be; but if it were, a message would vanish without a trace
        self.counters.cost_bytes += cost - old.cost_bytes
        self.counters.replaced += 1
        return old.seq

    def _columns(self, seq: int, message: Message, cost: int) -> tuple[object, ...]:
        sha256 = hashlib.sha256(message.body).digest()
        self.db.execute(_UNSEALED, (seq, sha256))
        return (
            int(message.priority),
            cost,
            self.boot,
            self.at.mono_s,
            self.at.wall_s,
            message.at.mono_s,
            message.at.wall_s,
            message.topic,
            message.content_type,
            message.event_id,
            message.revision,
            message.opens,
            message.closes,
            sha256,
            checksum(seq, message, sha256),
            to_lie(message, sha256, self.key),
        )

    def _remember(self, message: Message, seq: int, cost: int) -> None:
        """Invariant 6, and which row the event's next message may take over."""
        event = message.event_id
        if event is None:
            return
        if message.closes:
            self.changed[event] = None
            self.ended.add(event)
            self.db.execute("delete from open_event where event_id = ?", (event,))
        elif message.opens:
            at = message.at
            self.db.execute(
                _OPEN,
                (event, int(message.priority), at.mono_s, at.wall_s, message.topic, message.content_type,
                 message.revision, message.body),
            )  # fmt: skip
            if message.priority is Priority.UPDATE:
                self.changed[event] = Waiting(seq, message.revision, message.topic, cost)

    def _make_room(self, order: Sequence[Priority], most_bytes: int) -> None:
        for priority in order:
            for table in ("quarantine", "message"):  # invariant 11
                if self.counters.cost_bytes > most_bytes:
                    self._evict(priority, table, most_bytes)

    def _evict(self, priority: Priority, table: str, max_bytes: int) -> None:
        """Invariants 3 and 7: the oldest of a class go, and are counted, until there is room."""
        rows = self.db.execute(
            f"select seq, cost_bytes, event_id from {table} where priority = ? order by seq",  # noqa: S608
            (int(priority),),
        )
        victims = []
        for seq, cost, event in rows:
            if self.counters.cost_bytes <= max_bytes:
                break
            victims.append((seq, cost))
            self.counters.cost_bytes -= cost
            waiting = self.changed.get(event, self.fresh.get(event))
            if waiting is not None and waiting.seq == seq:
                self.changed[event] = None
        rows.close()
        if not victims:
            return
        self.db.executemany(f"delete from {table} where seq = ?", [(seq,) for seq, _ in victims])  # noqa: S608
        lose(self.db, [(seq, int(priority), cost) for seq, cost in victims])
        self.counters.dropped[priority] = self.counters.dropped.get(priority, 0) + len(victims)
        if table == "message":
            self.counters.pending -= len(victims)
        else:
            self.counters.quarantined -= len(victims)
