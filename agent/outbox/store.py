"""One open database of the outbox, on the disk or in memory, with the sums that need not be asked for again.

Whoever uses it holds the outbox's lock. The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from agent.core.types import Instant
from agent.outbox import queries as rows
from agent.outbox.encryption import LOCKED, Locked, OutboxKey
from agent.outbox.file import this_boot, transact
from agent.outbox.seals import SEAL_AFTER_S
from agent.outbox.transaction import Waiting, WriteBatch, sums
from agent.wire.message import Message, Priority, Stored

LIVE_S: Final = 60.0


class Receipted(NamedTuple):
    """What became of what a station has named in a receipt."""

    gone: int
    """How many of them were here."""
    foreign: Sequence[int]
    """The seqs under which the station has others."""
    footage: Sequence[str] = ()
    """Topics of those that were pieces of footage."""


class OutboxStore:
    """What waits in one database."""

    def __init__(self, db: sqlite3.Connection, now: Instant, key: OutboxKey | None = None) -> None:
        """Begin as if everything that waits had been seen outside (invariant 4).

        Pictures are encrypted under `key`; without one they are not.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        self.db, self.key = db, key
        self.locked = 0
        """Pictures that were set apart because their key is not here (invariant 18)."""
        self.boot = this_boot(db)
        if key is not None and (free := rows.unlocked(db, key)):
            transact(db, lambda: [rows.set_free(db, seq) for seq in free])
        self.count_again()
        self.fresh: dict[str, Waiting] = {}
        """Event -> its update that may still be taken over."""
        self.ended: set[str] = set()
        """Events that ended here; where they began may lie in a file that could not be read or written."""
        self._recent: deque[tuple[float, int]] = deque()
        """(mono_s, first seq of that second), of the last minute."""
        self._unsealed_s = now.mono_s if self._unsealed() else None
        """Since when a message other than a seal waits for its seal."""

    def count_again(self) -> None:
        """Ask the database for its sums: somebody may have changed it by hand."""
        self.stream, self.damaged, self.counters = sums(self.db)
        self._version = self._data_version()

    def changed_by_hand(self) -> bool:
        """Whether another connection has written since the sums were asked for."""
        return self._version != self._data_version()

    @property
    def departed(self) -> int:
        """Grows with every message that leaves, by whatever way, and with every body that another replaces."""
        counters = self.counters
        return counters.next_seq - counters.pending - counters.quarantined + counters.replaced

    def live(self, now: Instant) -> int:
        """The first seq of the last minute."""
        while self._recent and now.mono_s - self._recent[0][0] > LIVE_S:
            self._recent.popleft()
        return self._recent[0][1] if self._recent else self.counters.next_seq

    def leave_behind(self) -> None:
        """What was put so far is no longer of the last minute (invariant 5)."""
        self._recent.clear()

    def waiting(
        self, limit: int, now: Instant, skip: Container[int], priorities: Sequence[Priority]
    ) -> list[Stored]:
        """Up to `limit` messages to be sent, in the order of invariant 5."""
        if not self.counters.pending:  # mostly, and then the database need not be asked
            return []
        while True:
            seqs = rows.in_order(self.db, self.live(now), limit, skip, priorities)
            given, locked = [], []
            for seq in seqs:
                try:
                    given.append(self._give(seq))
                except Locked:
                    locked.append(seq)
            if not locked:
                return given
            self._lock_away(locked)

    def give(self, seq: int) -> Stored | None:
        """A message to be sent, never changed from now on (invariant 4); None: its key is not here (18)."""
        try:
            return self._give(seq)
        except Locked:
            self._lock_away([seq])
            return None

    def _give(self, seq: int) -> Stored:
        stored = rows.read(self.db, seq, self.boot, self.stream, key=self.key)
        event = stored.message.event_id
        if event is not None and event in self.fresh and self.fresh[event].seq == seq:
            del self.fresh[event]
        return stored

    def put(
        self, requests: Sequence[Sequence[Message]], at: Instant, most_bytes: int, bulk_bytes: int | None
    ) -> list[list[int]]:
        """Write all requests in one transaction; their seqs."""
        batch = self.batch(at)

        def work() -> list[list[int]]:
            seqs = [[batch.add(message) for message in messages] for messages in requests]
            batch.finish(most_bytes, bulk_bytes)
            return seqs

        before, first = self.counters.seal, self.counters.next_seq
        seqs = transact(self.db, work)
        self.written(batch)
        if not self._recent or at.mono_s - self._recent[-1][0] >= 1.0:
            self._recent.append((at.mono_s, first))
        self.live(at)
        if self.counters.seal is not before:
            self._unsealed_s = None
        if self._unsealed_s is None and self._unsealed():
            self._unsealed_s = at.mono_s
        return seqs

    def count_losses(self, losses: Mapping[Priority, int]) -> None:
        """By class: what was never put (invariant 3)."""

        def work() -> None:
            for priority, number in losses.items():
                rows.count_losses(self.db, priority, number)

        transact(self.db, work)
        for priority, number in losses.items():
            self.counters.dropped[priority] = self.counters.dropped.get(priority, 0) + number

    def seal_due(self, now: Instant) -> bool:
        """Whether something has waited for its seal for too long (invariant 13)."""
        return self._unsealed_s is not None and now.mono_s - self._unsealed_s >= SEAL_AFTER_S

    def seal(self, at: Instant, most_bytes: int) -> None:
        """Put a seal over what there is."""
        self._unsealed_s = None
        batch = self.batch(at)

        def work() -> None:
            batch.seal()
            batch.finish(most_bytes)

        transact(self.db, work)
        self.written(batch)

    def seal_everything(self, at: Instant, most_bytes: int) -> None:
        """Put seals over all that can no longer change: the stream ends here, and nobody will do it later."""
        while self._unsealed() > len(self.fresh):
            self.seal(at, most_bytes)

    def batch(self, at: Instant) -> WriteBatch:
        """A transaction in the making; what it changes holds once it was `written`."""
        counters = replace(self.counters, dropped=dict(self.counters.dropped))
        return WriteBatch(self.db, counters, self.fresh, self.boot, at, self.stream, self.key)

    def written(self, batch: WriteBatch) -> None:
        """The batch is committed."""
        self.counters = batch.counters
        for event, waiting in batch.changed.items():
            self.fresh.pop(event, None)
            if waiting is not None:
                self.fresh[event] = waiting
        self.ended |= batch.ended

    def forget(self, proofs: Sequence[tuple[int, str]]) -> Receipted:
        """These have a receipt."""
        ours, foreign = rows.proven(self.db, proofs)
        if not ours:
            return Receipted(0, foreign)
        gone = transact(self.db, lambda: rows.forget(self.db, ours))
        self.counters = replace(
            self.counters,
            pending=self.counters.pending - gone.sent,
            quarantined=self.counters.quarantined - gone.quarantined,
            cost_bytes=self.counters.cost_bytes - gone.cost_bytes,
        )
        self._let_change_no_more(ours)
        return Receipted(gone.sent + gone.quarantined, foreign, gone.footage)

    def withdraw(self, unwanted: Callable[[str], bool]) -> int:
        """Pieces of footage with these topics go, counted as lost (invariant 3); how many there were."""
        seqs = rows.footage_seqs(self.db, unwanted)
        if seqs:
            transact(self.db, lambda: rows.withdraw(self.db, seqs))
            self.count_again()
            self._let_change_no_more(seqs)
        return len(seqs)

    def set_apart(self, seq: int, reason: str) -> bool:
        """Into quarantine (invariant 11); False if it waits no more."""
        return self._set_apart([seq], reason) > 0

    def _lock_away(self, seqs: Sequence[int]) -> None:
        self.locked += self._set_apart(seqs, LOCKED)

    def _set_apart(self, seqs: Sequence[int], reason: str) -> int:
        moved = transact(self.db, lambda: sum(rows.set_apart(self.db, seq, reason) for seq in seqs))
        self._let_change_no_more(seqs)
        self.counters = replace(
            self.counters,
            pending=self.counters.pending - moved,
            quarantined=self.counters.quarantined + moved,
        )
        return moved

    def set_free(self, reason: str) -> int:
        """What was set apart for this reason waits again; how many there were."""

        def work() -> int:
            found = self.db.execute("select seq from quarantine where reason = ?", (reason,)).fetchall()
            return sum(rows.set_free(self.db, seq) for (seq,) in found)

        freed = transact(self.db, work)
        self.counters = replace(
            self.counters,
            pending=self.counters.pending + freed,
            quarantined=self.counters.quarantined - freed,
        )
        return freed

    def _unsealed(self) -> int:
        """How many messages other than the newest seal wait for a seal."""
        seal = self.counters.seal
        return self.counters.unsealed - (seal is not None and seal[0] == self.stream)

    def _let_change_no_more(self, seqs: Iterable[int]) -> None:
        gone = set(seqs)
        self.fresh = {event: waiting for event, waiting in self.fresh.items() if waiting.seq not in gone}

    def _data_version(self) -> int:
        return int(self.db.execute("pragma data_version").fetchone()[0])
