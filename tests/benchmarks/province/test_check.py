"""benchmarks.province.check"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.province.check import FIGURES, predicted
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.day import arrivals
from benchmarks.province.phases import BatchSample, Phases, Ways
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
    found = replace(times, phases=Phases((seen,), (0.002,), (0.0,), (way,), 0.001))

    near, far = predicted(plan, times, 0.0), predicted(plan, found, 0.05)

    assert far.percentile(0.5) - near.percentile(0.5) == pytest.approx(0.3, abs=0.01)
    assert far.cpu_s - near.cpu_s == pytest.approx(0.001 * len(plan), rel=0.5)


def test_a_way_through_the_broker_is_gone_twice(times: ServiceTimes) -> None:
    plan = commune_plan(list(arrivals(30.0, 5.0, 2)), 2)

    near, far = (predicted(plan, times, hop_s) for hop_s in (0.0, 0.05))

    assert far.percentile(0.5) - near.percentile(0.5) == pytest.approx(0.1, abs=0.01)
