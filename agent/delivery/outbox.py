"""Messages kept on disk until the station has them.

Invariants
 1. When put() returns, its messages are on disk: neither a crash nor a power cut can lose them.
 2. seq counts from 1 without gaps within a stream, and none is ever used twice.
 3. A message leaves only by acknowledge(), or by eviction; every eviction is counted by class.
 4. Of an event only the newest update waits: a newer one, or the end, takes over its row and its seq.
    A row that waiting() has given out, or that an earlier life of the agent put, is never changed again:
    the station may have it under that seq.
 5. waiting() gives lower classes first, in a class what was put in the last minute first, and then by seq.
 6. An event is open exactly as long as its latest message says so; that is written with the message.
 7. The messages cost at most max_bytes. What makes room goes in the order of EVICTION, oldest first.
 8. A file of another program or of a newer version is refused and left as it is.
 9. A damaged file is set aside, never written again, and a new stream begins.
10. A receipt for another stream changes nothing.
11. Quarantined messages are not given out; they still count, can still be receipted, and are evicted before
    the others of their class.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import structlog
from pydantic import Field

from agent.clock import Clock
from agent.core.types import Instant
from agent.delivery import outbox_rows as rows
from agent.delivery.ballast import Ballast
from agent.delivery.message import Message, Priority, Stored
from agent.delivery.outbox_batch import Batch, Tally, Waiting
from agent.delivery.outbox_file import OutboxFile, is_damage, result_code
from agent.errors import OutboxError
from agent.settings import Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")

LIVE_S: Final = 60.0
BATCH: Final = 500
"""Messages in one transaction, so that nobody waits for ever behind others."""
BALLAST_AGAIN_S: Final = 30.0
EVERY_CLASS: Final = tuple(Priority)


class OutboxSettings(Settings):
    """How much may wait for the station."""

    max_bytes: int = Field(
        256 << 20, ge=1 << 20, le=1 << 40, description="Disk for waiting messages; beyond it images go first."
    )
    ballast_bytes: int = Field(
        4 << 20, ge=0, le=1 << 30, description="Disk held back for events on a full disk; 0: none."
    )


@dataclass(frozen=True, slots=True)
class Stats:
    """What health says about the outbox."""

    pending: int
    """Without a receipt, quarantined ones not counted."""
    bytes: int
    """What waits, as counted against max_bytes."""
    oldest_s: float | None
    """Age of the oldest that waits; None: nothing waits."""
    dropped: dict[str, int]
    """Class -> evicted since the stream began."""
    quarantined: int
    replaced: int
    """Updates that a newer message took the place of; nothing is lost by that."""
    damaged: int
    """Files set aside, up to this one."""


@dataclass(slots=True)
class _Request:
    messages: Sequence[Message]
    seqs: list[int] | None = None
    error: OutboxError | None = None

    @property
    def settled(self) -> bool:
        return self.seqs is not None or self.error is not None


class Outbox:
    """One outbox file. Every method may be called from any thread.

    Raises:
        OutboxError: the file belongs to someone else, is in use, or its folder cannot be written.
    """

    def __init__(self, path: Path, settings: OutboxSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.RLock()
        self._arrivals: deque[_Request] = deque()
        self._watchers: list[Callable[[], None]] = []
        self._ballast = Ballast(path.with_name(path.name + ".ballast"), settings.ballast_bytes)
        self._ballast_tried = clock.now()
        self._file = OutboxFile(path, clock.now())
        self._load()
        self._ballast.take()

    # ------------------------------------------------------------------------------------------- in and out

    def put(self, messages: Sequence[Message]) -> list[int]:
        """Keep the messages; their seqs. Returns after the disk has them (invariant 1).

        Threads that put at the same time share one transaction: whoever gets the lock first writes for all.

        Raises:
            OutboxError: the disk is full beyond the ballast, read-only or broken; nothing of it is kept.
        """
        if not messages:
            return []
        request = _Request(messages)
        self._arrivals.append(request)
        with self._lock:
            while not request.settled:
                self._commit_arrivals()
        if request.error is not None:
            raise request.error
        for watcher in self._watchers:
            watcher()
        assert request.seqs is not None
        return request.seqs

    def waiting(
        self,
        limit: int,
        now: Instant,
        skip: Container[int] = frozenset(),
        priorities: Iterable[Priority] = EVERY_CLASS,
    ) -> list[Stored]:
        """Up to `limit` messages in the order of sending (invariant 5), without those whose seq is in `skip`.

        Whoever asks is about to send them: they cannot be taken over any more (invariant 4). `mono_s` of what
        an earlier boot put is minus infinity: before everything of this boot.
        """
        with self._lock:
            while self._recent and now.mono_s - self._recent[0][0] > LIVE_S:
                self._recent.popleft()
            live = self._recent[0][1] if self._recent else self._tally.next_seq
            return self._run(
                lambda: [self._give(seq) for seq in rows.in_order(self._db, live, limit, skip, priorities)]
            )

    def one(self, seq: int) -> Stored | None:
        """The message with this seq, given out like those of `waiting`; None if it waits no more."""
        with self._lock:
            return self._run(lambda: self._give(seq) if rows.waits(self._db, seq) else None)

    def acknowledge(self, stream: str, ranges: Iterable[tuple[int, int]]) -> int:
        """Forget what the station has committed: ranges of seq, both ends included; how many there were."""
        with self._lock:
            if stream != self.stream:
                return 0  # invariant 10
            newest = self._tally.next_seq - 1
            bounded = [(max(1, first), min(last, newest)) for first, last in ranges]
            known = [(first, last) for first, last in bounded if first <= last]
            if not known:
                return 0
            gone = self._run(lambda: self._file.transact(lambda: rows.forget(self._db, known)))
            self._tally = replace(
                self._tally,
                pending=self._tally.pending - gone.sent,
                quarantined=self._tally.quarantined - gone.quarantined,
                cost_bytes=self._tally.cost_bytes - gone.cost_bytes,
            )
            self._fresh = {e: w for e, w in self._fresh.items() if not any(a <= w.seq <= b for a, b in known)}
            return gone.sent + gone.quarantined

    def quarantine(self, seq: int, reason: str) -> bool:
        """Set one message aside that cannot be delivered (invariant 11); False if it waits no more."""
        with self._lock:
            moved = self._run(lambda: self._file.transact(lambda: rows.set_apart(self._db, seq, reason)))
            if moved:
                self._fresh = {event: waiting for event, waiting in self._fresh.items() if waiting.seq != seq}
                self._tally = replace(
                    self._tally, pending=self._tally.pending - 1, quarantined=self._tally.quarantined + 1
                )
                log.error("message_quarantined", seq=seq, reason=reason)
            return moved

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each put, in the thread that put."""
        self._watchers.append(watcher)

    # ----------------------------------------------------------------------------------------- what is there

    def open_events(self) -> list[Message]:
        """The latest message of each event that began and did not end, in the order of their times."""
        with self._lock:
            return self._run(lambda: rows.open_events(self._db))

    def bounds(self) -> tuple[int | None, int | None]:
        """The lowest seq that has no receipt, and the highest ever given."""
        with self._lock:
            return self._run(lambda: rows.oldest_seq(self._db)), self._tally.next_seq - 1 or None

    def stats(self) -> Stats:
        """The figures for health."""
        with self._lock:
            oldest_s = self._run(lambda: rows.oldest_s(self._db, self._boot, self._clock.now()))
            tally = self._tally
            return Stats(
                pending=tally.pending,
                bytes=tally.cost_bytes,
                oldest_s=oldest_s,
                dropped={priority.name.lower(): tally.dropped.get(priority, 0) for priority in Priority},
                quarantined=tally.quarantined,
                replaced=tally.replaced,
                damaged=self._damaged,
            )

    def verify(self) -> bool:
        """Read the whole file and look for damage; a damaged one is set aside. False if it was.

        Takes seconds on a large file: meant for a thread beside the work, at the start.
        """
        try:
            if self._file.is_sound():
                return True
        except sqlite3.Error as error:
            raise OutboxError(f"outbox {self._file.path}: {error}", _hint(error)) from error
        with self._lock:
            self._begin_anew()
        return False

    def close(self) -> None:
        """Let go of the file; safe to call twice. The ballast stays."""
        with self._lock:
            self._file.close()

    # --------------------------------------------------------------------------------------------- the inside

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.db

    _tally: Tally
    _fresh: dict[str, Waiting]
    _recent: deque[tuple[float, int]]
    """(mono_s, first seq of that second), of the last minute."""

    def _load(self) -> None:
        """Read the sums, and begin as if everything that waits had been seen outside (invariant 4)."""
        db = self._db
        self.stream, next_seq, replaced, damaged = db.execute(
            "select stream, next_seq, replaced, damaged from life"
        ).fetchone()
        pending, cost = db.execute("select count(*), coalesce(sum(cost_bytes), 0) from message").fetchone()
        apart, apart_cost = db.execute(
            "select count(*), coalesce(sum(cost_bytes), 0) from quarantine"
        ).fetchone()
        dropped = {Priority(p): n for p, n in db.execute("select priority, messages from loss")}
        self._tally = Tally(next_seq, pending, apart, cost + apart_cost, replaced, dropped)
        self._damaged: int = damaged
        self._fresh = {}
        self._recent = deque()
        self._boot = self._file.this_boot()

    def _commit_arrivals(self) -> None:
        """Write the oldest requests in one transaction."""
        requests: list[_Request] = []
        size = 0
        while self._arrivals and size < BATCH:
            requests.append(self._arrivals.popleft())
            size += len(requests[-1].messages)
        try:
            for request, seqs in zip(requests, self._run(lambda: self._write(requests)), strict=True):
                request.seqs = seqs
        except Exception as error:  # whoever waits for this transaction must hear of it
            told = (
                error if isinstance(error, OutboxError) else OutboxError(f"outbox {self._file.path}: {error!r}")
            )
            for request in requests:
                request.error = told
        self._restore_ballast()

    def _write(self, requests: list[_Request]) -> list[list[int]]:
        now = self._clock.now()
        tally = replace(self._tally, dropped=dict(self._tally.dropped))
        batch = Batch(self._db, tally, self._fresh, self._boot, now)

        def add_all() -> list[list[int]]:
            seqs = [[batch.add(message) for message in request.messages] for request in requests]
            batch.finish(self.settings.max_bytes)
            return seqs

        first = tally.next_seq
        seqs = self._file.transact(add_all)
        self._tally = tally
        if not self._recent or now.mono_s - self._recent[-1][0] >= 1.0:
            self._recent.append((now.mono_s, first))
        while now.mono_s - self._recent[0][0] > LIVE_S:
            self._recent.popleft()
        for event, waiting in batch.changed.items():
            self._fresh.pop(event, None)
            if waiting is not None:
                self._fresh[event] = waiting
        return seqs

    def _give(self, seq: int) -> Stored:
        stored = rows.read(self._db, seq, self._boot)
        event = stored.message.event_id
        if event is not None and event in self._fresh and self._fresh[event].seq == seq:
            del self._fresh[event]  # invariant 4
        return stored

    def _run(self, work: Callable[[], T]) -> T:
        """Do `work`; if the disk is full or the file is damaged, mend that and do it once more.

        Raises:
            OutboxError: it cannot be mended.
        """
        try:
            return work()
        except sqlite3.Error as error:
            if not self._mend(error):
                raise OutboxError(f"outbox {self._file.path}: {error}", _hint(error)) from error
        try:
            return work()
        except sqlite3.Error as error:
            raise OutboxError(f"outbox {self._file.path}: {error}", _hint(error)) from error

    def _mend(self, error: sqlite3.Error) -> bool:
        if is_damage(error):
            self._begin_anew()
            return True
        if result_code(error) == sqlite3.SQLITE_FULL and self._ballast.drop():
            self._ballast_tried = self._clock.now()
            log.error("disk_full", path=str(self._file.path), ballast="dropped")
            return True
        return False

    def _begin_anew(self) -> None:
        """Invariant 9."""
        try:
            self._file.begin_anew(self._clock.now())
            self._load()
        except sqlite3.Error as error:
            raise OutboxError(f"outbox {self._file.path}: {error}", "look at the disk's health") from error

    def _restore_ballast(self) -> None:
        now = self._clock.now()
        if now.since(self._ballast_tried) >= BALLAST_AGAIN_S and not self._ballast.held:
            self._ballast_tried = now
            self._ballast.take()


def _hint(error: sqlite3.Error) -> str:
    if result_code(error) == sqlite3.SQLITE_FULL:
        return "the disk is full: free some space; what is put meanwhile is not kept"
    return "look at the disk: full, read-only, or dying?"
