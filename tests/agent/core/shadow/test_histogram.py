"""agent.core.shadow.histogram"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.shadow.histogram import STEP, TimeHistogram

times = st.floats(0.02, 1e6)


def of(values: list[float]) -> TimeHistogram:
    histogram = TimeHistogram()
    for each in values:
        histogram = histogram.add(each)
    return histogram


@given(st.lists(times, min_size=1, max_size=60), st.floats(0.01, 1.0))
def test_a_quantile_is_that_of_the_sorted_times_to_a_tenth(values: list[float], share: float) -> None:
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = of(values).quantile_ms(share)

    assert found is not None
    assert exact / STEP <= found <= exact * STEP


@given(st.lists(times, max_size=30))
def test_it_counts_every_time_once(values: list[float]) -> None:
    assert of(values).count == len(values)


@given(st.lists(times, min_size=1, max_size=30), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_higher_share_is_no_shorter_time(values: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    histogram = of(values)
    assert (histogram.quantile_ms(low) or 0) <= (histogram.quantile_ms(high) or 0)


def test_without_a_time_there_is_no_quantile() -> None:
    assert TimeHistogram().quantile_ms(0.5) is None


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf")])
def test_what_is_no_time_counts_as_the_longest(nonsense: float) -> None:
    assert (of([nonsense]).quantile_ms(0.5) or 0) > 1e6


def test_nothing_and_less_count_as_the_shortest() -> None:
    histogram = of([0.0, -5.0])

    assert histogram.count == 2
    assert (histogram.quantile_ms(1.0) or 1) < 0.02
