"""station.counting.hour_rows"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from agent.wire.payloads import MOST_COUNTS
from station.counting.buckets import Step
from station.counting.compare import beside_the_week_before
from station.counting.hour_rows import SETTLED_MS, sum_up
from station.counting.lines import counted_lines
from station.counting.series import Series, counted
from station.ingest.inbound import InboundMessage
from station.store.columns import HOUR_MS
from tests.station.counting.counts import BERLIN, QUARTER, VIETNAM, a_count
from tests.station.store.test_clocks import clock_map
from tests.support.aged_store import AgedStore
from tests.support.stores import Place

DAY = date(2026, 11, 27)
MIDNIGHT = datetime(2026, 11, 27, tzinfo=VIETNAM)
LATER = MIDNIGHT + timedelta(days=2)
UNKNOWN: dict[str, Any] = {"state": "unknown", "boot_id": "b-1", "mono_ms": 905_000}
EVERYTHING = 10_000


def a_day() -> Iterator[InboundMessage]:
    """Quarters that end some moments late, a camera that was away, one long interval, one without a date."""
    for number in range(-8, 104):
        start = MIDNIGHT + number * QUARTER + timedelta(milliseconds=7 * number % 300)
        if number not in (20, 21, 50) and not 60 <= number < 70:
            yield a_count(number + 100, start, counts={"car": {"in": number % 7, "out": 1}})
    yield a_count(301, MIDNIGHT + timedelta(hours=15), timedelta(hours=2), counts={"car": {"in": 100}})
    yield a_count(302, MIDNIGHT - timedelta(minutes=20), timedelta(minutes=40), rule="other")
    yield a_count(303, MIDNIGHT + timedelta(hours=3), clock=UNKNOWN, counts={"car": {"in": 9}})
    yield a_count(304, MIDNIGHT + timedelta(hours=4), clock=UNKNOWN | {"boot_id": "b-2"})


@pytest.fixture
def filled(place: Place) -> Place:
    with closing(place.open(now=LATER.timestamp)) as store:
        store.commit(list(a_day()))
        store.commit([clock_map(900, 2_000_000, (MIDNIGHT + timedelta(hours=3.5)).isoformat())])
    return place


def asked(place: Place, step: Step) -> tuple[Series, object]:
    days, lines = (DAY, DAY), counted_lines(place.engine)
    series = counted(place.engine, lines, days, step, VIETNAM, LATER)
    return series, beside_the_week_before(place.engine, lines, days, step, VIETNAM, LATER)


def made(place: Place, most: int = EVERYTHING, now: datetime = LATER) -> int:
    with place.engine.begin() as connection:
        return sum_up(connection, round(now.timestamp() * 1000), most)


def test_an_hour_of_more_numbers_than_a_line_has_keeps_no_sum_and_is_counted_all_the_same(place: Place) -> None:
    with closing(place.open(now=LATER.timestamp)) as store:
        for hour in range(2):
            for at in range(4):
                counts = {f"kind-{at if hour else 0}-{label}": {"in": 1} for label in range(MOST_COUNTS // 2)}
                store.commit([a_count(hour * 4 + at + 1, MIDNIGHT + (hour * 4 + at) * QUARTER, counts=counts)])
    before = asked(place, Step.HOUR)

    assert made(place) == 2
    assert place.rows("select body is null from count_hour order by hour_ms") == [(0,), (1,)]
    assert asked(place, Step.HOUR) == before
    assert sum(before[0].numbers.values()) == 4 * MOST_COUNTS


@pytest.mark.parametrize("step", [Step.HOUR, Step.DAY])
def test_whatever_is_summed_up_already_the_counts_are_the_same(filled: Place, step: Step) -> None:
    with closing(filled.open()):
        before, done = asked(filled, step), 0
        while part := made(filled, 5):
            done += part
            assert asked(filled, step) == before, f"after {done} hours"

    rows = filled.rows("select count(*), count(body) from count_hour where due_ms is null")
    assert done > 26
    assert rows[0][0] == done
    assert done - 6 < rows[0][1] < done, "all but those that the long one touches"


def test_what_comes_late_counts_at_once_and_after_its_hour_is_summed_up_anew(
    filled: Place,
) -> None:
    with closing(filled.open(now=LATER.timestamp)) as store:
        made(filled)
        before = asked(filled, Step.HOUR)[0].cells[5].total
        store.commit([a_count(400, MIDNIGHT + 20 * QUARTER, counts={"bus": {"in": 3}})])
        assert asked(filled, Step.HOUR)[0].cells[5].total == (before or 0) + 3
        assert made(filled) == 1
        assert asked(filled, Step.HOUR)[0].cells[5].total == (before or 0) + 3


@pytest.mark.long
def test_a_month_of_hours_is_read_without_its_intervals(place: Place) -> None:
    with closing(place.open(now=LATER.timestamp)) as store:
        store.commit([a_count(n, MIDNIGHT - n * QUARTER) for n in range(1, 29 * 96)])
        made(place)
        bodies: list[int] = []

        @event.listens_for(place.engine, "after_cursor_execute")
        def look(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if "count_interval.body" in statement:
                bodies.append(statement.count("count_interval.body"))

        first = DAY - timedelta(days=29)
        lines = counted_lines(place.engine)
        found = counted(place.engine, lines, (first, DAY), Step.HOUR, VIETNAM, LATER)
        assert sum(found.numbers.values()) == 29 * 96 - 1
        assert len(bodies) <= 5, "of untrusted clocks, and the ends of the month"


def test_an_hour_waits_until_it_is_over_and_its_last_interval_had_time_to_come(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([a_count(1, MIDNIGHT)])
        over = MIDNIGHT + timedelta(milliseconds=HOUR_MS + SETTLED_MS)
        assert made(place, now=over - timedelta(milliseconds=1)) == 0
        assert made(place, now=over) == 1
        assert made(place, now=over) == 0


def test_an_hour_of_which_all_went_loses_its_row(place: Place) -> None:
    aged = AgedStore(place)
    aged.count(1, 40)
    aged.count(2, 1)
    with closing(aged.place.open()):
        made(place, now=datetime.now(VIETNAM))
        before = place.rows("select count(*) from count_hour")[0][0]
        aged.run(counts=30)
        made(place, now=datetime.now(VIETNAM))
        hours = place.rows("select hour_ms from count_hour")
    aged.close()

    assert before > len(hours) >= 1
    assert min(row[0] for row in hours) > (datetime.now(VIETNAM) - timedelta(days=2)).timestamp() * 1000


def test_where_clocks_are_whole_hours_apart_a_day_of_23_hours_adds_up(place: Place) -> None:
    spring = datetime(2026, 3, 29, tzinfo=BERLIN).astimezone(UTC)
    with closing(place.open()) as store:
        store.commit([a_count(n + 1, spring + n * QUARTER) for n in range(92)])
        made(place)
        day = spring.astimezone(BERLIN).date()
        found = counted(place.engine, counted_lines(place.engine), (day, day), Step.HOUR, BERLIN, LATER)

    assert len(found.cells) == 23
    assert {cell.total for cell in found.cells} == {4}
