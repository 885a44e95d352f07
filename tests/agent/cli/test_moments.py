"""agent.cli.moments"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.moments import duration, moment, zone
from agent.errors import ConfigError

NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)  # 22:30 there


@pytest.fixture(autouse=True)
def east_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("now", "2026-11-27T15:30"),
        ("2h", "2026-11-27T13:30"),
        ("90 m", "2026-11-27T14:00"),
        ("3d", "2026-11-24T15:30"),
        ("1w", "2026-11-20T15:30"),
        ("18:00", "2026-11-27T11:00"),
        ("6:05", "2026-11-26T23:05"),
        ("today", "2026-11-26T17:00"),
        ("today 06:00:30", "2026-11-26T23:00:30"),
        ("yesterday", "2026-11-25T17:00"),
        ("Yesterday 18:00", "2026-11-26T11:00"),
        ("2026-11-20", "2026-11-19T17:00"),
        ("2026-11-20 18:00", "2026-11-20T11:00"),
        ("2026-11-20T18:00:05", "2026-11-20T11:00:05"),
        ("2026-11-20T18:00Z", "2026-11-20T18:00"),
        ("2026-11-20T18:00+01:00", "2026-11-20T17:00"),
    ],
)
def test_a_moment_is_said_as_people_say_it_in_local_time(said: str, meant: str) -> None:
    found = moment(said, NOW, "--since")

    assert found == datetime.fromisoformat(meant).replace(tzinfo=UTC)
    assert found.utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize(
    "said", ["", "tomorrow", "25:00", "2h ago", "2026-02-30", "0001-01-01", "9999-12-31", "999999999w", "18"]
)
def test_what_is_no_moment_is_told_with_what_may_be_said(said: str) -> None:
    with pytest.raises(ConfigError, match=r"--until: .* is no moment") as caught:
        moment(said, NOW, "--until")

    assert "'yesterday 18:00'" in caught.value.hint


@given(st.text(max_size=30))
def test_no_text_gives_another_error(said: str) -> None:
    with suppress(ConfigError):
        moment(said, NOW, "--since")


def test_the_zone_is_named_with_what_it_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert zone(NOW) == "UTC+07:00"
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert zone(NOW) == "CET (UTC+01:00)"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (4.4, "4 s"), (59.6, "1:00"), (754, "12:34"), (11_100, "3 h 05"), (183_600, "2 d 3 h")],
)
def test_a_duration_is_short(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
