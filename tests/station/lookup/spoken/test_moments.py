"""station.lookup.spoken.moments"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from station.lookup.spoken.moments import number_of, taken_time
from station.lookup.spoken.text import SpokenText

NOW = datetime(2026, 11, 27, 15, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
"""A Friday."""


def span(text: str) -> str:
    found = taken_time(SpokenText(text), NOW, timedelta(hours=1))
    return f"{found.since:%d/%m %H:%M} {found.until:%d/%m %H:%M}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thứ hai", "23/11 00:00 24/11 00:00"),
        ("t7", "21/11 00:00 22/11 00:00"),
        ("Friday", "27/11 00:00 28/11 00:00"),
        ("chủ nhật tuần trước", "22/11 00:00 23/11 00:00"),
        ("tuần này", "23/11 00:00 28/11 00:00"),
        ("last month", "01/10 00:00 01/11 00:00"),
        ("30 phút vừa qua", "27/11 14:30 27/11 15:00"),
        ("two hours ago", "27/11 13:00 27/11 15:00"),
        ("31/12", "31/12 00:00 01/01 00:00"),
        ("ngày 5 tháng 11", "05/11 00:00 06/11 00:00"),
        ("27-11-2026", "27/11 00:00 28/11 00:00"),
        ("từ 22h đến 2h hôm qua", "26/11 22:00 27/11 02:00"),
        ("8 giờ tối đến 9 giờ tối hôm qua", "26/11 20:00 26/11 21:00"),
        ("12 giờ trưa hôm qua", "26/11 12:00 26/11 13:00"),
        ("11 giờ đêm hôm qua", "26/11 23:00 27/11 00:00"),
        ("chiều nay", "27/11 12:00 27/11 18:00"),
        ("sáng hôm qua", "26/11 05:00 26/11 12:00"),
        ("nothing of a time", "27/11 14:00 27/11 15:00"),
    ],
)
def test_a_time_is_read_as_people_say_it(text: str, expected: str) -> None:
    assert span(text) == expected


AT_NIGHT = NOW.replace(day=28, hour=2, minute=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("đêm qua 1h20", "28/11 01:10 28/11 01:30"),
        ("đêm qua từ 1h đến 2h", "28/11 01:00 28/11 02:00"),
        ("12h đêm qua", "28/11 00:00 28/11 01:00"),
        ("22h30 đêm qua", "27/11 22:20 27/11 22:40"),
        ("last night at 1:20", "28/11 01:10 28/11 01:30"),
        ("đêm qua", "27/11 22:00 28/11 05:00"),
        ("đêm nay", "27/11 22:00 28/11 05:00"),
        ("đêm nay 1h20", "28/11 01:10 28/11 01:30"),
        ("tối nay", "27/11 18:00 27/11 23:00"),
        ("rạng sáng nay", "28/11 00:00 28/11 06:00"),
        ("rạng sáng hôm qua", "27/11 00:00 27/11 06:00"),
        ("1h20 rạng sáng", "28/11 01:10 28/11 01:30"),
        ("2h qua", "28/11 00:30 28/11 02:30"),
        ("2h qua cầu", "28/11 02:00 28/11 03:00"),
        ("1h trước cổng chợ", "28/11 01:00 28/11 02:00"),
        ("ngã tư 1h20", "28/11 01:10 28/11 01:30"),
        ("30p trước", "28/11 02:00 28/11 02:30"),
        ("cách đây 1 tiếng", "28/11 01:30 28/11 02:30"),
        ("từ 1h20", "28/11 01:20 29/11 00:00"),
    ],
)
def test_a_night_is_read_as_whoever_is_on_duty_in_it_says_it(text: str, expected: str) -> None:
    found = taken_time(SpokenText(text), AT_NIGHT, timedelta(hours=1))

    assert f"{found.since:%d/%m %H:%M} {found.until:%d/%m %H:%M}" == expected


def test_a_day_on_which_clocks_are_set_begins_and_ends_at_midnight() -> None:
    berlin = datetime(2026, 3, 29, 15, 0, tzinfo=ZoneInfo("Europe/Berlin"))

    found = taken_time(SpokenText("today"), berlin, timedelta(hours=1))

    assert found.until.timestamp() - found.since.timestamp() == 23 * 3600


@pytest.mark.parametrize(
    ("word", "number"), [("7", 7), ("ba", 3), ("mười  hai".replace("ườ", "uo"), 12), ("nine", 9)]
)
def test_numbers_are_digits_or_words(word: str, number: int) -> None:
    assert number_of(word) == number
