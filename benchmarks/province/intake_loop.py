"""The loop of station/ingest as a model: read while something comes, hand over what is ripe, receipt it. Pure.

The numbers are the code's own: station/ingest/subscriber.py (how long is waited), batches.py (what is ripe, how
large a batch is), connection.py (how much is read in one turn). What it does with them is copied here.

So is what paho does: whatever it sends (what acknowledges, a receipt) it notes in a pipe to itself, and the
next look at the connection returns at once for it. So a stream that never rests is seen to be quiet after each
read, and a batch is handed over when the shortest time has passed, not only when the longest has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from agent.transport.burst_client import READ_BYTES
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.engine import Timeline
from benchmarks.province.phases import BatchSample
from station.ingest.batches import _BATCH as BATCH
from station.ingest.batches import _BATCH_BYTES as BATCH_BYTES
from station.ingest.batches import _BATCH_S as BATCH_S
from station.ingest.batches import _READ_S as READ_S
from station.ingest.batches import _READ_SHARE as READ_SHARE
from station.ingest.connection import _AT_ONCE as AT_ONCE
from station.ingest.subscriber import _ATTEND_S as ATTEND_S
from station.ingest.subscriber import _QUIET_S as QUIET_S
from station.ingest.subscriber import _WAIT_S as WAIT_S

BURST_BYTES: Final = AT_ONCE * READ_BYTES
"""At most so much is read before it is looked whether something is ripe."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message at the door."""

    sender: int
    size_bytes: int
    items: int
    at_s: float
    sent_s: float
    timed: bool
    """Whether its receipt is waited for: of an event's messages its start."""
    back_s: float = 0.0
    """What its receipt takes from the end of its batch to its sender."""


