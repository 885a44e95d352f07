"""Messages kept on disk until the station has them.

Invariants
 1. When put() returns, its messages are on disk: neither a crash nor a power cut can lose them. Only while the
    disk takes nothing are they in memory (12), and that is told.
 2. seq counts from 1 without gaps within a stream, and none is ever used twice.
 3. A message leaves only by acknowledge(), by eviction, or by hand; all but the first are counted by class, and
    so is what was never taken (15).
 4. Of an event only the newest update waits: a newer one, or the end, takes over its row and its seq.
    A row that waiting() has given out, or that an earlier life of the agent put, is never changed again:
    the station may have it under that seq.
 5. waiting() gives lower classes first, in a class what was put in the last minute first, and then by seq.
    What was put before leave_behind() counts as older than a minute.
 6. An event is open exactly as long as its latest message says so; that is written with the message.
 7. The messages cost at most max_bytes. What makes room goes in the order of EVICTION, oldest first.
 8. A file of another program or of a newer version is refused and left as it is.
 9. A damaged file is set aside, not written again but to erase it, and a new stream begins. Every message on
    its whole pages comes again in the new stream; none with a flipped bit does.
10. A receipt for another stream changes nothing, nor does one whose proof is of another message.
11. Quarantined messages are not given out; they still count, can still be receipted, and are evicted before
    the others of their class.
12. While the disk takes nothing, a stream of its own is kept in memory, within memory_bytes; what of it still
    waits is put on the disk as soon as that can be written again.
13. Every message is listed by a seal once it can no longer change, and each seal names the one before it, over
    files and restarts (chain.py).
14. On a full disk pictures and updates make room for each other and for events; the ballast is for events and
    counts alone.
15. What neither file nor memory takes is a mistake of ours. It takes no other message with it; put() raises,
    put_or_drop() counts it, and both are told until nothing more is refused for some seconds.
16. Where the station has other messages under our numbers, the file was put back to an older state, or has a
    double elsewhere: it is *forked*. A new stream begins, which nobody else has, and all that waits comes again
    in it. Nothing that has left the file comes again. What is contradicted once more soon after that goes into
    quarantine, and is sent again each hour.
17. What has left is overwritten on the disk within erase_after_s, and at a close.
18. With a key, pictures are in the file in encrypted form only. One whose key is not here is no damage: it is
    set apart, counted and told, and nothing else waits for it or goes with it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agent.clock import Clock
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox import queries as rows
from agent.outbox.degraded import Condition, Disk, OutboxSettings
from agent.outbox.file import transact
from agent.outbox.queries import FootageLying
from agent.outbox.recovery.repair import Salvaged
from agent.outbox.store import Receipted
from agent.wire.message import Message, Priority, Stored

__all__ = ["Condition", "FootageLying", "Outbox", "OutboxSettings", "Salvaged", "Stats"]

log = structlog.get_logger(__name__)

BATCH: Final = 500
"""Messages in one transaction, so that nobody waits for ever behind others."""
FORK_AGAIN_S: Final = 3600.0
"""A stream that began by a fork is not forked again so soon: nobody can have copied it so often."""
CONTRADICTED: Final = "the station has something else under its number, in a new stream, too"
"""Why a message is in quarantine that comes out of it by itself: what altered it may have gone."""
EVERY_CLASS: Final = tuple(Priority)


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
    """Class -> evicted, or never taken, since the stream began."""
    quarantined: int
    replaced: int
    """Updates that a newer message took the place of; nothing is lost by that."""
    damaged: int
    """Files set aside, up to this one."""
    pictures: str
    """How they lie in the file: encrypted, plain, or key_missing (plain, for it cannot be had)."""
    locked: int
    """Pictures that were set apart since the start because their key is not here."""


@dataclass(slots=True)
class _PutRequest:
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

    def __init__(
        self, path: Path, settings: OutboxSettings, clock: Clock, believed: Clock | None = None
    ) -> None:
        """`believed` is what damaged files are kept by, where a step of `clock` is not believed at once."""
        self.settings = settings
        self._clock = clock
        self._lock = threading.RLock()
        self._arrivals: deque[_PutRequest] = deque()
        self._watchers: list[Callable[[], None]] = []
        self._on_footage: list[Callable[[Sequence[str]], None]] = []
        self._forked: Instant | None = None
        self._doubted: set[int] = set()
        """Messages of this stream that were contradicted after its beginning."""
        self._chance_at: Instant | None = None
        """When what is in quarantine for that was last sent again."""
        self._disk = Disk(path, settings, clock, believed or clock, self._lock)

    # ------------------------------------------------------------------------------------------- in and out

    def put(self, messages: Sequence[Message]) -> list[int]:
        """Keep the messages; their seqs. Returns after the disk has them (invariant 1).

        Threads that put at the same time share one transaction: whoever gets the lock first writes for all.

        Raises:
            OutboxError: the outbox is closed, or neither file nor memory takes these; nothing of it is kept.
        """
        if not messages:
            return []
        request = _PutRequest(messages)
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

    def put_or_drop(self, messages: Sequence[Message]) -> None:
        """`put` for who has no other place to keep them: what is not taken is counted as lost. Never raises."""
        try:
            self.put(messages)
        except OutboxError:
            self.count_dropped([message.priority for message in messages])

    def count_dropped(self, priorities: Iterable[Priority]) -> None:
        """Count what was to be told and never became a message here, by class (invariant 3). Never raises."""
        with self._lock:
            self._disk.count_dropped(priorities)

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
        wanted = sorted(priorities)
        with self._lock:
            return self._disk.run(lambda store: store.waiting(limit, now, skip, wanted))

    def one(self, seq: int) -> Stored | None:
        """The message with this seq, given out like those of `waiting`; None if it waits no more."""
        with self._lock:
            return self._disk.run(lambda store: store.give(seq) if rows.waits(store.db, seq) else None)

    def acknowledge(self, stream: str, proofs: Iterable[tuple[int, str]], newest: int | None = None) -> int:
        """Forget what the station has committed; how many there were.

        `proofs` are seq and the first hex digits of a sha256 (`wire.payloads.Proof`); `newest` is the highest
        seq of the stream that the station has, if it says so. What contradicts this file, forks it (16).
        """
        listed = list(proofs)
        with self._lock:
            if stream != self.stream:
                return 0  # invariant 10
            gone, foreign, footage = self._disk.run(
                lambda store: store.forget(listed) if store.stream == stream else Receipted(0, [])
            )
            for receipted in self._on_footage if footage else ():
                receipted(footage)
            given = self._disk.store.counters.next_seq - 1
            beyond = [seq for seq in (newest or 0, *(seq for seq, _ in listed)) if seq > given]
            if stream == self.stream and (foreign or beyond):
                self._contradicted(foreign, max(beyond, default=0))
            return gone

    def quarantine(self, seq: int, reason: str) -> bool:
        """Set one message aside that cannot be delivered (invariant 11); False if it waits no more."""
        with self._lock:
            moved = self._disk.run(lambda store: store.set_apart(seq, reason))
        if moved:
            log.error("message_quarantined", seq=seq, reason=reason)
        return moved

    def leave_behind(self) -> None:
        """What was put so far goes after what comes now: it tells of the past, not of what happens."""
        with self._lock:
            self._disk.store.leave_behind()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each put, in the thread that put."""
        self._watchers.append(watcher)

    def withdraw_footage(self, unwanted: Callable[[str], bool]) -> int:
        """Pieces with these topics are no longer wanted: how many went, counted as lost (invariant 3)."""
        with self._lock:
            return self._disk.run(lambda store: store.withdraw(unwanted))

    def watch_footage(self, receipted: Callable[[Sequence[str]], None]) -> None:
        """Have `receipted` called with the topics of pieces of footage that the station has committed.

        It is called under the outbox's lock, so that a piece that `footage` no longer names was either told
        before, or has gone without a receipt. It must neither block nor call the outbox.
        """
        self._on_footage.append(receipted)

    # ----------------------------------------------------------------------------------------- what is there

    @property
    def stream(self) -> str:
        """Within which seq counts: one life of the file, or of the memory that takes its place."""
        return self._disk.store.stream

    @property
    def at_rest(self) -> bool:
        """Nothing waits and the disk takes all: until something is put, nothing need be looked after soon."""
        with self._lock:
            return not self._disk.store.counters.pending and self._disk.condition == Condition()

    def open_events(self) -> list[Message]:
        """The latest message of each event that began and did not end, in the order of their times."""
        with self._lock:
            return self._disk.run(lambda store: rows.open_events(store.db))

    def bounds(self) -> tuple[int | None, int | None]:
        """The lowest seq that has no receipt, and the highest ever given."""
        with self._lock:
            return self._disk.run(
                lambda store: (rows.oldest_seq(store.db), store.counters.next_seq - 1 or None)
            )

    def head(self) -> tuple[str, int, str] | None:
        """Stream, number and hash of the newest seal of this stream; None: there is none yet."""
        with self._lock:
            seal = self._disk.store.counters.seal
            return (seal[0], seal[1], seal[2].hex()) if seal is not None and seal[0] == self.stream else None

    def stats(self) -> Stats:
        """The figures for health."""
        with self._lock:
            oldest_s = self._disk.run(lambda store: rows.oldest_s(store.db, store.boot, self._clock.now()))
            store, uncounted = self._disk.store, self._disk.uncounted
            return Stats(
                pending=store.counters.pending,
                bytes=store.counters.cost_bytes,
                oldest_s=oldest_s,
                dropped={
                    priority.name.lower(): store.counters.dropped.get(priority, 0) + uncounted[priority]
                    for priority in Priority
                },
                quarantined=store.counters.quarantined,
                replaced=store.counters.replaced,
                damaged=store.damaged,
                pictures=self._disk.pictures,
                locked=self._disk.locked,
            )

    def condition(self) -> Condition:
        """How the disk is, as far as the last attempt to write has shown."""
        with self._lock:
            return self._disk.condition

    def footage(self) -> FootageLying | None:
        """Which pieces of footage lie here; None while the disk does not take all, for then nobody knows.

        Raises:
            OutboxError: it is closed, or cannot be read.
        """
        with self._lock:
            if self._disk.condition != Condition() or self._disk.unsaved:
                return None
            return self._disk.run(lambda store: rows.footage(store.db))

    def spent(self, day: str) -> dict[Priority, int]:
        """Bytes that were sent on that day, as `note_spent` kept them."""
        with self._lock:
            return self._disk.run(lambda store: rows.spent(store.db, day))

    def note_spent(self, day: str, spent: Mapping[Priority, int]) -> None:
        """Keep what was sent on that day, so that a restart does not begin the budget anew."""
        with self._lock:
            self._disk.run(lambda store: transact(store.db, lambda: rows.note_spent(store.db, day, spent)))

    # -------------------------------------------------------------------------------------------- tending it

    def tend(self) -> None:
        """Look after the file now and then; meant for a loop that turns every few seconds. Never raises.

        Takes the ballast again and leaves memory when the disk can be written; seals what waits for it long.
        """
        with self._lock:
            self._disk.tend()
            self._give_another_chance()

    def verify(self) -> bool:
        """Read the whole file and look for damage; a damaged one is set aside. False if it was.

        Takes seconds on a large file: meant for a thread beside the work, at the start.
        """
        return self._disk.verify()

    @property
    def unsaved(self) -> bool:
        """Whether a file was set aside that `salvage` has to look through."""
        return self._disk.unsaved

    def salvage(self) -> None:
        """Save what is whole in files that were set aside and are large: a thread beside the work."""
        self._disk.salvage()

    def salvaged(self) -> list[Salvaged]:
        """What became of damaged files since this was last asked."""
        with self._lock:
            salvaged, self._disk.salvaged = self._disk.salvaged, []
            return salvaged

    def close(self) -> None:
        """Let go of the file; safe to call twice. The ballast stays."""
        with self._lock:
            self._disk.close()

    def _contradicted(self, foreign: Sequence[int], beyond: int) -> None:
        """Invariant 16. A stream that began so just now has no double: then the way alters messages."""
        now = self._clock.now()
        young = self._forked is not None and now.since(self._forked) < FORK_AGAIN_S
        again = self._doubted.issuperset(foreign) and not beyond
        if young or again:
            for seq in foreign:
                self.quarantine(seq, CONTRADICTED)
            self._doubted.update(foreign)
            return
        if foreign:
            why = f"the station has another message {foreign[0]} than this outbox"
        else:
            why = f"the station has message {beyond}, which this outbox never put"
        if self._disk.fork(why):
            self._forked, self._doubted = now, set()

    def _give_another_chance(self) -> None:
        """What was contradicted in a stream that had just begun is sent again, each hour and after a start.

        Whoever may write receipts could otherwise keep all that waits from the station until somebody comes.
        """
        now = self._clock.now()
        if self._chance_at is not None and now.since(self._chance_at) < FORK_AGAIN_S:
            return
        self._chance_at = now
        with suppress(OutboxError):
            self._disk.run(lambda store: store.set_free(CONTRADICTED))

    def _commit_arrivals(self) -> None:
        """Write the oldest requests in one transaction."""
        requests: list[_PutRequest] = []
        size = 0
        while self._arrivals and size < BATCH:
            requests.append(self._arrivals.popleft())
            size += len(requests[-1].messages)
        self._commit(requests)

    def _commit(self, requests: Sequence[_PutRequest]) -> None:
        """Whoever waits for this transaction hears how it ended; what cannot be written fails alone."""
        try:
            written = self._disk.put([request.messages for request in requests])
        except OutboxError as error:
            if len(requests) == 1:
                requests[0].error = error
                return
            for request in requests:
                self._commit([request])
            return
        for request, seqs in zip(requests, written, strict=True):
            request.seqs = seqs
