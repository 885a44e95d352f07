"""models.train.plan"""

from __future__ import annotations

import pytest

from models.train.plan import LAST_RATE, LOOKS, WARM_UP, rate_share, steps_within


def test_the_rate_rises_and_then_falls_to_its_last() -> None:
    shares = [rate_share(step, 1000) for step in range(1001)]

    assert shares[:WARM_UP] == sorted(shares[:WARM_UP])
    assert shares[WARM_UP] == pytest.approx(1.0)
    assert shares[WARM_UP:] == sorted(shares[WARM_UP:], reverse=True)
    assert shares[-1] == pytest.approx(LAST_RATE)


def test_beyond_the_last_step_the_rate_stays() -> None:
    assert rate_share(5000, 1000) == pytest.approx(LAST_RATE)


def test_the_time_that_looking_takes_is_no_time_to_learn() -> None:
    assert steps_within(10, 0.5, 0.0) == 1200
    assert steps_within(10, 0.5, 6.0) == 1200 - LOOKS * 12


def test_however_little_time_there_is_it_warms_up() -> None:
    assert steps_within(0.1, 5.0, 60.0) == WARM_UP
