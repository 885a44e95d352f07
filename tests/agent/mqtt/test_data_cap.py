"""agent.mqtt.data_cap"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.mqtt.data_cap import DAY_S, OVERHEAD_BYTES, DailySettings, DataCap
from agent.wire.message import Priority


def at(seconds: float) -> Instant:
    return Instant(seconds, 0.0)


def test_a_class_closes_when_its_bytes_are_used_up_and_opens_with_the_day() -> None:
    data_cap = DataCap(DailySettings(images_bytes=10_000).limits())
    data_cap.turn(at(0), "2026-03-02")
    data_cap.spend(Priority.IMAGE, 9_000)
    assert data_cap.open(Priority.IMAGE)
    data_cap.spend(Priority.IMAGE, 9_000)
    assert data_cap.closed() == (Priority.IMAGE,)
    assert not data_cap.turn(at(100), "2026-03-02")
    assert data_cap.turn(at(200), "2026-03-03")
    assert data_cap.open(Priority.IMAGE)


def test_without_a_trusted_clock_a_day_lasts_24_hours_of_the_steady_one() -> None:
    data_cap = DataCap({Priority.IMAGE: 1})
    data_cap.turn(at(50), "")
    data_cap.spend(Priority.IMAGE, 1)
    assert not data_cap.turn(at(50 + DAY_S - 1), "")
    assert not data_cap.open(Priority.IMAGE)
    assert data_cap.turn(at(50 + DAY_S), "")
    assert data_cap.open(Priority.IMAGE)


def test_a_clock_that_becomes_trusted_gives_no_second_budget() -> None:
    data_cap = DataCap({Priority.IMAGE: 1})
    data_cap.turn(at(0), "")
    data_cap.spend(Priority.IMAGE, 1)
    assert not data_cap.turn(at(100), "2026-03-02")
    assert not data_cap.turn(at(200), "")
    assert data_cap.turn(at(300), "2026-03-03")


def test_there_is_no_setting_that_holds_events_back() -> None:
    all_of_them = DailySettings(**dict.fromkeys(DailySettings.model_fields, 0))
    assert set(Priority) - set(all_of_them.limits()) == {Priority.EVENT}


@given(st.lists(st.tuples(st.sampled_from(Priority), st.integers(0, 10_000))), st.integers(0, 20_000))
def test_a_class_never_goes_beyond_its_bytes_by_more_than_its_last_message(
    sizes: list[tuple[Priority, int]], limit: int
) -> None:
    data_cap = DataCap({Priority.IMAGE: limit, Priority.COUNT: limit})
    last = dict.fromkeys(Priority, 0)
    for priority, size in sizes:
        if data_cap.open(priority):
            data_cap.spend(priority, size)
            last[priority] = size + OVERHEAD_BYTES
    for priority in data_cap.limits:
        assert data_cap.spent.get(priority, 0) <= limit + last[priority]
