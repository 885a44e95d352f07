"""When a rule speaks: windows of the week in local time.

Local time is the wall time of the moment plus a fixed offset. The core reads no time zone of the system, and
Vietnam has had one offset and no summer time since 1975; where there is summer time, the offset is a setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from agent.core.types import Instant
from agent.settings.base import Settings

DAY_S = 86_400


class Day(StrEnum):
    """Days of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


DAYS = tuple(Day)

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""Hours and minutes such as 22:00, in quotes: YAML 1.1 reads a bare 22:00 as the number 1320."""


class TimeWindow(Settings):
    """A part of the week; one that ends at or before its start goes on into the next day."""

    days: tuple[Day, ...] = Field(DAYS, min_length=1, description="Days on which the window begins.")
    start: TimeOfDay = Field("00:00", description="When it begins, local time.")
    end: TimeOfDay = Field("00:00", description="When it ends, local time; not after start: the next day.")


def active(schedule: Sequence[TimeWindow], at: Instant, utc_offset_s: int) -> bool:
    """Does the schedule let a rule speak at this moment? An empty schedule always does."""
    if not schedule:
        return True
    day, second = divmod(int(at.wall_s) + utc_offset_s, DAY_S)
    return any(_covers(window, day, second) for window in schedule)


def _covers(window: TimeWindow, day: int, second: int) -> bool:
    start, end = _second(window.start), _second(window.end)
    if start < end:
        return start <= second < end and _weekday(day) in window.days
    return (second >= start and _weekday(day) in window.days) or (
        second < end and _weekday(day - 1) in window.days
    )


def _second(time_of_day: str) -> int:
    return int(time_of_day[:2]) * 3600 + int(time_of_day[3:]) * 60


def _weekday(day: int) -> Day:
    return DAYS[(day + 3) % 7]  # day 0 is 1970-01-01, a Thursday
