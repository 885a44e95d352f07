"""station.counting.series"""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.counting.buckets import Step, buckets
from station.counting.coverage import Covered
from station.counting.hours import added, share_of
from station.counting.intervals import CountedInterval
from station.counting.lines import counted_lines
from station.counting.series import CountCell, Series, cells_of, counted
from tests.station.counting.counts import BERLIN, QUARTER, VIETNAM, a_count, quarters
from tests.station.ingest.test_receipts import hello
from tests.support.stores import Place

DAY = date(2026, 11, 27)
MIDNIGHT = datetime(2026, 11, 27, tzinfo=VIETNAM)
LATER = MIDNIGHT + timedelta(days=30)
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
MIDNIGHT_MS = round(MIDNIGHT.timestamp() * 1000)


def a_series(
    place: Place, step: Step = Step.HOUR, now: datetime = LATER, days: tuple[date, date] = (DAY, DAY)
) -> Series:
    return counted(place.engine, counted_lines(place.engine), days, step, VIETNAM, now)


def test_an_hour_has_what_its_intervals_counted(place: Place) -> None:
    counts = {"car": {"in": 2, "out": 1}, "motorcycle": {"in": 5}}
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT, 96, counts=counts))
        found = a_series(place)
        (day,) = a_series(place, Step.DAY).cells

    assert len(found.cells) == 24
    assert {cell.covered for cell in found.cells} == {Covered.WHOLE}
    assert found.cells[9].numbers == {("car", "in"): 8, ("car", "out"): 4, ("motorcycle", "in"): 20}
    assert day.numbers == found.numbers == {("car", "in"): 192, ("car", "out"): 96, ("motorcycle", "in"): 480}


def test_an_hour_in_which_nobody_counted_is_unknown_and_one_in_which_nobody_came_is_zero(place: Place) -> None:
    """Invariant 1."""
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT + timedelta(hours=1), 4, counts={}))
        found = a_series(place).cells

    assert (found[0].numbers, found[0].total, found[0].covered) == (None, None, Covered.UNKNOWN)
    assert (found[1].numbers, found[1].total, found[1].covered) == ({}, 0, Covered.WHOLE)


def test_a_partly_covered_hour_says_how_much_of_it_is_covered(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT, 3))
        cell = a_series(place).cells[0]

    assert (cell.covered, cell.share, cell.total) == (Covered.PARTLY, 0.75, 3)


def test_what_comes_late_fills_its_hour(place: Place) -> None:
    batch = quarters(MIDNIGHT, 8)
    with closing(place.open()) as store:
        store.commit(batch[:4])
        assert a_series(place).cells[1].covered is Covered.UNKNOWN
        store.commit(batch[4:])
        assert a_series(place).cells[1].covered is Covered.WHOLE


def test_a_line_with_another_name_goes_on(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT, 48))
        store.commit(quarters(MIDNIGHT + 48 * QUARTER, 48, 49, rule="north-line"))
        (day,) = a_series(place, Step.DAY).cells

    assert (day.covered, day.total) == (Covered.WHOLE, 96)


def test_nothing_is_said_of_the_future_and_the_running_hour_is_not_over(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(MIDNIGHT, 6))
        found = a_series(place, now=MIDNIGHT + timedelta(hours=1, minutes=35)).cells

    assert [(cell.total, cell.is_running) for cell in found] == [(4, False), (2, True)]


