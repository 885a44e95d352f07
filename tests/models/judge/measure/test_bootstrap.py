"""models.judge.measure.bootstrap"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.judge.measure.bootstrap import (
    Estimate,
    estimate,
    expanded_tail,
    resampled,
    student,
    widened,
    widening,
)


@given(st.integers(1, 40))
def test_each_resample_has_as_many_scenes_as_there_are_and_is_always_the_same(scenes: int) -> None:
    weights = resampled(scenes, 50)

    assert (weights.sum(axis=1) == scenes).all()
    assert (weights == resampled(scenes, 50)).all()


def width(scenes: int) -> float:
    """Of the interval of a mean over so many scenes of noise."""
    values = np.random.default_rng(4).normal(0, 1, scenes)
    samples = resampled(scenes, 1000) @ values / scenes
    found = estimate(float(values.mean()), samples, scenes)
    return found.high - found.low


def test_an_interval_shrinks_with_the_number_of_scenes() -> None:
    widths = [width(scenes) for scenes in (6, 24, 96)]

    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0] / 3


def test_an_interval_of_few_scenes_holds_the_truth_as_often_as_it_says() -> None:
    """Eight scenes of noise, three hundred times: the plain percentile interval holds it in about 88 of 100."""
    chance = np.random.default_rng(5)
    weights = resampled(8, 1000)
    held = plain = 0
    for _ in range(300):
        values = chance.normal(0, 1, 8)
        samples = weights @ values / 8
        found = estimate(float(values.mean()), samples, 8)
        held += found.low <= 0 <= found.high
        low, high = np.quantile(samples, [0.025, 0.975])
        plain += low <= 0 <= high
    assert plain / 300 < 0.92
    assert held / 300 > 0.92


def test_students_quantiles_are_those_of_the_tables() -> None:
    assert student(0.975, 4) == pytest.approx(2.776, abs=0.01)
    assert student(0.975, 7) == pytest.approx(2.365, abs=0.002)
    assert student(0.975, 200) == pytest.approx(1.972, abs=0.001)
    assert expanded_tail(0.025, 10_000) == pytest.approx(0.025, abs=0.0001)


def test_of_one_scene_nothing_is_known_of_others() -> None:
    found = estimate(0.5, np.array([0.5, 0.5]), 1)

    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()


def test_resamples_that_hold_nothing_are_left_out() -> None:
    found = estimate(0.5, np.array([0.4, np.nan, 0.6]), 9)

    assert (found.low, found.high) == (pytest.approx(0.4, abs=0.01), pytest.approx(0.6, abs=0.01))
    assert np.isnan(estimate(np.nan, np.array([np.nan]), 9).low)


def test_intervals_that_decide_together_are_widened_until_all_hold_at_once() -> None:
    """Ten figures of noise, nothing to do with each other: about 2.8 deviations instead of 1.96."""
    samples = list(np.random.default_rng(6).normal(0, 1, (10, 20_000)))

    times = widening(samples)

    assert times == pytest.approx(2.80 / 1.96, abs=0.03)
    assert widening(samples[:1]) == pytest.approx(1, abs=0.02)
    assert widening([samples[0]] * 10) == widening(samples[:1])  # the same figure ten times is one


def test_what_never_differs_or_is_not_there_widens_nothing() -> None:
    nothing = np.zeros(100)

    assert widening([]) == widening([nothing]) == widening([np.full(100, np.nan)]) == 1
    assert widened(Estimate(0.1, 0.0, 0.4), 2) == Estimate(0.1, pytest.approx(-0.1), pytest.approx(0.7))
