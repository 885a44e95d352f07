"""station.lookup.walk.scan"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event as hooks

from station.lookup.walk.scan import Budget, EventPlace, Scan, ScanOrder, Stretch, go_by_index, place_after
from station.store.schema import event
from tests.support.stores import Place
from tests.support.told_events import event_at

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
SIX_MS = round(SIX.timestamp() * 1000)
WHOLE = Stretch(())


@pytest.fixture
def filled(place: Place) -> Place:
    """600 events, a second apart; every hundredth is of a bus lane."""
    with closing(place.open(now=SIX.timestamp)) as store:
        rules = [{"id": "bus-lane" if number % 100 == 0 else "other", "kind": "line"} for number in range(600)]
        store.commit(
            [
                event_at(n + 1, SIX + timedelta(seconds=n), rule=rule, kind="zone_entered")
                for n, rule in enumerate(rules)
            ]
        )
    return place


def rare(columns: Any, _low_ms: int) -> list[Any]:
    return [columns.rule_id == "bus-lane"]


def looked(
    place: Place, budget_s: float, after: EventPlace | None = None, newest_first: bool = True
) -> list[str]:
    """Seconds after six of what is met; the place at which the time was up in brackets."""
    with place.engine.connect() as connection, connection.begin():
        go_by_index(connection)
        scan = Scan(connection, ScanOrder(newest_first=newest_first), rare, Budget(budget_s))
        met = list(scan.met(WHOLE, after, 10))
    words = [str((each.place[0] - SIX_MS) // 1000) for each in met]
    return [f"({word})" if each.is_end else word for word, each in zip(words, met, strict=True)]


def test_all_that_fits_is_met_in_order(filled: Place) -> None:
    assert looked(filled, 5.0) == ["500", "400", "300", "200", "100", "0"]
    assert looked(filled, 5.0, newest_first=False) == ["0", "100", "200", "300", "400", "500"]


def test_when_the_time_is_up_a_chunk_is_looked_through_and_the_place_is_told(filled: Place) -> None:
    assert looked(filled, 0.0) == ["500", "400", "(350)"]
    assert looked(filled, 0.0, newest_first=False) == ["0", "100", "200", "(249)"]


def test_of_what_is_sparse_more_is_looked_through_at_once_and_of_what_is_short_no_more_than_a_little(
    filled: Place,
) -> None:
    asked: list[str] = []
    hooks.listen(filled.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def met(stretch: Stretch, most: int) -> tuple[int, int]:
        """How many are met, and by how many questions."""
        with filled.engine.connect() as connection, connection.begin():
            go_by_index(connection)
            asked.clear()
            scan = Scan(connection, ScanOrder(newest_first=True), rare, Budget(5.0))
            return len(list(scan.met(stretch, None, most))), len(asked)

    assert met(WHOLE, 10) == (6, 4)
    assert met(replace(WHOLE, is_sparse=True), 10) == (6, 2)
    assert met(Stretch((), SIX_MS, SIX_MS + 200_000, is_short=True), 1_000) == (2, 1)


def test_the_next_call_goes_on_behind_the_place(filled: Place) -> None:
    here = (SIX_MS + 400_000, 1, "e-401")
    assert looked(filled, 5.0, here) == ["300", "200", "100", "0"]
    assert looked(filled, 5.0, here, newest_first=False) == ["500"]


def test_a_number_is_counted_up_to_the_most_and_says_whether_that_is_all(filled: Place) -> None:
    with filled.engine.connect() as connection, connection.begin():
        for budget_s, most, expected in ((5.0, 100, (6, False)), (5.0, 4, (4, True)), (0.0, 100, (2, True))):
            scan = Scan(connection, ScanOrder(newest_first=True), rare, Budget(budget_s))
            assert scan.number(WHOLE, None, most) == expected


def test_the_place_after_so_many_rows_is_that_of_the_last_of_them(filled: Place) -> None:
    order, head = ScanOrder(newest_first=False), Stretch((event.c.kind == "zone_entered",))
    with filled.engine.connect() as connection, connection.begin():
        assert place_after(connection, head, order, None, 3) == (SIX_MS + 2_000, 1, "e-3")
        assert place_after(connection, head, order, None, 601) is None


def test_beyond_a_place_nothing_before_it_is_read() -> None:
    order, stretch = ScanOrder(newest_first=True), Stretch((), 0, 1000)

    assert len(order.beyond(stretch, (500, 1, "e"))) == 3
    assert order.passes((500, 1, "e"), (499, 9, "z"))
    assert not order.passes((500, 1, "e"), (500, 1, "f"))