def test_an_interval_over_a_border_is_parted_by_time_and_says_so(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([a_count(1, MIDNIGHT, timedelta(hours=3), {"car": {"in": 10}})])
        found = a_series(place).cells

    assert [cell.total for cell in found[:3]] == [3, 4, 3]
    assert [cell.is_parted for cell in found[:4]] == [True, True, True, False]


def test_frames_that_do_not_come_at_the_round_moment_part_nothing(place: Place) -> None:
    late = timedelta(milliseconds=70)
    with closing(place.open()) as store:
        store.commit([a_count(at + 1, MIDNIGHT + late + at * QUARTER) for at in range(8)])
        found = a_series(place).cells

    assert (found[0].covered, found[0].is_parted) == (Covered.WHOLE, False)
    assert found[0].total == 4 and found[1].total == 4


def test_missing_messages_are_told(place: Place) -> None:
    batch = quarters(MIDNIGHT, 8)
    with closing(place.open(gap_after_s=0)) as store:
        store.commit([*batch[:2], *batch[5:]])
        store.attend()
        store.attend()
        assert a_series(place).missing == 3
        store.commit(batch[2:5])
        store.attend()
        assert a_series(place).missing == 0


def test_without_a_line_or_before_it_began_there_is_nothing(place: Place) -> None:
    with closing(place.open()) as store:
        assert counted(place.engine, [], (DAY, DAY), Step.HOUR, VIETNAM, LATER).cells == ()
        store.commit([*quarters(MIDNIGHT, 1), hello(1, 1)])
        assert a_series(place, now=MIDNIGHT - timedelta(hours=1)).cells == ()


# ------------------------------------------------------------------------------------------------ properties

ENTRIES = st.dictionaries(
    st.tuples(st.sampled_from(["car", "bus"]), st.sampled_from(["in", "out"])), st.integers(1, 50), max_size=3
)
INTERVALS = st.lists(
    st.builds(
        lambda start, length, numbers: CountedInterval(start, start + length, numbers),
        st.integers(MIDNIGHT_MS - 2 * HOUR_MS, MIDNIGHT_MS + DAY_MS + 2 * HOUR_MS),
        st.integers(0, 3 * HOUR_MS),
        ENTRIES,
    ),
    max_size=15,
)


@given(INTERVALS)
def test_the_sum_of_hours_is_the_sum_of_the_day_and_gaps_are_never_zeros(
    intervals: list[CountedInterval],
) -> None:
    """Invariants 1 and 2, for a whole day and whatever intervals."""
    now_ms = MIDNIGHT_MS + 9 * DAY_MS
    hours = cells_of(buckets(DAY, DAY, Step.HOUR, VIETNAM), intervals, now_ms)
    (day,) = cells_of(buckets(DAY, DAY, Step.DAY, VIETNAM), intervals, now_ms)

    assert added(cell.numbers or {} for cell in hours) == (day.numbers or {})
    assert sum(cell.covered_ms for cell in hours) == day.covered_ms
    for cell in hours:
        touched = [
            each
            for each in intervals
            if each.start_ms < cell.bucket.end_ms and each.end_ms > cell.bucket.start_ms
        ]
        moments = [each for each in intervals if each.start_ms == each.end_ms and each.numbers]
        if not touched and not moments:
            assert cell.numbers is None, "nobody counted: that is not zero"
        if any(each.end_ms > each.start_ms for each in touched):
            assert cell.numbers is not None


@given(INTERVALS, st.sampled_from([date(2026, 3, 29), date(2026, 10, 25)]))
def test_the_same_on_days_on_which_clocks_are_set(intervals: list[CountedInterval], day: date) -> None:
    shift = round(datetime.combine(day, datetime.min.time(), BERLIN).timestamp() * 1000) - MIDNIGHT_MS
    moved = [CountedInterval(each.start_ms + shift, each.end_ms + shift, each.numbers) for each in intervals]
    hours = cells_of(buckets(day, day, Step.HOUR, BERLIN), moved, 2 * MIDNIGHT_MS)
    (whole,) = cells_of(buckets(day, day, Step.DAY, BERLIN), moved, 2 * MIDNIGHT_MS)

    assert added(cell.numbers or {} for cell in hours) == (whole.numbers or {})


@given(
    st.integers(0, 1000),
    st.integers(0, 10_000),
    st.lists(st.integers(0, 12_000), max_size=6, unique=True).map(sorted),
    ENTRIES,
)
def test_the_parts_of_an_interval_add_up_to_it(
    start: int, length: int, borders: list[int], numbers: dict[tuple[str, str], int]
) -> None:
    interval = CountedInterval(start, start + length, numbers)
    marks = [-1, *borders, 20_000]

    assert added(share_of(interval, a, b) for a, b in pairwise(marks)) == numbers


@pytest.mark.parametrize("covered", [0, 1, HOUR_MS])
def test_a_cell_without_numbers_is_unknown_whatever_else_it_says(covered: int) -> None:
    (bucket, *_) = buckets(DAY, DAY, Step.HOUR, VIETNAM)

    assert CountCell(bucket, covered, None).covered is Covered.UNKNOWN
    assert CountCell(bucket, covered, {}).covered is not Covered.UNKNOWN
