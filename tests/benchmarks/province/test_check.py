"""benchmarks.province.check"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.province.check import FIGURES, Checked, Tried, compared, predicted, together
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.day import arrivals
from benchmarks.province.phases import BatchSample, Phases, SeenBatches, Ways
from benchmarks.province.real.runs import Outcome
from benchmarks.province.traffic import commune_plan


def test_what_is_predicted_is_the_same_twice_and_has_a_time_for_each_event(times: ServiceTimes) -> None:
    plan = commune_plan(list(arrivals(30.0, 5.0, 2)), 2)

    first, second = (predicted(plan, times, 0.001) for _ in range(2))

    assert first == second
    assert len(first.took_s) == sum(each.timed for each in plan)
    assert list(first.took_s) == sorted(first.took_s)
    assert first.lasted_s >= plan[-1].due_s
    assert all(of(first) > 0 for of in FIGURES.values())


def test_single_ways_and_batches_that_were_seen_take_the_place_of_the_means(times: ServiceTimes) -> None:
    plan = commune_plan(list(arrivals(30.0, 5.0, 2)), 2)
    seen = BatchSample(3, 3, 0.0046, 0.0096)
    way = Ways(90.0, (0.1,), (0.2,))
    found = replace(times, phases=Phases((SeenBatches(90.0, (seen,)),), (0.002,), (0.0,), (way,), 0.001))

    near, far = predicted(plan, times, 0.0), predicted(plan, found, 0.05)

    assert far.percentile(0.5) - near.percentile(0.5) == pytest.approx(0.3, abs=0.01)
    assert far.cpu_s - near.cpu_s == pytest.approx(0.001 * len(plan), rel=0.5)


def test_a_plan_goes_as_batches_of_its_own_rate_did(times: ServiceTimes) -> None:
    plan = commune_plan(list(arrivals(30.0, 5.0, 2)), 2)
    slow, quick = (SeenBatches(rate, (BatchSample(3, 3, 0.004, s),)) for rate, s in ((1.0, 0.5), (20.0, 0.009)))
    phases = Phases((slow, quick), (0.002,), (0.0,), (Ways(90.0, (0.0,), (0.0,)),), 0.0)

    assert predicted(plan, replace(times, phases=phases), 0.0).percentile(0.5) < 0.1


def test_a_way_through_the_broker_is_gone_twice(times: ServiceTimes) -> None:
    plan = commune_plan(list(arrivals(30.0, 5.0, 2)), 2)

    near, far = (predicted(plan, times, hop_s) for hop_s in (0.0, 0.05))

    assert far.percentile(0.5) - near.percentile(0.5) == pytest.approx(0.1, abs=0.01)


def test_the_runs_of_one_rate_are_one_figure_and_of_the_passes_the_median_counts(times: ServiceTimes) -> None:
    plan = commune_plan(list(arrivals(30.0, 2.0, 2)), 2)
    model = predicted(plan, times, 0.001)

    def tried(factor: float, share: float) -> Tried:
        took_s = tuple(factor * each for each in model.took_s)
        return Tried(
            90.0 * share, share, plan, Outcome(model.cpu_s, factor * model.lasted_s, 1.0, took_s, 0.001)
        )

    passes = [
        Checked(times, [tried(one, 0.5), tried(3.0, 0.9), tried(two, 0.5)])
        for one, two in ((1, 1), (0.5, 1.5), (2, 2))
    ]
    rows = list(compared("station", passes))

    assert [row["of the most"] for row in rows] == len(FIGURES) * ["50%"] + len(FIGURES) * ["90%"]
    (lasted,) = (row for row in rows[: len(FIGURES)] if row["figure"] == "all receipted after, s")
    assert lasted["deviation, %"] == 0.0
    assert [each.strip("()") for each in str(lasted["each pass"]).split()[1::2]] == ["+0", "+0", "-50"]
    assert {row["trials"] for row in rows} == {3, 6}
    assert rows[0]["arrivals a second"] == 45.0


def test_of_runs_together_all_receipts_count_and_what_was_spent_is_added() -> None:
    first, second = (
        Outcome(1.0, 4.0, 100.0, (0.1, 0.4), 0.1, 0.2, 1),
        Outcome(2.0, 6.0, 50.0, (0.2,), 0.3, 0.1, 2),
    )

    assert together([first, second]) == Outcome(3.0, 10.0, 150.0, (0.1, 0.2, 0.4), 0.3, 0.2, 3)
