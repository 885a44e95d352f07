"""agent.workers.keeping"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.outbox.transaction import EVICTION
from agent.wire.message import Message, Priority
from agent.workers.keeping import AGAIN_S, OVERHEAD_BYTES, Keeping
from tests.conftest import SteppedClock

AT = Instant(1000.0, 1_770_000_000.0)


def message(number: int, priority: Priority = Priority.EVENT, size: int = 100) -> Message:
    body = str(number).encode().ljust(size)
    return Message("camera/north/event", body, "application/json", priority, AT, f"e-{number}")


class Disk:
    """A disk that is full or not: the hardware of the outbox."""

    def __init__(self) -> None:
        self.full = False
        self.asked = 0
        self.taken: list[Message] = []

    def put(self, messages: Sequence[Message]) -> list[int]:
        self.asked += 1
        if self.full:
            raise OutboxError("outbox: the disk is full", "free some space")
        self.taken.extend(messages)
        return list(range(len(messages)))


def test_what_is_kept_is_in_the_outbox_at_once(tmp_path: Path, clock: SteppedClock) -> None:
    outbox = Outbox(tmp_path / "outbox.db", OutboxSettings(), clock)
    Keeping(outbox, "north", clock).keep([message(1), message(2)])

    assert outbox.stats().pending == 2
    outbox.close()


def test_a_full_disk_is_told_once_asked_now_and_then_and_loses_nothing_that_fits(clock: SteppedClock) -> None:
    disk = Disk()
    keeping = Keeping(disk, "north", clock)
    disk.full = True
    with capture_logs() as lines:
        for number in range(50):
            keeping.keep([message(number)])
            clock.advance(0.1)
        asked = disk.asked
        disk.full = False
        clock.advance(AGAIN_S)
        keeping.keep()

    assert asked <= 6
    assert [line["event"] for line in lines] == ["lost", "back"]
    assert disk.taken == [message(number) for number in range(50)]
    assert not keeping.dropped
    assert not keeping.failing


def test_at_the_end_it_is_tried_without_waiting(clock: SteppedClock) -> None:
    disk = Disk()
    keeping = Keeping(disk, "north", clock)
    disk.full = True
    keeping.keep([message(1)])
    disk.full = False
    keeping.keep(now=True)

    assert disk.taken == [message(1)]


@given(st.lists(st.tuples(st.sampled_from(Priority), st.integers(0, 3000)), max_size=40))
def test_what_is_held_is_bounded_and_every_loss_is_counted_the_least_first(
    told: list[tuple[Priority, int]],
) -> None:
    clock, disk, most = SteppedClock(), Disk(), 10_000
    keeping = Keeping(disk, "north", clock, max_held_bytes=most)
    disk.full = True
    messages = [message(number, priority, max(size, 4)) for number, (priority, size) in enumerate(told)]
    with capture_logs():
        for each in messages:
            before = keeping.dropped.copy()
            keeping.keep([each])
            for least in keeping.dropped - before:  # what went was of no more worth than what stayed
                assert all(EVICTION.index(held.priority) >= EVICTION.index(least) for held in keeping._held)
        disk.full = False
        keeping.keep(now=True)

    assert sum(len(each.body) + OVERHEAD_BYTES for each in disk.taken) <= most
    assert len(disk.taken) + sum(keeping.dropped.values()) == len(messages)
    assert disk.taken == [each for each in messages if each in disk.taken]  # in their order
