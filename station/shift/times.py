"""From when until when a shift lasts: 06–14, 14–22 and 22–06 local, or any other range. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from agent.errors import UsageError
from agent.translatable import tr

LONGEST: Final = timedelta(days=7)
"""Of what is asked for as one shift."""
SOON: Final = timedelta(hours=1)
"""So long before a shift ends it is already the one to be handed over."""


class ShiftName(StrEnum):
    """Which of the three."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    NIGHT = "night"


BEGINS: Final[Mapping[ShiftName, time]] = {
    ShiftName.MORNING: time(6),
    ShiftName.AFTERNOON: time(14),
    ShiftName.NIGHT: time(22),
}
SHIFT_WORDS: Final[Mapping[ShiftName, str]] = {
    ShiftName.MORNING: tr("morning shift"),
    ShiftName.AFTERNOON: tr("afternoon shift"),
    ShiftName.NIGHT: tr("night shift"),
}


@dataclass(frozen=True, slots=True)
class ShiftRange:
    """A range of time, aware; `name` where it is one of the three."""

    start: datetime
    end: datetime
    """Not included."""
    name: ShiftName | None = None

    @property
    def start_ms(self) -> int:
        """Milliseconds since 1970."""
        return round(self.start.timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        """Milliseconds since 1970."""
        return round(self.end.timestamp() * 1000)

    @property
    def words(self) -> str:
        """What it is called."""
        return SHIFT_WORDS[self.name] if self.name is not None else tr("range of your choice")


def shift_at(moment: datetime, zone: tzinfo) -> ShiftRange:
    """The shift in which a moment lies."""
    begins = [each for each in _beginnings(moment, zone) if each[1] <= moment]
    name, start = begins[-1]
    after = next(begin for _, begin in _beginnings(moment, zone) if begin > start)
    return ShiftRange(start, after, name)


def shift_before(shift: ShiftRange, zone: tzinfo) -> ShiftRange:
    """The one that ended when this one began, or was under way then."""
    return shift_at(shift.start - timedelta(seconds=1), zone)


def shift_after(shift: ShiftRange, zone: tzinfo) -> ShiftRange:
    """The one that begins when this one ends, or is under way then."""
    return shift_at(shift.end, zone)


def last_shift(now: datetime, zone: tzinfo) -> ShiftRange:
    """The one to be handed over: that which ended last, or ends within SOON."""
    current = shift_at(now, zone)
    return current if current.end - now <= SOON else shift_before(current, zone)


def chosen(start: datetime, end: datetime, zone: tzinfo) -> ShiftRange:
    """Any range; one of the three has its name.

    Raises:
        UsageError: it is none, or longer than LONGEST.
    """
    if end <= start:
        raise UsageError(tr("the end is not after the beginning"), tr("choose another range"))
    if end - start > LONGEST:
        raise UsageError(tr("that is more than seven days"), tr("choose a shorter range"))
    known = shift_at(start, zone)
    return known if (known.start, known.end) == (start, end) else ShiftRange(start, end)


def _beginnings(moment: datetime, zone: tzinfo) -> list[tuple[ShiftName, datetime]]:
    """Of the shifts around a moment, in order."""
    day = moment.astimezone(zone).date()
    return [
        (name, datetime.combine(day + timedelta(days=more), begins, zone))
        for more in (-1, 0, 1)
        for name, begins in BEGINS.items()
    ]
