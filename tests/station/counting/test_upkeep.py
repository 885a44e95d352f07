"""station.counting.upkeep"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as hooks
from structlog.testing import capture_logs

from station.counting import upkeep
from station.counting.upkeep import StoreUpkeep
from station.store.statements import analysis
from tests.station.counting.counts import QUARTER, a_count
from tests.station.store.statements.test_analysis import looked
from tests.support.brokers import until
from tests.support.stores import Place

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def test_hours_that_are_due_are_summed_up_and_the_columns_looked_at(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 2)
    monkeypatch.setattr(analysis, "FEW_ROWS", 1)
    with closing(place.open()) as store, closing(StoreUpkeep(place.url)) as its:
        store.commit([a_count(n, YESTERDAY + n * QUARTER) for n in range(1, 20)])
        due = place.rows("select count(*) from count_hour where due_ms is not null")[0][0]
        assert its.once() == due
        assert its.once() == 0

    assert place.rows("select count(*) from count_hour where due_ms is not null") == [(0,)]
    assert looked(place, "count_interval") > 0


def test_what_was_looked_at_and_has_not_grown_holds_no_writer_up_again(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "FEW_ROWS", 1)
    with closing(sqlite_place.open()) as store, closing(StoreUpkeep(sqlite_place.url)) as its:
        store.commit([a_count(n, YESTERDAY + n * QUARTER) for n in range(1, 20)])
        its.once()
    sqlite_place.do("update sqlite_stat1 set stat = '19 1' where tbl = 'count_interval'")
    noted = sqlite_place.rows("select * from sqlite_stat1 order by 1, 2")
    with closing(StoreUpkeep(sqlite_place.url)) as next_life:
        next_life.once()

    assert sqlite_place.rows("select * from sqlite_stat1 order by 1, 2") == noted


def test_each_part_is_read_beside_the_writers_before_they_are_held_up_for_it(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the disk a look takes seconds; what was just read is in memory."""
    monkeypatch.setattr(analysis, "FEW_ROWS", 1)
    steps: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("analyze"):
            steps.append(statement.partition('"')[2].rstrip('"'))
        elif "dbstat where" in statement:
            steps.append(f"read {values[0]}")

    hooks.listen(Engine, "before_cursor_execute", note)
    try:
        with closing(sqlite_place.open()) as store, closing(StoreUpkeep(sqlite_place.url)) as its:
            store.commit([a_count(n, YESTERDAY + n * QUARTER) for n in range(1, 20)])
            steps.clear()
            its.once()
    finally:
        hooks.remove(Engine, "before_cursor_execute", note)

    assert len(steps) > 4
    assert steps[::2] == [f"read {part}" for part in steps[1::2]]


def test_it_works_beside_the_store_by_itself(place: Place) -> None:
    with closing(place.open()) as store, closing(StoreUpkeep(place.url, first_s=0.0)) as its:
        store.commit([a_count(1, YESTERDAY)])
        its.start()
        until(lambda: place.rows("select 1 from count_hour where due_ms is null"))


def test_what_fails_is_told_once_and_tried_again(sqlite_place: Place) -> None:
    with closing(StoreUpkeep(sqlite_place.url)) as its, capture_logs() as lines:
        its.once()
        its.once()
        with closing(sqlite_place.open()) as store:
            store.commit([a_count(1, YESTERDAY)])
            assert its.once() >= 1

    assert [line["event"] for line in lines if line["event"] == "upkeep_failed"] == ["upkeep_failed"]
