"""Hours, days and weeks as a clock on the wall shows them. No clock, no database.

A bucket begins and ends at moments of UTC: where clocks are set, a day has 23 or 25 hours, an hour that comes
twice is two buckets, and one that is left out is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from agent.errors import NgatuError
from agent.translatable import tr

_HOUR: Final = timedelta(hours=1)
_QUARTER: Final = timedelta(minutes=15)
"""Every zone is a whole number of these ahead of UTC, or behind it (tz database, since 1972)."""


class Step(StrEnum):
    """How long a bucket is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """From Monday to Sunday (ISO 8601)."""


LONGEST: Final = {Step.HOUR: timedelta(days=32), Step.DAY: timedelta(days=400), Step.WEEK: timedelta(days=1100)}
"""What is shown at once at most: more bars than that nobody reads."""


class PeriodRefused(NgatuError):
    """A period that ends before it begins, or that has too many buckets."""


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """From `start` until before `end`, in local time of one zone."""

    start: datetime
    end: datetime
    start_ms: int = field(init=False, compare=False, repr=False)
    """Whole milliseconds since 1970."""
    end_ms: int = field(init=False, compare=False, repr=False)
    """The same of its end."""

    def __post_init__(self) -> None:
        # Once, and not whenever somebody asks: a month of hours is asked thousands of times.
        object.__setattr__(self, "start_ms", _ms(self.start))
        object.__setattr__(self, "end_ms", _ms(self.end))

    @property
    def length_ms(self) -> int:
        """How long it is by a clock that is never set."""
        return self.end_ms - self.start_ms


@lru_cache(maxsize=16)
def buckets(first: date, last: date, step: Step, zone: tzinfo) -> tuple[Bucket, ...]:
    """Those of the days from `first` to `last`, both included; weeks are whole ones.

    The latest are kept: a page asks for the same days of each of its lines, and again when it is loaded again.

    Raises:
        PeriodRefused: the last day is before the first, or the period is longer than LONGEST.
    """
    if last < first:
        raise PeriodRefused(tr("the period ends before it begins"), tr("exchange the two days"))
    if last - first >= LONGEST[step]:
        days = LONGEST[step].days
        raise PeriodRefused(tr("that is longer than {days} days", days=days), tr("choose a longer step"))
    if step is Step.WEEK:
        first -= timedelta(days=first.weekday())
        last += timedelta(days=6 - last.weekday())
    marks = _hours(first, last, zone) if step is Step.HOUR else _days(first, last, step, zone)
    borders = list(marks)
    return tuple(Bucket(start, end) for start, end in pairwise(borders))


def hours_of(bucket: Bucket, zone: tzinfo) -> tuple[Bucket, ...]:
    """The hours that a day or a week consists of."""
    last = bucket.end.date() - timedelta(days=1)
    return buckets(bucket.start.date(), last, Step.HOUR, zone)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins, in local time; where clocks are set at midnight, its first moment."""
    return datetime.combine(day, time.min, zone).astimezone(UTC).astimezone(zone)


def _days(first: date, last: date, step: Step, zone: tzinfo) -> Iterator[datetime]:
    day, days = first, timedelta(days=7 if step is Step.WEEK else 1)
    while day <= last:
        yield midnight(day, zone)
        day += days
    yield midnight(day, zone)


def _hours(first: date, last: date, zone: tzinfo) -> Iterator[datetime]:
    """Whenever the hour on the wall is another one: also where clocks are set by half an hour."""
    at, end = (midnight(day, zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    before = None
    while at < end:
        local = at.astimezone(zone)
        shown = local.date(), local.hour, local.utcoffset()
        if shown != before:
            yield local
        before = shown
        # Where no clock is set until then, nothing changes before it, and that is nearly always.
        hour = at + _HOUR
        is_plain = not local.minute and hour <= end and hour.astimezone(zone).utcoffset() == local.utcoffset()
        at = hour if is_plain else at + _QUARTER
    yield end.astimezone(zone)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
