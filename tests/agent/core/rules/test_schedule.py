"""agent.core.rules.schedule"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core.rules.schedule import Day, TimeWindow, active
from agent.core.types import Instant

VIETNAM_S = 7 * 3600
NIGHT = TimeWindow(days=(Day.FRI,), start="22:00", end="05:00")


def at(text: str, offset_s: int = VIETNAM_S) -> Instant:
    zone = timezone(timedelta(seconds=offset_s))
    return Instant(0.0, datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("moment", "speaks"),
    [
        ("2026-03-06T21:59:59", False),  # a Friday
        ("2026-03-06T22:00:00", True),
        ("2026-03-07T04:59:59", True),
        ("2026-03-07T05:00:00", False),
        ("2026-03-07T22:30:00", False),
        ("2026-03-06T04:00:00", False),  # the night of Thursday
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(moment: str, speaks: bool) -> None:
    assert active([NIGHT], at(moment), VIETNAM_S) is speaks


def test_an_empty_schedule_always_speaks() -> None:
    assert active([], at("2026-03-06T12:00:00"), VIETNAM_S)


def test_a_window_that_ends_when_it_begins_lasts_the_whole_day() -> None:
    day = TimeWindow(days=(Day.SUN,))

    assert active([day], at("2026-03-08T00:00:00"), VIETNAM_S)
    assert active([day], at("2026-03-08T23:59:59"), VIETNAM_S)
    assert not active([day], at("2026-03-09T12:00:00"), VIETNAM_S)


@given(st.integers(0, 4_000_000_000), st.integers(-43_200, 50_400))
def test_day_and_time_are_those_of_the_calendar(wall_s: int, offset_s: int) -> None:
    local = datetime.fromtimestamp(wall_s, timezone(timedelta(seconds=offset_s)))
    hour = TimeWindow(
        days=(list(Day)[local.weekday()],), start=f"{local.hour:02}:00", end=f"{local.hour:02}:59"
    )

    assert active([hour], Instant(0.0, float(wall_s)), offset_s) is (local.minute < 59)


@pytest.mark.parametrize("wrong", ["24:00", "7:00", "07:60", 1320, "22"])
def test_a_time_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        TimeWindow.model_validate({"start": wrong})
