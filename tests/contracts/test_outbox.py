"""agent.outbox.outbox: what it promises, beside a model of it"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from agent.outbox.outbox import Outbox
from agent.outbox.seals import SEAL_EVERY
from agent.outbox.transaction import EVICTION, cost_bytes
from agent.wire import codec
from agent.wire.message import Message, Priority
from agent.wire.ranges import ranges
from tests.conftest import SteppedClock
from tests.support.outboxes import SMALL, end, message, proofs


@dataclass
class Row:
    """What the model knows of one waiting message."""

    message: Message
    at: float
    given: bool = False
    apart: bool = False


class OutboxAgainstModel(RuleBasedStateMachine):
    """The outbox beside a dictionary, with the invariants read literally."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.clock = SteppedClock()
        self.count = getattr(type(self), "count", 0) + 1
        type(self).count = self.count
        self.path = self.folder / f"{self.count}.db"
        self.box = Outbox(self.path, SMALL, self.clock)
        self.rows: dict[int, Row] = {}
        self.open: dict[str, int] = {}
        self.revision = 0
        self.next_seq = 1
        self.dropped = 0
        self.unsealed: list[int] = []
        self.given_up: set[int] = set()
        self.seals = 0

    def teardown(self) -> None:
        self.box.close()

    @rule(
        event=st.sampled_from("abc"), size=st.sampled_from([10, 3000, 90_000]), kind=st.sampled_from(Priority)
    )
    def put_one(self, event: str, size: int, kind: Priority) -> None:
        self.revision += 1
        opens = kind in (Priority.EVENT, Priority.UPDATE)
        self._put(message(event, self.revision, priority=kind, body=bytes(size), opens=opens))

    @rule(event=st.sampled_from("abc"))
    def put_end(self, event: str) -> None:
        self.revision += 1
        self._put(end(event, self.revision))

    def _put(self, new: Message) -> None:
        assert new.event_id is not None
        old = [
            seq
            for seq, row in self.rows.items()
            if row.message.event_id == new.event_id
            and row.message.priority is Priority.UPDATE
            and not row.given
            and not row.apart
        ]
        may = old and (new.closes or new.priority is Priority.UPDATE) and new.topic == "camera/north/event"
        seq = old[-1] if may else self.next_seq
        (given,) = self.box.put([new])
        assert given == seq
        self._keep(seq, new, self.rows[seq].at if may else self.clock.now().mono_s)
        if new.closes:
            self.open.pop(new.event_id, None)
        elif new.opens:
            self.open[new.event_id] = new.revision
        self._seal()
        self._evict()

    @rule(number=st.sampled_from([7, 30]))
    def put_counts(self, number: int) -> None:
        counts = [message(None, priority=Priority.COUNT) for _ in range(number)]
        for seq, each in zip(self.box.put(counts), counts, strict=True):
            assert seq == self.next_seq
            self._keep(seq, each, self.clock.now().mono_s)
        self._seal()
        self._evict()

    def _keep(self, seq: int, new: Message, at: float) -> None:
        if seq == self.next_seq:
            self.next_seq += 1
            self.unsealed.append(seq)
        self.rows[seq] = Row(new, at)

    def _seal(self) -> None:
        fresh = {
            seq
            for seq, row in self.rows.items()
            if row.message.priority is Priority.UPDATE and not row.given and not row.apart
        }
        while len(ripe := [seq for seq in self.unsealed if seq not in fresh]) >= SEAL_EVERY:
            self.unsealed = [seq for seq in self.unsealed if seq not in ripe[:SEAL_EVERY]]
            body = codec.seal(  # as long as the real one: all hashes are
                self.box.stream,
                self.seals + 1,
                (self.box.stream, self.seals, "0" * 64) if self.seals else None,
                [(seq, "0" * 64) for seq in ripe[:SEAL_EVERY]],
                dropped := ranges(sorted(self.given_up))[:30],
                self.clock.now(),
            )
            self.seals += 1
            self.given_up -= {seq for first, last in dropped for seq in range(first, last + 1)}
            seal = replace(message(None, priority=Priority.COUNT, body=body), topic=codec.CHAIN)
            self._keep(self.next_seq, seal, self.clock.now().mono_s)

    def _cost(self) -> int:
        return sum(cost_bytes(len(row.message.body)) for row in self.rows.values())

    def _evict(self) -> None:
        while self._cost() > SMALL.max_bytes:
            seq = min(
                self.rows,
                key=lambda s: (EVICTION.index(self.rows[s].message.priority), not self.rows[s].apart, s),
            )
            del self.rows[seq]
            self.given_up.add(seq)
            self.dropped += 1

    @rule(limit=st.integers(0, 8), skip=st.sets(st.integers(1, 20)))
    def ask(self, limit: int, skip: set[int]) -> None:
        now = self.clock.now().mono_s
        order = sorted(
            (seq for seq, row in self.rows.items() if not row.apart and seq not in skip),
            key=lambda s: (self.rows[s].message.priority, now - self.rows[s].at > 60, s),
        )
        found = self.box.waiting(limit, self.clock.now(), skip)
        assert [s.seq for s in found] == order[:limit]
        for stored in found:
            seal = stored.message.topic == codec.CHAIN
            expected = self.rows[stored.seq].message
            assert stored.message == expected or (seal and expected.topic == codec.CHAIN)
            self.rows[stored.seq].given = True

    @rule(first=st.integers(0, 30), length=st.integers(0, 6))
    def receipt(self, first: int, length: int) -> None:
        gone = [seq for seq in self.rows if first <= seq <= first + length]
        known = proofs(self.path, (first, first + length))
        assert self.box.acknowledge(self.box.stream, known) == len(gone)
        for seq in gone:
            del self.rows[seq]

    @precondition(lambda self: any(not row.apart for row in self.rows.values()))
    @rule(data=st.data())
    def set_apart(self, data: st.DataObject) -> None:
        seq = data.draw(st.sampled_from(sorted(s for s, row in self.rows.items() if not row.apart)))
        assert self.box.quarantine(seq, "a test")
        self.rows[seq].apart = True

    @rule(seconds=st.sampled_from([2, 30, 70]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.box.close()
        self.clock.advance(61)  # live means put by this life of the agent, too
        self.box = Outbox(self.path, SMALL, self.clock)
        for row in self.rows.values():
            row.given = True

    @rule()
    def crash(self) -> None:
        """The power goes: what the disk had at this moment is all that there is."""
        self.count = type(self).count = type(self).count + 1
        image = self.folder / f"{self.count}.db"
        for part in ("", "-wal"):
            shutil.copy(f"{self.path}{part}", f"{image}{part}")
        self.box.close()
        self.path = image
        self.clock.advance(61)
        self.box = Outbox(self.path, SMALL, self.clock)
        for row in self.rows.values():
            row.given = True

    @invariant()
    def sums_agree(self) -> None:
        stats = self.box.stats()
        assert stats.pending == sum(not row.apart for row in self.rows.values())
        assert stats.quarantined == sum(row.apart for row in self.rows.values())
        assert stats.bytes == self._cost()
        assert sum(stats.dropped.values()) == self.dropped
        assert self.box.bounds() == (min(self.rows, default=None), self.next_seq - 1 or None)
        assert {m.event_id: m.revision for m in self.box.open_events()} == self.open


def test_the_outbox_behaves_like_its_model(tmp_path: Path) -> None:
    machine = type("Machine", (OutboxAgainstModel,), {"folder": tmp_path})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=6, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
