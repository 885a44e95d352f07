"""station.counting.intervals, and the corrections of station.store.clocks that it stands on"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from station.counting.intervals import CountedInterval, Undated, intervals_of
from station.counting.lines import counted_lines
from station.ingest.inbound import InboundMessage
from tests.station.counting.counts import QUARTER, a_count
from tests.station.store.test_clocks import clock_map
from tests.support.stores import Place

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
BOOT = datetime(1970, 1, 1, 0, 0, tzinfo=UTC)
UNKNOWN: dict[str, Any] = {"clock": {"state": "unknown", "boot_id": "b-1", "mono_ms": 905_000}}


def asked(
    place: Place, *batches: Sequence[InboundMessage], received: datetime = NINE, hours: float = 1
) -> tuple[list[CountedInterval], Undated]:
    """What is found of the hours after nine, after these messages came."""
    with closing(place.open(now=received.timestamp)) as store:
        for batch in batches:
            store.commit(batch)
        since_ms = round(NINE.timestamp() * 1000)
        lines = counted_lines(place.engine)
        with place.engine.connect() as connection, connection.begin():
            return intervals_of(connection, lines, since_ms, since_ms + round(hours * 3_600_000))


def times(found: Sequence[CountedInterval]) -> list[tuple[datetime, datetime]]:
    """Of each, in order."""
    both = sorted((each.start_ms, each.end_ms) for each in found)
    return [(datetime.fromtimestamp(a / 1000, UTC), datetime.fromtimestamp(b / 1000, UTC)) for a, b in both]


def test_what_reaches_into_the_time_is_found_with_its_numbers(place: Place) -> None:
    starts = [NINE - timedelta(hours=1), NINE - timedelta(minutes=5), NINE, NINE + timedelta(hours=1)]
    counts = {"car": {"in": 2, "out": 0}, "bus\x1b[2J": {"in": 1}}
    found, undated = asked(place, [a_count(at + 1, start, counts=counts) for at, start in enumerate(starts)])

    assert times(found) == [(start, start + QUARTER) for start in starts[1:3]]
    assert found[0].numbers == {("car", "in"): 2, ("bus\ufffd[2J", "in"): 1}
    assert undated == Undated()


def test_of_a_line_that_counts_without_end_no_more_is_read_and_another_line_is_whole(place: Place) -> None:
    endless = {f"kind-{at}": {"in": 1} for at in range(100)}
    filled = [a_count(at + 1, NINE + timedelta(minutes=at), timedelta(minutes=1), endless) for at in range(30)]
    other = [a_count(at + 31, NINE + at * QUARTER, rule="z-line") for at in range(4)]
    asked(place, [*filled, *other])
    since_ms = round(NINE.timestamp() * 1000)

    lines = counted_lines(place.engine)
    with place.engine.connect() as connection, connection.begin():
        found, _ = intervals_of(connection, lines, since_ms, since_ms + 3_600_000, most=2_000)

    assert sum(len(each.numbers) for each in found) == 2_000 + 4


def test_the_same_message_twice_counts_once(place: Place) -> None:
    count = a_count(1, NINE)

    found, _ = asked(place, [count, count], [count])

    assert len(found) == 1


@pytest.mark.parametrize("map_first", [False, True])
def test_what_was_stamped_in_1970_is_found_where_it_was_once_a_clock_map_says_so(
    place: Place, map_first: bool
) -> None:
    count = a_count(1, BOOT, timedelta(seconds=900), **UNKNOWN)
    of_boot = clock_map(2, 1_505_000, time=(NINE + timedelta(minutes=25)).isoformat())
    batches = [[of_boot], [count]] if map_first else [[count], [of_boot]]

    found, undated = asked(place, *batches, received=NINE + timedelta(days=2))

    assert times(found) == [(NINE, NINE + QUARTER)]
    assert undated == Undated()


def test_a_map_and_a_count_in_one_batch_find_each_other(place: Place) -> None:
    count = a_count(1, BOOT, timedelta(seconds=900), **UNKNOWN)
    of_boot = clock_map(2, 1_505_000, time=(NINE + timedelta(minutes=25)).isoformat())

    found, _ = asked(place, [count, of_boot])

    assert times(found) == [(NINE, NINE + QUARTER)]


def test_an_untrusted_stamp_is_believed_where_the_stations_clock_says_the_same(place: Place) -> None:
    count = a_count(1, NINE, **UNKNOWN)

    found, undated = asked(place, [count], received=NINE + QUARTER + timedelta(minutes=1))

    assert (times(found), undated) == ([(NINE, NINE + QUARTER)], Undated())


def test_what_nobody_can_date_is_in_no_sum_and_is_told(place: Place) -> None:
    count = a_count(1, BOOT, counts={"car": {"in": 3, "out": 4}}, **UNKNOWN)

    found, undated = asked(place, [count], received=NINE + timedelta(minutes=20))

    assert (found, undated) == ([], Undated(1, 7))


def test_a_clock_that_was_set_within_an_interval_does_not_make_it_longer(place: Place) -> None:
    """It begins in 1970 and ends today; it took a quarter of an hour."""
    stepped = {"start_time": BOOT.isoformat(), "end_time": (NINE + QUARTER).isoformat(), "duration_s": 900}

    found, _ = asked(place, [a_count(1, NINE, **stepped)])

    assert times(found) == [(NINE, NINE + QUARTER)]


def test_what_cannot_be_an_interval_is_not_believed(place: Place) -> None:
    long = {"start_time": BOOT.isoformat(), "end_time": (NINE + QUARTER).isoformat(), "duration_s": 1e308}

    found, _ = asked(place, [a_count(1, NINE, **long)], received=NINE + timedelta(minutes=20))

    assert found == []
