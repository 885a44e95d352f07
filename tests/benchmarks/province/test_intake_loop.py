"""benchmarks.province.intake_loop"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.province.costs import Curve, ServiceTimes
from benchmarks.province.engine import Timeline
from benchmarks.province.intake_loop import BATCH, Arrived, IntakeLoop, most, sustained


def fed(
    times: ServiceTimes, arrivals: Sequence[tuple[float, int]], until_s: float
) -> tuple[IntakeLoop, list[list[Arrived]], Timeline]:
    """A loop to which a message of each sender comes at its moment."""
    timeline, batches = Timeline(), list[list[Arrived]]()
    loop = IntakeLoop(timeline, times, 1, lambda batch: batches.append(list(batch)))
    for number, (moment_s, sender) in enumerate(arrivals):
        message = Arrived(sender, 1_000 + number, 1, moment_s, moment_s, timed=True)
        timeline.at(moment_s, partial(loop.arrive, message))
    timeline.run(until_s)
    return loop, batches, timeline


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 5)), max_size=300), st.floats(0, 4))
def test_what_came_in_is_kept_or_waits_and_those_of_one_sender_stay_in_order(
    times: ServiceTimes, arrivals: list[tuple[float, int]], until_s: float
) -> None:
    loop, batches, timeline = fed(times, arrivals, until_s)

    came = sum(moment_s <= until_s for moment_s, _ in arrivals)
    on_its_way = came - loop.kept - loop.waiting
    assert 0 <= on_its_way <= BATCH
    assert loop.kept == sum(map(len, batches))
    timeline.run(60.0)
    assert (loop.kept, loop.waiting) == (len(arrivals), 0)
    assert all(len(batch) <= BATCH for batch in batches)
    for sender in range(6):
        kept = [each.at_s for batch in batches for each in batch if each.sender == sender]
        assert kept == sorted(kept)


def test_a_message_alone_has_its_receipt_after_one_quiet_look_and_one_batch(times: ServiceTimes) -> None:
    loop, _, _ = fed(times, [(1.0, 0)], 2.0)

    (took_s,) = loop.took_s
    read_s, quiet_s, batch_s = times.wake_s + times.read_s, 0.002, 0.0042 + 0.005
    assert took_s == pytest.approx(read_s + quiet_s + batch_s, abs=1e-6)


def test_a_flood_is_taken_in_full_batches_as_fast_as_a_server_of_batches_can(times: ServiceTimes) -> None:
    loop, batches, _ = fed(times, [(0.0, number % 11) for number in range(20_000)], 1_000.0)

    assert [len(batch) for batch in batches] == [BATCH] * 100
    reading_s = 20_000 * times.read_s
    assert 20_000 / (max(loop.took_s) - reading_s) == pytest.approx(most(times), rel=0.05)


@pytest.mark.parametrize(("share", "grows"), [(0.8, False), (1.4, True)])
def test_below_what_it_sustains_the_queue_stays_short_and_above_it_grows(
    times: ServiceTimes, share: float, grows: bool
) -> None:
    rate, chance, moment_s = share * sustained(times), Random(2), 0.0
    arrivals = []
    while (moment_s := moment_s + chance.expovariate(rate)) < 8.0:
        arrivals.append((moment_s, chance.randrange(11)))

    loop, _, _ = fed(times, arrivals, 8.0)

    assert (loop.waiting > 5 * BATCH) is grows


def test_no_loop_sustains_more_than_full_batches_would_bring(times: ServiceTimes) -> None:
    assert 0.1 * most(times) < sustained(times) <= most(times)


def test_a_stream_that_is_never_quiet_is_read_for_longer_than_it_is_kept(times: ServiceTimes) -> None:
    rate = 0.7 * most(times)

    loop, _, _ = fed(times, [(number / rate, number % 11) for number in range(int(rate * 8))], 8.0)

    assert loop.waiting > 0.5 * loop.read


def test_a_slow_disk_makes_batches_larger_and_not_the_processor_busier(times: ServiceTimes) -> None:
    arrivals = [(number / 100, number % 11) for number in range(1_000)]
    fast, fast_batches, _ = fed(times, arrivals, 30.0)

    slow, slow_batches, _ = fed(replace(times, blocked_s=Curve((1, 201), (0.1, 0.1))), arrivals, 30.0)

    assert len(slow_batches) < len(fast_batches) / 2
    assert slow.cpu_s < fast.cpu_s
    assert slow.written_bytes < fast.written_bytes


def test_nobody_waits_behind_the_flood_of_another(times: ServiceTimes) -> None:
    flood = [(0.0, 0)] * 5_000

    _, batches, _ = fed(times, [*flood, (0.0, 1)], 100.0)

    assert any(each.sender == 1 for each in batches[0])


def test_what_another_thread_takes_of_the_processor_delays_a_receipt_by_as_much(times: ServiceTimes) -> None:
    timeline = Timeline()
    loop = IntakeLoop(timeline, times, 1)
    timeline.at(1.0, partial(loop.arrive, Arrived(0, 1_000, 1, 1.0, 1.0, timed=True)))
    timeline.at(1.001, partial(loop.borrow, 0.5))
    timeline.run(3.0)
    alone, _, _ = fed(times, [(1.0, 0)], 3.0)

    assert loop.took_s[0] == pytest.approx(alone.took_s[0] + 0.5)
    assert loop.cpu_s == pytest.approx(alone.cpu_s + 0.5, abs=0.001)
