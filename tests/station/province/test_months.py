"""station.province.months"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from station.province import months
from station.province.store import upgrade
from station.store.database import engine_of
from tests.support.provinces_up import NOW_MS, ProvincePlace, v7

NOVEMBER = 2026 * 12 + 10


@given(st.integers(0, 4_000_000_000_000))
def test_a_moment_lies_in_its_month(at_ms: int) -> None:
    month = months.month_of(at_ms)

    assert months.begin_ms(month) <= at_ms < months.begin_ms(month + 1)


@pytest.mark.parametrize(
    ("event_id", "month"),
    [
        (v7(NOW_MS), NOVEMBER),
        (v7(months.begin_ms(NOVEMBER)), NOVEMBER),
        (v7(months.begin_ms(NOVEMBER) - 1), NOVEMBER - 1),
        (v7(NOW_MS + 200 * 86_400_000), None),  # a clock that runs ahead
        (v7(86_400_000), None),  # one that nobody set
        ("e-1", None),
        (v7(NOW_MS).upper(), None),
        (v7(NOW_MS) + "0", None),
    ],
)
def test_the_month_of_an_event_is_that_of_its_id(event_id: str, month: int | None) -> None:
    assert months.month_of_id(event_id, NOW_MS) == month


@pytest.mark.postgresql
def test_months_are_made_once_found_again_and_dropped_whole(province: ProvincePlace) -> None:
    engine = engine_of(province.url)
    upgrade(engine)
    for _ in range(2):
        with engine.begin() as connection:
            months.make(connection, [NOVEMBER, NOVEMBER - 1])
    with engine.begin() as connection:
        assert months.made(connection) == {NOVEMBER - 1, NOVEMBER}
        assert months.drop(connection, NOVEMBER) == [NOVEMBER - 1]
    with engine.begin() as connection:
        assert months.made(connection) == {NOVEMBER}
        assert connection.scalar(text("select count(*) from event")) == 0
    engine.dispose()


def test_this_month_and_the_next_are_made_ahead() -> None:
    december_ms = round(datetime(2026, 12, 31, 23, tzinfo=UTC).timestamp() * 1000)

    assert [each % 12 + 1 for each in months.ahead(december_ms)] == [12, 1]
