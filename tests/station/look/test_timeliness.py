"""station.look.timeliness"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire.verbs import LOOK_OLDEST_S
from station.look.timeliness import Timeliness

NOW_S = 1_800_000_000.0


def late(pictures: list[tuple[float, float]], ahead_s: float = 0.0) -> list[bool]:
    """Of each picture, taken and come at these seconds; the box's clock is so much ahead."""
    judge = Timeliness()
    return [
        judge.is_late(datetime.fromtimestamp(NOW_S + taken_s + ahead_s, UTC).isoformat(), NOW_S + came_s)
        for taken_s, came_s in pictures
    ]


def steadily(count: int, took_s: float = 1.0) -> list[tuple[float, float]]:
    return [(number / 2, number / 2 + took_s) for number in range(count)]


@given(ahead_s=st.floats(-5e7, 5e7), took_s=st.floats(0.1, 4.0))
def test_what_comes_as_it_is_taken_is_shown_whatever_the_box_s_clock_says(
    ahead_s: float, took_s: float
) -> None:
    """All but the first, of which nobody knows."""
    assert not any(late(steadily(20, took_s), ahead_s)[1:])


@given(ahead_s=st.floats(-5e7, 5e7), stall_s=st.floats(8.0, 60.0))
def test_one_that_was_held_up_is_late_by_whatever_clock(ahead_s: float, stall_s: float) -> None:
    before, held = steadily(5), (3.0, 3.0 + stall_s)
    after = [(stall_s + 3.0 + taken_s, stall_s + 3.0 + came_s) for taken_s, came_s in steadily(5)]

    assert late([*before, held, *after], ahead_s)[1:] == [False] * 4 + [True] + [False] * 5


@given(count=st.integers(1, 8), stall_s=st.floats(LOOK_OLDEST_S + 4.1, 60.0))
def test_what_comes_at_once_was_held_up_and_shows_no_clock_that_is_wrong(count: int, stall_s: float) -> None:
    burst = [(number / 2, stall_s) for number in range(count)]

    assert all(late(burst))


@pytest.mark.parametrize("time", ["", "soon", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00"])
def test_of_a_picture_without_a_time_nobody_knows(time: str) -> None:
    assert not Timeliness().is_late(time, NOW_S)
