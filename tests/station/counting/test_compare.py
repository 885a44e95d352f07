"""station.counting.compare"""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.counting.buckets import Step, buckets
from station.counting.compare import WEEK, beside_the_week_before, compared
from station.counting.lines import counted_lines
from station.counting.series import CountCell, Series
from tests.station.counting.counts import BERLIN, VIETNAM, quarters
from tests.support.stores import Place

DAY = date(2026, 11, 27)
MIDNIGHT = datetime(2026, 11, 27, tzinfo=VIETNAM)
HOUR_MS = 3_600_000


def test_only_hours_that_were_counted_in_both_weeks_are_compared(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT - WEEK, 96, counts={"car": {"in": 2}}))
        store.commit(quarters(MIDNIGHT, 40, 101, counts={"car": {"in": 3}}))  # ten hours; then it was off
        series, found = beside_the_week_before(
            place.engine,
            counted_lines(place.engine),
            (DAY, DAY),
            Step.DAY,
            VIETNAM,
            MIDNIGHT + timedelta(days=2),
        )

    assert [cell.total for cell in series.cells] == [120], "what was counted the week before is not in it"
    assert (found.step, found.paired, found.of) == (Step.HOUR, 10, 24)
    assert (sum(found.now.values()), sum(found.before.values())) == (120, 80)
    assert found.change == pytest.approx(0.5)


def test_a_long_time_is_compared_by_whole_days(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT - timedelta(days=20), 21 * 96))
        days = DAY - timedelta(days=40), DAY
        _, found = beside_the_week_before(
            place.engine, counted_lines(place.engine), days, Step.WEEK, VIETNAM, MIDNIGHT + timedelta(days=2)
        )

    assert (found.step, found.paired) == (Step.DAY, 14)
    assert found.change == 0


def test_without_a_week_before_there_is_no_change(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT, 96))
        lines = counted_lines(place.engine)
        later = MIDNIGHT + timedelta(days=2)
        _, found = beside_the_week_before(place.engine, lines, (DAY, DAY), Step.HOUR, VIETNAM, later)

    assert (found.paired, found.change) == (0, None)


# ------------------------------------------------------------------------------------------------ properties

HOURS = st.lists(st.none() | st.tuples(st.integers(0, 9), st.integers(1, HOUR_MS)), min_size=24, max_size=24)


def a_day(day: date, hours: list[tuple[int, int] | None]) -> Series:
    """A day by hours: how many cars, and how much was covered; None: nobody counted."""
    cells = [
        CountCell(bucket, 0, None) if given is None else CountCell(bucket, given[1], {("car", "in"): given[0]})
        for bucket, given in zip(buckets(day, day, Step.HOUR, VIETNAM), hours, strict=True)
    ]
    return Series((), Step.HOUR, tuple(cells))


@given(HOURS, HOURS)
def test_each_week_is_weighed_by_the_same_hours(
    now: list[tuple[int, int] | None], before: list[tuple[int, int] | None]
) -> None:
    found = compared(a_day(DAY, now), a_day(DAY - WEEK, before))

    def whole(hour: tuple[int, int] | None) -> bool:
        return hour is not None and hour[1] >= HOUR_MS - 36_000

    pairs = [(one, two) for one, two in zip(now, before, strict=True) if whole(one) and whole(two)]
    assert found.paired == len(pairs)
    assert sum(found.now.values()) == sum(one[0] for one, _ in pairs if one)
    assert sum(found.before.values()) == sum(two[0] for _, two in pairs if two)


@given(HOURS)
def test_a_week_like_the_one_before_has_not_changed(hours: list[tuple[int, int] | None]) -> None:
    found = compared(a_day(DAY, hours), a_day(DAY - WEEK, hours))

    assert found.now == found.before
    assert found.change in (0, None)


def test_nine_is_nine_also_where_clocks_were_set_between_the_weeks() -> None:
    day = date(2026, 3, 30)  # the day after

    def of(when: date) -> Series:
        cells = [
            CountCell(hour, hour.length_ms, {("car", "in"): hour.start.hour})
            for hour in buckets(when, when, Step.HOUR, BERLIN)
        ]
        return Series((), Step.HOUR, tuple(cells))

    found = compared(of(day), of(day - WEEK))
    assert (found.paired, found.change) == (24, 0)
    spring = compared(of(date(2026, 3, 29)), of(date(2026, 3, 22)))
    assert (spring.paired, spring.of, spring.change) == (23, 23, 0), "an hour that is left out has no pair"
    autumn = compared(of(date(2026, 10, 25)), of(date(2026, 10, 18)))
    assert (autumn.paired, autumn.of) == (24, 25), "one that comes twice has one"