class IntakeLoop:
    """One thread that reads and commits in turns, as a station or a worker of a shard."""

    def __init__(
        self,
        timeline: Timeline,
        costs: ServiceTimes,
        seed: int,
        receipted: Callable[[Sequence[Arrived]], None] = lambda _: None,
        rate: float = 0.0,
    ) -> None:
        """A loop to which so many messages a second will come: what its batches cost was seen at rates."""
        self.cpu_s = self.store_s = self.written_bytes = 0.0
        self.read = self.kept = self.batches = 0
        self.took_s: list[float] = []
        """Of each that is timed, from its sending to its receipt."""
        self._timeline, self._costs, self._receipted = timeline, costs, receipted
        self._chance, self._rate = Random(seed), rate
        self._socket: deque[Arrived] = deque()
        self._queues: dict[int, deque[Arrived]] = {}
        """Of each sender; whose turn it is first."""
        self._queued = 0
        self._since_s = self._batch_s = self._borrowed_s = self._attended_s = 0.0
        self._noted = False
        """Whether something was sent since the last look, which paho has noted."""
        self._waits: int | None = None
        """The number of the wait that an arrival would end."""
        self._turns = 0
        self._turn()

    @property
    def waiting(self) -> int:
        """Messages that have come and have no receipt."""
        return len(self._socket) + self._queued

    def arrive(self, message: Arrived) -> None:
        """A message is at the door now."""
        self._socket.append(message)
        if self._waits is not None:
            self._waits = None
            self._read(bool(self._queued), 0)

    def borrow(self, cpu_s: float) -> None:
        """Another thread of the process works so long: only one of them goes on at a time."""
        self.cpu_s += cpu_s
        self._borrowed_s += cpu_s

    # --------------------------------------------------------------------------------------------- the inside

    def _turn(self) -> None:
        if self._socket:
            self._read(bool(self._queued), 0)
            return
        self._turns += 1
        number, waited = self._turns, bool(self._queued)
        self._waits = number

        def nothing_came() -> None:
            if self._waits == number:
                self._waits = None
                self.cpu_s += self._costs.look_s
                self._look(waited, quiet=True)

        self._timeline.at(self._timeline.now_s + self._longest_s(waited), nothing_came)

    def _longest_s(self, waited: bool) -> float:
        """How long a look lasts in which nothing comes."""
        if self._noted:
            self._noted = False
            return self._costs.look_s
        phases = self._costs.phases
        return WAIT_S if not waited else QUIET_S if phases is None else self._chance.choice(phases.quiet_s)

    def _read(self, waited: bool, had_bytes: int) -> None:
        """All that is there, and what comes while it is read."""
        block = list(self._socket)
        self._socket.clear()
        spent_s = (self._costs.wake_s if not had_bytes else 0.0) + self._costs.read_s * len(block)
        self.cpu_s += spent_s
        if not self._queued:
            self._since_s = self._timeline.now_s
        for each in block:
            self._queues.setdefault(each.sender, deque()).append(each)
        self._queued += len(block)
        self.read += len(block)
        had_bytes += sum(each.size_bytes for each in block)

        def done() -> None:
            if self._socket and had_bytes < BURST_BYTES:
                self._read(waited, had_bytes)
            else:
                self._noted = True  # what acknowledges it
                self._look(waited, quiet=False)

        self._timeline.at(self._timeline.now_s + spent_s + self._lent(), done)

    def _look(self, waited: bool, *, quiet: bool) -> None:
        if waited and self._is_ripe(quiet):
            self._deliver()
        else:
            self._attend()

    def _is_ripe(self, quiet: bool) -> bool:
        waited_s = self._timeline.now_s - self._since_s
        return waited_s >= (BATCH_S if quiet else min(max(BATCH_S, READ_SHARE * self._batch_s), READ_S))

    def _deliver(self) -> None:
        batch, costs = self._take(), self._costs
        items = sum(each.items for each in batch)
        drawn = self._drawn(len(batch), items)
        self.cpu_s += drawn.cpu_s
        self.written_bytes += drawn.written_bytes
        if costs.store_s is not None:
            self.store_s += costs.store_s.of(len(batch), items)
        self._batch_s = drawn.lasted_s

        def delivered() -> None:
            self.batches += 1
            self.kept += len(batch)
            now_s = self._timeline.now_s
            self.took_s += [now_s - each.sent_s + each.back_s for each in batch if each.timed]
            self._receipted(batch)
            self._since_s = now_s
            self._noted = True  # the receipts
            self.cpu_s += costs.wake_s  # the broker's word that it has them
            self._attend()

        self._timeline.at(self._timeline.now_s + drawn.lasted_s + self._lent(), delivered)

    def _drawn(self, messages: int, items: int) -> BatchSample:
        """One batch of that size: one that was seen of nearly the same, and what more would have cost besides.

        Not so many times as much: what held that one up would not have lasted longer for a few messages more.
        """
        costs, phases = self._costs, self._costs.phases
        cpu_s, blocked_s = costs.deliver_s.of(messages, items), costs.blocked_s.of(messages, items)
        if phases is None:
            blocked_s *= self._chance.choice(costs.blocked_ratios)
            return BatchSample(messages, items, cpu_s, cpu_s + blocked_s, costs.written.of(messages, items))
        seen = phases.batch(messages, self._rate, self._chance)
        more_cpu_s = cpu_s - costs.deliver_s.of(seen.messages, seen.items)
        more_s = more_cpu_s + blocked_s - costs.blocked_s.of(seen.messages, seen.items)
        cpu_s = max(0.0, seen.cpu_s + more_cpu_s)
        kept = costs.written.of(seen.messages, seen.items)
        written = seen.written_bytes * costs.written.of(messages, items) / kept if kept else 0.0
        return BatchSample(messages, items, cpu_s, max(cpu_s, seen.lasted_s + more_s), written)

    def _attend(self) -> None:
        """What the program does in the same thread once a second; its processor is in the idle share."""
        phases, now_s = self._costs.phases, self._timeline.now_s
        if phases is None or now_s - self._attended_s < ATTEND_S:
            self._turn()
            return
        self._attended_s = now_s
        self._timeline.at(now_s + self._chance.choice(phases.attend_s), self._turn)

    def _take(self) -> list[Arrived]:
        """One of each sender in turn, as station/ingest/fair_queue.py does."""
        taken: list[Arrived] = []
        taken_bytes = 0
        while self._queues and len(taken) < BATCH and taken_bytes < BATCH_BYTES:
            sender = next(iter(self._queues))
            waiting = self._queues.pop(sender)
            taken.append(waiting.popleft())
            taken_bytes += taken[-1].size_bytes
            if waiting:
                self._queues[sender] = waiting
        self._queued -= len(taken)
        return taken

    def _lent(self) -> float:
        lent_s, self._borrowed_s = self._borrowed_s, 0.0
        return lent_s
