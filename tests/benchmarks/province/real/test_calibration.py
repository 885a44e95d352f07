"""benchmarks.province.real.calibration, and traced and trace beside it"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from benchmarks.province.check import predicted
from benchmarks.province.costs import Curve, ServiceTimes
from benchmarks.province.real import runs
from benchmarks.province.real.calibration import CalibrationRun, calibrated, name_of, with_phases
from benchmarks.province.real.runs import Outcome
from benchmarks.province.real.trace import Trace, TracedBatch
from benchmarks.province.traffic import Sending, commune_plan
from tests.support.brokers import Mosquitto

EVENTS_S = [0.1 * number for number in range(20)]


def seen(plan: list[Sending], times: ServiceTimes, began_s: float) -> tuple[Trace, CalibrationRun]:
    """A trace in which each message is a batch of its own, 40 ms after it was sent; 10 ms, half work."""
    trace = Trace(quiet=[(began_s, 0.0025)], attend=[(began_s, 0.003)])
    ways = {}
    for number, each in enumerate(plan):
        sent_s = began_s + 1.0 + 0.1 * number
        name = name_of(each)
        trace.heard_s[name] = sent_s + 0.002
        trace.batches.append(TracedBatch(sent_s + 0.04, sent_s + 0.05, 0.005, (name,)))
        ways[name] = (sent_s, sent_s + 0.051)
    ends_s = began_s + 2.0 + 0.1 * len(plan)
    outcome = Outcome(1.0, ends_s - began_s, 5e6, (0.051,), 0.001)
    return trace, CalibrationRun(plan, began_s, ends_s, ways, outcome)


def test_the_means_are_those_of_the_real_program_and_each_phase_has_its_samples(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)
    trace, run = seen(plan, times, 1_000.0)

    found = with_phases(times, trace, [run])

    assert found.deliver_s.of(1, 1) == pytest.approx(0.005)
    assert found.deliver_s.of(201, 1) == pytest.approx(0.005 * 0.0442 / 0.0042)
    assert found.blocked_s.of(1, 1) == pytest.approx(0.005)
    assert len(plan) * found.written.of(1, 1) == pytest.approx(5e6)
    assert found.phases is not None
    assert {(each.messages, each.items) for each in found.phases.batches} == {(1, 1)}
    assert len(found.phases.batches) == len(plan)
    (ways,) = found.phases.ways
    assert set(map(partial(round, ndigits=6), ways.in_s)) == {round(0.002 - times.wake_s - times.read_s, 6)}
    assert set(map(partial(round, ndigits=6), ways.out_s)) == {0.001}
    assert (found.phases.quiet_s, found.phases.attend_s) == ((0.0025,), (0.003,))


def test_two_runs_whose_messages_have_the_same_numbers_are_two(times: ServiceTimes) -> None:
    plans = [commune_plan(EVENTS_S, seed) for seed in (3, 4)]
    (first, one), (second, other) = (seen(plan, times, 1_000.0 * at) for at, plan in enumerate(plans, 1))
    both = Trace(
        first.batches + second.batches,
        first.heard_s | second.heard_s,
        first.quiet,
        first.attend + second.attend,
    )

    phases = with_phases(times, both, [one, other]).phases

    assert phases is not None
    assert [len(each.in_s) for each in phases.ways] == [len(plan) for plan in plans]
    assert min(min(each.in_s) for each in phases.ways) > 0.001


def test_what_other_threads_spent_is_added_until_the_model_spends_as_much(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)
    trace, run = seen(plan, times, 1_000.0)

    found = with_phases(times, trace, [run])

    assert found.phases is not None and found.phases.beside_s > 0
    assert predicted(plan, found, 0.0).cpu_s == pytest.approx(run.outcome.cpu_s)


def test_a_way_is_counted_only_where_no_batch_kept_the_message_from_being_read(times: ServiceTimes) -> None:
    plan = commune_plan(EVENTS_S, 3)
    trace, run = seen(plan, times, 1_000.0)
    late, name = trace.batches[4], trace.batches[4].names[0]
    trace.batches[4] = TracedBatch(run.ways[name][0] + 0.001, late.ended_s, 0.005, late.names)
    assert name is not None
    trace.heard_s[name] = late.ended_s + 0.2

    phases = with_phases(times, trace, [run]).phases

    assert phases is not None
    assert len(phases.ways[0].in_s) == len(plan) - 1
    assert max(phases.ways[0].in_s) < 0.003


@pytest.mark.long
@pytest.mark.broker
@pytest.mark.timeout(300)
def test_a_traced_station_tells_of_each_message_when_it_was_heard_and_in_which_batch_it_was(
    start_mosquitto: Callable[..., Mosquitto],
    tmp_path: Path,
    times: ServiceTimes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("SETTLE_S", 0.1), ("CALM", 1.0), ("IDLE_S", 0.5)):
        monkeypatch.setattr(runs, name, value)
    plans = list[list[Sending]]()

    def few(moments: object, seed: int) -> list[Sending]:
        plans.append(commune_plan([0.1, 0.2, 0.9], seed))
        return plans[-1]

    start = partial(runs.running_station, start_mosquitto(), tmp_path)
    file = tmp_path / "trace"

    found = calibrated(times, start, file, few, [3.0], 1.0, lambda _: None)

    trace: Trace = pickle.loads(file.read_bytes())
    sent = {name_of(each) for plan in plans for each in plan}
    assert set(trace.heard_s) == sent
    assert {name for batch in trace.batches for name in batch.names} >= sent
    assert all(batch.began_s < batch.ended_s and batch.cpu_s > 0 for batch in trace.batches)
    assert all(trace.heard_s[name] <= batch.began_s for batch in trace.batches for name in batch.names if name)
    assert isinstance(found.deliver_s, Curve)
    assert found.phases is not None and len(found.phases.batches) >= 3
    assert len(found.phases.ways[0].out_s) == len(plans[-1])
    assert trace.quiet and trace.attend
