"""Moments, durations and sizes as people say and read them: 14:03:22, 27/11/2026; 2 min 30 s; 15.0 MB. Pure."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final

from agent.translatable import tr

_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def clock(at: datetime, zone: tzinfo) -> str:
    """The time of day alone."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def day(at: datetime, zone: tzinfo) -> str:
    """The day alone."""
    return f"{at.astimezone(zone):%d/%m/%Y}"


def said(at: datetime, zone: tzinfo) -> str:
    """Time and day."""
    return f"{clock(at, zone)}, {day(at, zone)}"


def span(start: datetime, end: datetime, zone: tzinfo) -> str:
    """From when until when; the day once, if it is one day."""
    if day(start, zone) == day(end, zone):
        return tr(
            "{first} – {last}, {day}", first=clock(start, zone), last=clock(end, zone), day=day(start, zone)
        )
    return tr("{first} – {last}", first=said(start, zone), last=said(end, zone))


def lasted(seconds: float) -> str:
    """How long, in the two largest units that say something."""
    all_s = max(0, round(seconds))
    hours, minutes, rest = all_s // 3600, all_s // 60 % 60, all_s % 60
    if hours >= 24:
        return tr("{days} d {hours} h", days=hours // 24, hours=hours % 24)
    if hours:
        return (
            tr("{hours} h {minutes} min", hours=hours, minutes=minutes)
            if minutes
            else tr("{hours} h", hours=hours)
        )
    if minutes and rest:
        return tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return tr("{minutes} min", minutes=minutes) if minutes else tr("{seconds} s", seconds=rest)


def size(number: int) -> str:
    """So many bytes."""
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= least:
            return tr("{number:.1f} {unit}", number=number / least, unit=unit)
    return tr("{number} bytes", number=number)


def in_local_words(text: str, zone: tzinfo) -> str:
    """The text with each moment in it that is written for programs written for people."""

    def local(found: re.Match[str]) -> str:
        try:
            return said(datetime.fromisoformat(found[0]), zone)
        except (ValueError, OverflowError):
            return found[0]

    return _ISO.sub(local, text)
