"""benchmarks.province.day"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.province.day import CAMERAS, COMMUNES, HOURS, arrivals, communes, peak


def test_the_hours_are_a_whole_day_and_the_busiest_has_twice_its_share() -> None:
    assert sum(HOURS) == pytest.approx(100.0)
    assert peak() == pytest.approx(2.16)


@given(st.floats(0.5, 50), st.integers(0, 1_000))
def test_events_come_in_order_within_the_time_and_the_same_for_the_same_seed(rate: float, seed: int) -> None:
    found = list(arrivals(rate, 20.0, seed))

    assert found == sorted(found)
    assert all(0 <= moment_s < 20.0 for moment_s in found)
    assert found == list(arrivals(rate, 20.0, seed))


@pytest.mark.parametrize("burst", [1.0, 3.0])
def test_bursts_change_how_events_come_and_not_how_many(burst: float) -> None:
    found = list(arrivals(20.0, 2_000.0, 7, burst))
    counts = [0] * 2_000
    for moment_s in found:
        counts[int(moment_s)] += 1
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)

    assert mean == pytest.approx(20.0, rel=0.05)
    assert variance / mean == pytest.approx(1.0, abs=0.15) if burst == 1.0 else variance / mean > 1.5


@given(st.integers(COMMUNES, 30_000), st.integers(0, 50))
def test_every_commune_has_a_camera_and_together_they_have_all(cameras: int, seed: int) -> None:
    sizes = communes(cameras, seed=seed)

    assert (len(sizes), sum(sizes)) == (COMMUNES, cameras)
    assert min(sizes) >= 1
    assert sizes == sorted(sizes, reverse=True)


def test_the_largest_commune_of_now_is_some_three_times_the_mean() -> None:
    assert 2.0 < communes(CAMERAS)[0] / (CAMERAS / COMMUNES) < 4.0


def test_fewer_cameras_than_communes_are_refused() -> None:
    with pytest.raises(ValueError, match="one at least"):
        communes(COMMUNES - 1)
