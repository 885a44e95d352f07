"""station.shift.times"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UsageError
from station.shift.times import ShiftName, chosen, last_shift, shift_after, shift_at, shift_before

HERE = ZoneInfo("Asia/Ho_Chi_Minh")


def local(hour: int, minute: int = 0, day: int = 27) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=HERE)


@pytest.mark.parametrize(
    ("moment", "name", "start", "end"),
    [
        (local(6), ShiftName.MORNING, local(6), local(14)),
        (local(13, 59), ShiftName.MORNING, local(6), local(14)),
        (local(14), ShiftName.AFTERNOON, local(14), local(22)),
        (local(23), ShiftName.NIGHT, local(22), local(6, day=28)),
        (local(3), ShiftName.NIGHT, local(22, day=26), local(6)),
    ],
)
def test_each_moment_lies_in_one_shift(
    moment: datetime, name: ShiftName, start: datetime, end: datetime
) -> None:
    found = shift_at(moment, HERE)

    assert (found.name, found.start, found.end) == (name, start, end)


def test_the_shift_to_be_handed_over_is_the_last_one_or_one_that_ends_soon() -> None:
    assert last_shift(local(14, 5), HERE).start == local(6)
    assert last_shift(local(12), HERE).start == local(22, day=26)
    assert last_shift(local(13, 10), HERE).start == local(6)


def test_any_range_may_be_chosen_and_one_of_the_three_is_known_again() -> None:
    assert chosen(local(6), local(14), HERE).name is ShiftName.MORNING
    assert chosen(local(7), local(9), HERE).name is None
    with pytest.raises(UsageError, match="not after"):
        chosen(local(7), local(7), HERE)
    with pytest.raises(UsageError, match="more than seven days"):
        chosen(local(7, day=1), local(8, day=8), HERE)


@given(
    st.integers(1_580_000_000, 2_050_000_000).map(lambda at_s: datetime.fromtimestamp(at_s, UTC)),
    st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns"]),
)
def test_shifts_follow_each_other_without_a_gap_also_where_clocks_are_put_forward(
    moment: datetime, name: str
) -> None:
    zone = ZoneInfo(name)
    found = shift_at(moment, zone)

    assert found.start <= moment < found.end
    assert timedelta(hours=6) < found.end.astimezone(UTC) - found.start.astimezone(UTC) < timedelta(hours=10)
    assert shift_after(found, zone).start == found.end
    assert shift_before(found, zone).end == found.start
