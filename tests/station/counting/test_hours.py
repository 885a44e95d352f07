"""station.counting.hours"""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.counting.buckets import Step, buckets
from station.counting.hours import CountedHour, hour_from, read_hour
from station.counting.intervals import CountedInterval
from station.counting.series import cells_of
from station.store.columns import HOUR_MS
from tests.station.counting.counts import VIETNAM

FIRST = round(datetime(2026, 11, 27, tzinfo=VIETNAM).timestamp() * 1000)
DAYS = date(2026, 11, 27), date(2026, 11, 28)
LATER = FIRST + 40 * 86_400_000
IN, OUT = ("car", "in"), ("con vật", "out")
LENGTHS = st.one_of(st.just(900_000), st.integers(0, HOUR_MS), st.integers(899_000, 901_000))


@st.composite
def followed(draw: st.DrawFn) -> list[CountedInterval]:
    """Intervals one after another, as a box that is started now and then counts them."""
    at_ms, found = FIRST + draw(st.integers(-HOUR_MS, HOUR_MS)), list[CountedInterval]()
    for _ in range(draw(st.integers(1, 30))):
        length = draw(LENGTHS)
        numbers = {IN: draw(st.integers(1, 400)), OUT: draw(st.integers(1, 9))} if draw(st.booleans()) else {}
        found.append(CountedInterval(at_ms, at_ms + length, numbers))
        at_ms += length + draw(st.sampled_from([0, 0, 0, 5_000, 90_000, 4_000_000]))
    return found


@pytest.mark.parametrize("step", [Step.HOUR, Step.DAY])
@given(followed())
def test_hours_give_the_same_cells_as_the_intervals_that_they_sum_up(
    step: Step, intervals: list[CountedInterval]
) -> None:
    """The invariant; also when hours were written down and read again."""
    wanted = buckets(*DAYS, step, VIETNAM)
    summed = [
        hour_from(at_ms, intervals) for at_ms in range(FIRST - 2 * HOUR_MS, LATER - 37 * 86_400_000, HOUR_MS)
    ]
    texts = [(each.hour_ms, each.as_text()) for each in summed if each is not None]
    hours = [read_hour(*each) for each in texts]

    assert None not in summed
    assert hours == summed
    assert cells_of(wanted, [], LATER, hours) == cells_of(wanted, intervals, LATER)


def test_an_hour_that_one_longer_than_an_hour_touches_is_left_to_its_intervals() -> None:
    short = CountedInterval(FIRST, FIRST + 900_000, {IN: 1})
    long = CountedInterval(FIRST + 1_000_000, FIRST + 5_000_000, {IN: 1})

    assert hour_from(FIRST, [short]) is not None
    assert hour_from(FIRST, [short, long]) is None
    assert hour_from(FIRST + 2 * HOUR_MS, [short, long]) == CountedHour(FIRST + 2 * HOUR_MS, {}, ())


def test_what_is_counted_over_a_border_by_moments_is_not_called_parted() -> None:
    over = CountedInterval(FIRST - 1_000, FIRST + 899_000, {IN: 100})
    half = CountedInterval(FIRST - 450_000, FIRST + 450_000, {IN: 100})

    assert hour_from(FIRST, [over]) == CountedHour(FIRST, {IN: 100}, ((FIRST, FIRST + 899_000),))
    assert hour_from(FIRST, [half]) == CountedHour(FIRST, {IN: 50}, ((FIRST, FIRST + 450_000),), (True, False))


def test_an_hour_that_says_no_counts_has_none_and_spoils_no_chart() -> None:
    assert read_hour(FIRST, '{"spans":[[0,3600000]],"parted":[false,false]}').numbers == {}
