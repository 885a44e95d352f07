"""station.uplink.gather"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from agent.wire.ranges import Ranges
from station.counting.hour_rows import sum_up
from station.store.columns import HOUR_MS, hour_of
from station.uplink.envelope import UpItem
from station.uplink.gather import Gathered, gather, hours, is_over_ms, without
from station.uplink.handed import LineHour, Stream
from tests.station.counting.counts import a_count
from tests.support.stores import Place
from tests.support.told_events import COMMUNE
from tests.support.uplinks import a_seal, alert

START = datetime(2026, 11, 28, 8, tzinfo=UTC)
T = TypeVar("T")
LATER_MS = round(START.timestamp() * 1000) + 24 * HOUR_MS


def asked(place: Place, job: Callable[[Connection], T]) -> T:
    with place.engine.begin() as connection:
        return job(connection)


def looked(place: Place, taken: dict[Stream, Ranges] | None = None, *, info_events: bool = False) -> Gathered:
    have = taken or {}
    return asked(
        place,
        lambda connection: gather(
            connection, COMMUNE, lambda key: have.get(key, Ranges()), info_events=info_events
        ),
    )


@given(
    st.sets(st.integers(1, 60)),
    st.sets(st.integers(1, 60)),
)
def test_what_is_left_of_a_range_is_what_is_not_taken(whole: set[int], taken: set[int]) -> None:
    had = Ranges((number, number) for number in taken)
    left = [each for first, last in Ranges((n, n) for n in whole) for each in without(first, last, had)]

    assert {number for first, last in left for number in range(first, last + 1)} == whole - taken


def test_alerts_are_urgent_seals_are_not_and_every_number_is_looked_at(place: Place) -> None:
    told_info = alert(3, severity="info")
    with closing(place.open()) as store:
        store.commit([alert(1), a_seal(2, 1), told_info, alert(9)])
        found = looked(place)

        assert {item.raw for item in found.urgent} == {alert(1).raw, alert(9).raw} or len(found.urgent) == 2
        assert [item.raw for item in found.bulk] == [a_seal(2, 1).raw]
        assert found.numbers == {("north-01", "s-1"): [(9, 9), (1, 3)]}
        assert not found.more
        assert [item.raw for item in looked(place, info_events=True).bulk if item.kind == "event"] == [
            told_info.raw
        ]


def test_what_is_taken_is_not_looked_at_again(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([alert(1), alert(2)])

        assert looked(place, {("north-01", "s-1"): Ranges([(1, 2)])}).numbers == {}


def test_of_another_commune_nothing_goes_up(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([alert(1)])
        found = asked(place, lambda c: gather(c, "yen-lap", lambda _: Ranges(), info_events=True))

        assert not found.urgent and not found.numbers


def hour_items(place: Place, due: set[LineHour]) -> tuple[list[UpItem], list[LineHour]]:
    return asked(place, lambda connection: hours(connection, COMMUNE, sorted(due), LATER_MS))


def test_counts_go_up_by_the_hour_once_it_is_summed_up(place: Place) -> None:
    quarters = [a_count(n, START + timedelta(minutes=15 * n), counts={"car": {"in": n}}) for n in range(1, 7)]
    with closing(place.open()) as store:
        store.commit(quarters)
        due = looked(place).touched
        assert {each.hour_ms for each in due} == {hour_of(LATER_MS), hour_of(LATER_MS) + HOUR_MS} or len(
            due
        ) == 2
        assert hour_items(place, due) == ([], [])  # it is not summed up yet

        asked(place, lambda connection: sum_up(connection, LATER_MS, 10))
        items, told_hours = hour_items(place, due)

        sums = [json.loads(json.loads(item.raw)["sums"])["counts"]["car"]["in"] for item in items]
        assert sorted(sums) == [1 + 2 + 3, 4 + 5 + 6] and set(told_hours) == due


@pytest.mark.parametrize("fields", [{"clock": {"state": "unknown", "boot_id": "b-1", "mono_ms": 5}}, {}])
def test_an_interval_that_no_sum_says_goes_up_itself(place: Place, fields: dict[str, object]) -> None:
    length = timedelta(minutes=15) if fields else timedelta(hours=3)
    one = a_count(1, START, length, {"car": {"in": 5}}, **fields)
    with closing(place.open()) as store:
        store.commit([one])
        found = looked(place)

        assert [item.raw for item in found.bulk] == [one.raw] and not found.touched


def test_an_hour_that_an_interval_of_three_hours_touches_is_told_by_its_intervals(place: Place) -> None:
    quarter = a_count(1, START, counts={"car": {"in": 5}})
    with closing(place.open()) as store:
        store.commit([quarter, a_count(2, START, timedelta(hours=3), {"bus": {"in": 1}})])
        due = looked(place).touched
        asked(place, lambda connection: sum_up(connection, LATER_MS, 10))
        items, told_hours = hour_items(place, due)

        assert quarter.raw in {item.raw for item in items} and set(told_hours) == due


def test_an_hour_of_which_nothing_is_left_is_told_by_silence(place: Place) -> None:
    gone = LineHour("north-01", "north", "the-line", hour_of(LATER_MS))
    with closing(place.open()):
        assert hour_items(place, {gone}) == ([], [gone])


def test_an_hour_is_asked_for_some_minutes_after_its_end() -> None:
    now_ms = round(time.time() * 1000)
    hour_ms = hour_of(now_ms)

    assert hour_ms >= is_over_ms(hour_ms + HOUR_MS + 360_000)
    assert hour_ms < is_over_ms(hour_ms + HOUR_MS + 360_001)
