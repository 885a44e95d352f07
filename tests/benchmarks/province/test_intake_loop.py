"""benchmarks.province.intake_loop"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.province.costs import Curve, ServiceTimes
from benchmarks.province.engine import Timeline
from benchmarks.province.intake_loop import BATCH, BATCH_S, Arrived, IntakeLoop
from benchmarks.province.phases import BatchSample, Phases, SeenBatches, Ways

WAYS = (Ways(1.0, (0.0,), (0.0,)),)


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


def test_a_message_alone_waits_until_others_could_have_come_and_not_a_look_more(times: ServiceTimes) -> None:
    loop, _, _ = fed(times, [(1.0, 0), (2.0, 0)], 3.0)

    batch_s = 0.0042 + 0.005
    assert all(BATCH_S + batch_s < took_s < BATCH_S + batch_s + 0.0022 for took_s in loop.took_s)
    assert len(loop.took_s) == 2


def test_a_stream_that_never_rests_is_handed_over_once_it_was_gathered_for_paho_wakes_itself(
    times: ServiceTimes,
) -> None:
    arrivals = [(number / 1_000, number % 11) for number in range(4_000)]

    _, batches, _ = fed(times, arrivals, 4.0)

    sizes = [len(batch) for batch in batches[20:-2]]
    batch_s = [times.deliver_s.of(size, size) + 0.005 for size in sizes]
    assert sum(sizes) / 1_000 == pytest.approx(sum(batch_s) + len(sizes) * BATCH_S, rel=0.15)
    assert max(sizes) < 200


def test_a_batch_lasts_as_one_that_was_seen_and_as_much_more_as_it_is_larger(times: ServiceTimes) -> None:
    seen = replace(
        times,
        phases=Phases((SeenBatches(1.0, (BatchSample(1, 1, 0.0021, 0.04),)),), (0.003,), (0.0,), WAYS, 0.0),
    )

    loop, _, _ = fed(seen, [(1.0, 0)], 2.0)
    (alone_s,) = loop.took_s
    many, batches, _ = fed(seen, [(1.0, number) for number in range(101)], 2.0)

    assert alone_s == pytest.approx(BATCH_S + 0.04, abs=0.0035)
    assert [len(batch) for batch in batches] == [101]
    more_s = times.deliver_s.of(101, 101) - 0.0042
    assert min(many.took_s) == pytest.approx(BATCH_S + 0.04 + more_s, rel=0.15)
    assert many.cpu_s > 5 * 0.0021


def test_what_is_done_once_a_second_delays_what_comes_meanwhile(times: ServiceTimes) -> None:
    seen = BatchSample(1, 1, 0.0042, 0.0092)
    busy = replace(times, phases=Phases((SeenBatches(1.0, (seen,)),), (0.002,), (0.5,), WAYS, 0.0))
    arrivals = [(number / 20, 0) for number in range(200)]

    loop, _, _ = fed(busy, arrivals, 12.0)
    calm, _, _ = fed(times, arrivals, 12.0)

    late = [took_s for took_s in loop.took_s if took_s > 0.2]
    assert max(calm.took_s) < 0.05
    assert len(loop.took_s) == 200
    assert 0.1 < len(late) / 200 < 0.5


def test_a_receipt_is_on_its_way_back_besides(times: ServiceTimes) -> None:
    timeline = Timeline()
    loop = IntakeLoop(timeline, times, 1)
    timeline.at(1.0, partial(loop.arrive, Arrived(0, 1_000, 1, 1.0, 1.0, timed=True, back_s=0.25)))
    timeline.run(3.0)
    alone, _, _ = fed(times, [(1.0, 0)], 3.0)

    assert loop.took_s[0] == pytest.approx(alone.took_s[0] + 0.25)


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
    timeline.at(1.0001, partial(loop.borrow, 0.5))
    timeline.run(3.0)
    alone, _, _ = fed(times, [(1.0, 0)], 3.0)

    assert loop.took_s[0] == pytest.approx(alone.took_s[0] + 0.5)
    assert loop.cpu_s == pytest.approx(alone.cpu_s + 0.5, abs=0.001)
