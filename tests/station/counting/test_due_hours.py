"""station.counting.due_hours"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import true

from station.counting.due_hours import mark_deleted
from station.ingest.inbound import InboundMessage
from station.store.columns import ms
from tests.station.counting.counts import a_count
from tests.support.stores import Place

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
UNKNOWN = {"state": "unknown", "boot_id": "b-1", "mono_ms": 905_000}
HOURS = "select hour_ms, due_ms from count_hour order by hour_ms"


def kept(place: Place, counts: Sequence[InboundMessage], at_s: float = 5.0) -> dict[int, int | None]:
    """Hour, counted from nine -> since when it is due, after these came."""
    with closing(place.open(now=lambda: at_s)) as store:
        store.commit(counts)
    return {(hour_ms - ms(NINE)) // 3_600_000: due_ms for hour_ms, due_ms in place.rows(HOURS)}


def at(minutes: float, length: float = 15, seq: int = 1, **fields: object) -> InboundMessage:
    return a_count(seq, NINE + timedelta(minutes=minutes), timedelta(minutes=length), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "length", "hours"),
    [(0, 15, {0}), (45, 15, {0}), (50, 15, {0, 1}), (45, 60, {0, 1}), (30, 1, {0}), (0, 0, {0}), (0, 600, {0})],
)
def test_an_interval_makes_the_hours_due_that_it_touches_and_a_long_one_no_more_than_one(
    sqlite_place: Place, minutes: float, length: float, hours: set[int]
) -> None:
    assert kept(sqlite_place, [at(minutes, length)]) == dict.fromkeys(hours, 5_000)


def test_what_an_untrusted_clock_stamped_is_in_no_hour(place: Place) -> None:
    assert kept(place, [at(0, clock=UNKNOWN)]) == {}


def test_what_comes_late_makes_an_hour_due_again_and_so_does_a_long_one_over_it(place: Place) -> None:
    kept(place, [at(0), at(60, seq=2), at(120, seq=3), at(180, seq=4)])
    place.do("update count_hour set due_ms = null, body = '{}'")

    assert kept(place, [at(15, seq=5), at(0, seq=1)], 6.0) == {0: 6_000, 1: None, 2: None, 3: None}
    assert kept(place, [at(50, 90, seq=6)], 7.0) == {0: 7_000, 1: 7_000, 2: 7_000, 3: None}


def test_hours_of_what_goes_are_due(place: Place) -> None:
    kept(place, [at(0), at(60, seq=2, rule="other"), at(170, 20, seq=3)])
    place.do("update count_hour set due_ms = null")

    with closing(place.open()), place.engine.begin() as connection:
        mark_deleted(connection, true(), 9)

    assert {due for _, due in place.rows(HOURS)} == {9}
    assert place.rows("select count(*) from count_hour") == [(4,)]
