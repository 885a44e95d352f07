"""benchmarks.province.real.calibration, and traced and trace beside it"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from benchmarks.province import check
from benchmarks.province.check import predicted
from benchmarks.province.costs import Curve, ServiceTimes
from benchmarks.province.real import runs
from benchmarks.province.real.calibration import (
    SHARES,
    CalibrationRun,
    Seen,
    calibrated,
    name_of,
    seen,
    seen_at,
)
from benchmarks.province.real.runs import Outcome
from benchmarks.province.real.trace import Trace, TracedBatch
from benchmarks.province.traffic import Sending, commune_plan
from tests.support.brokers import Mosquitto

EVENTS_S = [0.1 * number for number in range(20)]


def traced(plan: list[Sending], began_s: float, share: float = 0.5) -> Seen:
    """One in whose trace each message is a batch of its own, 40 ms after it was sent; 10 ms, half work."""
    trace = Trace(quiet=[(began_s, 0.0025)], attend=[(began_s, 0.003)])
    ways = {}
    for number, each in enumerate(plan):
        sent_s = began_s + 1.0 + 0.1 * number
        name = name_of(each)
        trace.heard_s[name] = sent_s + 0.002
        wrote = 10_000 + 1_000 * number
        trace.batches.append(TracedBatch(sent_s + 0.04, sent_s + 0.05, 0.005, (name,), wrote, wrote + 600))
        ways[name] = (sent_s, sent_s + 0.051)
    ends_s = began_s + 2.0 + 0.1 * len(plan)
    outcome = Outcome(1.0, ends_s - began_s, 5e6, (0.051,), 0.001)
    return Seen(trace, [CalibrationRun(share, plan, began_s, ends_s, ways, outcome)], 0.0, 0.0)


def test_what_is_tried_lies_between_loads_that_were_seen_and_is_none_of_them() -> None:
    assert all(min(SHARES) < share < max(SHARES) for share in check.SHARES)
    assert not set(SHARES) & set(check.SHARES)


def test_the_means_are_those_of_the_real_program_and_each_phase_has_its_samples(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)

    found = calibrated(times, [traced(plan, 1_000.0)])

    assert found.deliver_s.of(1, 1) == pytest.approx(0.005)
    assert found.deliver_s.of(201, 1) == pytest.approx(0.005 * 0.0442 / 0.0042)
    assert found.blocked_s.of(1, 1) == pytest.approx(0.005)
    assert len(plan) * found.written.of(1, 1) == pytest.approx(5e6)
    assert found.phases is not None
    (batches,) = found.phases.batches
    assert {(each.messages, each.items) for each in batches.samples} == {(1, 1)}
    assert len(batches.samples) == len(plan)
    assert batches.rate == found.phases.ways[0].rate == pytest.approx(len(plan) / plan[-1].due_s)
    # What is written between two batches belongs to the later one; before the first nothing does.
    assert [each.written_bytes for each in batches.samples] == [600, *[1_000] * (len(plan) - 1)]
    (ways,) = found.phases.ways
    assert set(map(partial(round, ndigits=6), ways.in_s)) == {round(0.002 - times.wake_s - times.read_s, 6)}
    assert set(map(partial(round, ndigits=6), ways.out_s)) == {0.001}
    assert (found.phases.quiet_s, found.phases.attend_s) == ((0.0025,), (0.003,))


def test_two_runs_whose_messages_have_the_same_numbers_are_two(times: ServiceTimes) -> None:
    plans = [commune_plan(EVENTS_S, seed) for seed in (3, 4)]
    first, second = (traced(plan, 1_000.0 * at, 0.1 * at) for at, plan in enumerate(plans, 1))
    both = Trace(
        first.trace.batches + second.trace.batches,
        first.trace.heard_s | second.trace.heard_s,
        first.trace.quiet,
        first.trace.attend + second.trace.attend,
    )

    phases = calibrated(times, [Seen(both, [*first.runs, *second.runs], 0.0, 0.0)]).phases

    assert phases is not None
    assert [len(each.in_s) for each in phases.ways] == [len(plan) for plan in plans]
    assert [len(each.samples) for each in phases.batches] == [len(plan) for plan in plans]
    assert min(min(each.in_s) for each in phases.ways) > 0.001


def test_what_was_seen_in_several_rounds_at_one_rate_is_drawn_from_together(times: ServiceTimes) -> None:
    plans = [commune_plan(EVENTS_S, seed) for seed in (3, 4)]
    rounds = [traced(plan, 1_000.0) for plan in plans]
    rounds[1] = replace(rounds[1], idle_share=0.02, idle_bytes_s=100.0)

    found = calibrated(times, rounds)

    assert (found.idle_share, found.idle_bytes_s) == (0.01, 50.0)
    assert found.phases is not None
    (ways,) = found.phases.ways
    (batches,) = found.phases.batches
    assert len(ways.in_s) == len(ways.out_s) == len(batches.samples) == sum(map(len, plans))
    assert ways.rate == pytest.approx(sum(len(plan) / plan[-1].due_s for plan in plans) / 2)


def test_what_other_threads_spent_is_added_until_the_model_spends_as_much(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)
    program = traced(plan, 1_000.0)

    found = calibrated(times, [program])

    assert found.phases is not None and found.phases.beside_s > 0
    assert predicted(plan, found, 0.0).cpu_s == pytest.approx(program.runs[0].outcome.cpu_s)


def test_a_way_is_counted_only_where_no_batch_kept_the_message_from_being_read(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)
    program = traced(plan, 1_000.0)
    trace, run = program.trace, program.runs[0]
    late, name = trace.batches[4], trace.batches[4].names[0]
    trace.batches[4] = TracedBatch(run.ways[name][0] + 0.001, late.ended_s, 0.005, late.names)
    assert name is not None
    trace.heard_s[name] = late.ended_s + 0.2

    phases = calibrated(times, [program]).phases

    assert phases is not None
    assert len(phases.ways[0].in_s) == len(plan) - 1
    assert max(phases.ways[0].in_s) < 0.003


def test_a_way_is_not_counted_where_the_reading_of_the_message_was_not_noted(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)
    program = traced(plan, 1_000.0)
    for each in plan[::2]:
        del program.trace.heard_s[name_of(each)]

    phases = calibrated(times, [program]).phases

    assert phases is not None
    assert len(phases.ways[0].in_s) == len(plan) // 2
    assert len(phases.ways[0].out_s) == len(plan)


def test_a_pass_has_its_own_batches_and_waits() -> None:
    trace = traced(commune_plan(EVENTS_S, 3), 1_000.0).trace
    trace.quiet.append((1_002.0, 0.5))
    trace.attend.append((1_003.0, 0.7))

    first, later = trace.between(0.0, 1_001.5), trace.between(1_001.5, 2_000.0)

    assert [*first.batches, *later.batches] == trace.batches
    assert max(each.began_s for each in first.batches) < 1_001.5 < min(each.began_s for each in later.batches)
    assert (first.quiet, later.quiet) == ([(1_000.0, 0.0025)], [(1_002.0, 0.5)])
    assert (first.attend, later.attend) == ([(1_000.0, 0.003)], [(1_003.0, 0.7)])


@pytest.mark.long
@pytest.mark.broker
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("hardly_any_rest")
def test_a_traced_station_tells_of_each_message_when_it_was_heard_and_in_which_batch_it_was(
    start_mosquitto: Callable[..., Mosquitto],
    tmp_path: Path,
    times: ServiceTimes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "LATE_MS", -1.0)  # no sender is in time: plans are sent as often as may be
    plans = [commune_plan([0.1, 0.2, 0.9], seed) for seed in range(runs.TRIALS)]
    file = tmp_path / "trace"

    with runs.running_station(start_mosquitto(), tmp_path, file) as program:
        run = seen_at(program, 0.5, iter(plans))
    found = calibrated(times, seen(file, program, [[run]]))

    trace: Trace = pickle.loads(file.read_bytes())
    sent = {name_of(each) for plan in plans for each in plan}
    assert set(trace.heard_s) == sent
    assert {name for batch in trace.batches for name in batch.names} >= sent
    assert all(batch.began_s < batch.ended_s and batch.cpu_s > 0 for batch in trace.batches)
    assert all(trace.heard_s[name] <= batch.began_s for batch in trace.batches for name in batch.names if name)
    assert isinstance(found.deliver_s, Curve)
    assert (run.plan, run.outcome.trials) == (plans[-1], runs.TRIALS)
    assert found.phases is not None
    (batches,) = found.phases.batches
    assert len(batches.samples) >= 3
    assert sum(each.messages for each in batches.samples) == len(plans[-1]), "of the latest trial alone"
    assert len(found.phases.ways[0].out_s) == len(plans[-1])
    assert trace.quiet and trace.attend
