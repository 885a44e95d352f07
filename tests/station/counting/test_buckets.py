"""station.counting.buckets"""

from __future__ import annotations

from datetime import UTC, date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.counting.buckets import LONGEST, PeriodRefused, Step, buckets, hours_of, midnight
from tests.station.counting.counts import BERLIN, VIETNAM

ZONES = [
    VIETNAM,
    BERLIN,
    ZoneInfo("America/Sao_Paulo"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Asia/Kathmandu"),
]
DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 1))
HOUR_MS = 3_600_000


@given(DAYS, st.integers(0, 20), st.sampled_from(ZONES), st.sampled_from(Step))
def test_buckets_follow_each_other_without_a_break_and_start_where_their_days_do(
    first: date, more: int, zone: ZoneInfo, step: Step
) -> None:
    last = first + timedelta(days=more)
    found = buckets(first, last, step, zone)

    assert all(one.end == two.start for one, two in pairwise(found))
    assert all(each.length_ms > 0 for each in found)
    assert found[0].start <= midnight(first, zone) < found[0].end
    assert found[-1].start < midnight(last + timedelta(days=1), zone) <= found[-1].end


@given(DAYS, st.sampled_from(ZONES), st.sampled_from([Step.DAY, Step.WEEK]))
def test_a_day_and_a_week_are_their_hours(day: date, zone: ZoneInfo, step: Step) -> None:
    (bucket,) = buckets(day, day, step, zone)
    hours = hours_of(bucket, zone)

    assert (hours[0].start, hours[-1].end) == (bucket.start, bucket.end)
    assert sum(hour.length_ms for hour in hours) == bucket.length_ms


def test_in_vietnam_a_day_has_24_hours_and_begins_at_17_utc() -> None:
    found = buckets(date(2026, 11, 27), date(2026, 11, 27), Step.HOUR, VIETNAM)

    assert [hour.start.hour for hour in found] == list(range(24))
    assert found[0].start.astimezone(UTC).hour == 17


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)]
)
def test_a_day_on_which_clocks_are_set_has_as_many_hours_as_pass(day: date, hours: int) -> None:
    found = buckets(day, day, Step.HOUR, BERLIN)

    assert len(found) == hours
    assert {hour.length_ms for hour in found} == {HOUR_MS}
    (whole,) = buckets(day, day, Step.DAY, BERLIN)
    assert whole.length_ms == hours * HOUR_MS


def test_an_hour_that_comes_twice_is_two_buckets() -> None:
    found = buckets(date(2026, 10, 25), date(2026, 10, 25), Step.HOUR, BERLIN)

    assert [(hour.start.hour, hour.start.fold) for hour in found[2:4]] == [(2, 0), (2, 1)]


def test_where_clocks_are_set_by_half_an_hour_no_moment_is_lost() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    found = buckets(date(2026, 10, 4), date(2026, 10, 4), Step.HOUR, lord_howe)

    assert sum(hour.length_ms for hour in found) == int(23.5 * HOUR_MS)
    assert {hour.length_ms for hour in found} == {HOUR_MS, HOUR_MS // 2}


def test_weeks_begin_on_mondays_and_are_whole() -> None:
    found = buckets(date(2026, 11, 25), date(2026, 12, 1), Step.WEEK, VIETNAM)

    assert [week.start.date() for week in found] == [date(2026, 11, 23), date(2026, 11, 30)]
    assert {week.length_ms for week in found} == {7 * 24 * HOUR_MS}


def test_a_period_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(PeriodRefused, match="ends before it begins"):
        buckets(date(2026, 11, 2), date(2026, 11, 1), Step.DAY, VIETNAM)
    for step, longest in LONGEST.items():
        buckets(date(2026, 1, 1), date(2026, 1, 1) + longest - timedelta(days=1), step, VIETNAM)
        with pytest.raises(PeriodRefused, match="longer than"):
            buckets(date(2026, 1, 1), date(2026, 1, 1) + longest, step, VIETNAM)
