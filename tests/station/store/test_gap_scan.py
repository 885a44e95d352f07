"""station.store.gap_scan"""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import insert, select

from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage
from station.store.alarms import close_alarm, raise_alarm
from station.store.gap_scan import GapScan
from station.store.gaps import GapState
from station.store.schema import box
from station.store.writer import Notice
from tests.station.ingest.test_receipts import hello, messages
from tests.support.stores import Place

WHO = {"box": "hai-ninh/north-01", "stream": "s-1"}


def noticed(event: str, first: int, last: int, missing: int, state: GapState) -> Notice:
    return Notice(event, WHO | {"first": first, "last": last, "missing": missing, "state": state})


@pytest.fixture
def tables(place: Place) -> Place:
    with closing(place.open()):
        pass
    return place


def commit(place: Place, *messages: InboundMessage) -> None:
    with closing(place.open()) as store:
        store.commit(messages)


def scanned(place: Place, scan: GapScan, now_ms: int) -> list[Notice]:
    with place.engine.begin() as connection:
        return scan.scan(connection, now_ms)


def test_a_hole_must_last_from_one_scan_to_the_next(tables: Place) -> None:
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), *messages(2, 5))

    assert scanned(tables, scan, 10) == []
    assert scanned(tables, scan, 20) == [noticed("gap_found", 2, 4, 3, GapState.OPEN)]
    assert scanned(tables, scan, 30) == []
    assert tables.rows("select first, last, missing, state, opened_ms, closed_ms from gap") == [
        (2, 4, 3, "open", 20, None)
    ]


def test_what_comes_late_shrinks_a_gap_silently_and_its_last_number_closes_it(tables: Place) -> None:
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), *messages(2, 5))
    scanned(tables, scan, 10), scanned(tables, scan, 20)

    commit(tables, *messages(3, 3))
    assert scanned(tables, scan, 30) == []
    assert tables.rows("select missing, state from gap") == [(2, "open")]
    commit(tables, *messages(4, 2), *messages(5, 4))
    assert scanned(tables, scan, 40) == [noticed("gap_filled", 2, 4, 0, GapState.FILLED)]
    assert tables.rows("select missing, state, closed_ms from gap") == [(0, "filled", 40)]


def test_a_gap_below_what_the_box_still_holds_is_gone_and_stays_unfilled(tables: Place) -> None:
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), *messages(2, 5), hello(5, 5))

    scanned(tables, scan, 10)
    assert scanned(tables, scan, 20) == [noticed("gap_found", 2, 4, 3, GapState.GONE)]
    assert tables.rows("select state, closed_ms from gap") == [("gone", None)]


def test_what_the_box_let_go_of_above_all_that_is_here_is_gone(tables: Place) -> None:
    """As after an older copy of the store was brought back; of a stream of which nothing is here, too."""
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), hello(7, 9), hello(None, 3, "s-2"))

    scanned(tables, scan, 10)
    found = scanned(tables, scan, 20)

    assert noticed("gap_found", 2, 6, 5, GapState.GONE) in found
    assert tables.rows("select first, last, state from gap order by last") == [(1, 3, "gone"), (2, 6, "gone")]


def test_what_the_box_still_holds_above_all_that_is_here_is_no_gap(tables: Place) -> None:
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), hello(2, 9))

    assert [scanned(tables, scan, at_ms) for at_ms in (10, 20, 30)] == [[], [], []]


def test_after_a_restart_what_is_in_the_table_is_not_found_again(tables: Place) -> None:
    commit(tables, *messages(1, 1), *messages(2, 5))
    first = GapScan(60.0)
    scanned(tables, first, 10), scanned(tables, first, 20)

    second = GapScan(60.0)

    assert scanned(tables, second, 30) == []
    assert scanned(tables, second, 40) == []
    assert tables.rows("select count(*) from gap") == [(1,)]


def test_a_scan_is_due_at_once_and_then_when_its_time_is_over() -> None:
    scan = GapScan(60.0)

    assert [scan.is_due(at_s) for at_s in (100.0, 159.9, 160.0, 200.0, 221.0)] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_a_gap_that_is_found_beside_a_second_station_names_it_as_its_cause(tables: Place) -> None:
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), *messages(2, 3))
    scanned(tables, scan, 10)
    with tables.engine.begin() as connection:
        raise_alarm(connection, AlarmKind.SECOND_STATION, None, 15, "x")
    (found,) = scanned(tables, scan, 20)
    with tables.engine.begin() as connection:
        close_alarm(connection, AlarmKind.SECOND_STATION, None, 25)
    commit(tables, *messages(3, 5))
    for now_ms in (30, 40):
        scanned(tables, scan, now_ms)

    assert found.fields["cause"] == "second_station"
    assert tables.rows("select first, cause from gap order by first") == [(2, "second_station"), (4, None)]


def test_a_gap_of_a_box_that_is_over_its_quota_names_that_and_no_gap_of_another_box_does(tables: Place) -> None:
    scan = GapScan(60.0)
    commit(tables, *messages(1, 1), *messages(2, 5))
    with tables.engine.begin() as connection:
        elsewhere = (
            insert(box)
            .values(commune="hai-ninh", device="south-02", first_seen_ms=1, last_seen_ms=1)
            .returning(box.c.id)
        )
        raise_alarm(connection, AlarmKind.QUOTA, connection.scalars(elsewhere).one(), 5, "50 messages refused")
    scanned(tables, scan, 10)
    (of_nobody,) = scanned(tables, scan, 20)
    commit(tables, *messages(3, 9))
    with tables.engine.begin() as connection:
        here = connection.scalars(select(box.c.id).where(box.c.device == "north-01")).one()
        raise_alarm(connection, AlarmKind.QUOTA, here, 25, "50 messages refused")
    scanned(tables, scan, 30)
    (refused,) = scanned(tables, scan, 40)

    assert "cause" not in of_nobody.fields
    assert refused.fields["cause"] == "quota"
    assert tables.rows("select first, cause from gap order by first") == [(2, None), (6, "quota")]
