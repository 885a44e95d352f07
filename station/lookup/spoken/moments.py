"""When: days, hours and spans as people say them, in Vietnamese and in English. Pure.

Everything lies in the past: an hour without a day is today's, or yesterday's where today's is yet to come. A
night has the name of the day on which it begins: its hours after midnight are the next day's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from station.lookup.spoken.text import SpokenText, phrase

NUMBERS: Final = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "sau": 6, "bay": 7, "tam": 8,
    "chin": 9, "muoi": 10, "muoi mot": 11, "muoi hai": 12,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
"""Number words of both languages."""
_DAYS: Final = (
    ("thu hai", "thu 2", "t2", "monday", "mon"),
    ("thu ba", "thu 3", "t3", "tuesday", "tue"),
    ("thu tu", "thu 4", "t4", "wednesday", "wed"),
    ("thu nam", "thu 5", "t5", "thursday", "thu"),
    ("thu sau", "thu 6", "t6", "friday", "fri"),
    ("thu bay", "thu 7", "t7", "saturday", "sat"),
    ("chu nhat", "cn", "sunday", "sun"),
)
_PARTS: Final = {
    "morning": (5, 12), "noon": (11, 13), "afternoon": (12, 18), "evening": (18, 23), "night": (22, 29),
    "sang": (5, 12), "trua": (11, 13), "chieu": (12, 18), "toi": (18, 23), "dem": (22, 29), "khuya": (22, 29),
    "rang sang": (0, 6), "tang sang": (0, 6), "sang som": (0, 6),
}  # fmt: skip
"""Of a day: hours from, until before; beyond 24 it is the next day."""
_LATER = ("pm", "afternoon", "evening", "chieu", "toi")
_NIGHT = ("dem", "night", "khuya")
_NOON = ("trua", "noon")
_EARLY = ("rang sang", "tang sang", "sang som")
_DAWN: Final = timedelta(hours=6)
"""An hour of a night before it is after midnight."""
_WORDS = "|".join(sorted(NUMBERS, key=len, reverse=True))
_N = rf"(?:\d{{1,2}}|{_WORDS})"
_HALF = r"(?:\s*(?:am|pm|rang\s+sang|tang\s+sang|sang\s+som|sang|trua|chieu|toi|dem|o'?clock))"
_UNIT = r"(?:\s*(?:gio|giờ|h|g))"
_MINUTES = r"(?:\s*(\d{2})(?:\s*(?:phut|p))?|\s*(ruoi))"


def _hour(tag: str) -> str:
    return (
        rf"(?P<h{tag}>{_N})(?:(?P<u{tag}>:|{_UNIT})(?:\s*(?P<m{tag}>\d{{2}})(?:\s*(?:phut|p))?"
        rf"|\s*(?P<r{tag}>ruoi))?)?(?P<p{tag}>{_HALF})?"
    )


_RANGE: Final = re.compile(
    rf"(?<!\w)(?P<lead>tu|from|between|luc)?\s*{_hour('a')}\s*(?P<to>-|–|->|den|toi|to|and|until|till)\s*"
    rf"{_hour('b')}(?!\w)"
)
_SINGLE: Final = re.compile(
    r"(?<!\w)(?P<lead>(?:vao\s+)?luc|khoang|at|about|around|sau|after|since|(?<!nga )tu|from"
    r"|truoc|before|until)?\s*"
    rf"{_hour('a')}(?!\w)"
)
_AGO: Final = re.compile(
    rf"(?<!\w)(?<!thu )(?:(?:trong|last|past|the last)\s+)?(?P<n>\d{{1,3}}|{_WORDS})?\s*"
    r"(?P<unit>phut|gio|tieng|ngay|tuan|thang|minutes?|hours?|days?|weeks?|months?)\s*"
    r"(?P<ago>vua qua|vua roi|gan day|qua|truoc day|truoc|ago)(?!\w)"
    rf"|(?<!\w)(?:last|past)\s+(?P<n2>\d{{1,3}}|{_WORDS})\s*(?P<unit2>minutes?|hours?|days?|weeks?|months?)(?!\w)"
    # "2h qua" is the last two hours, "2h qua cau" at two over the bridge, "2h truoc cho" before a market.
    r"|(?<!\w)(?P<n3>\d{1,3})\s*(?P<unit3>[hp])\s*"
    r"(?:vua qua|vua roi|gan day|(?:truoc|qua)(?=\s*(?:$|[,.;])))(?!\w)"
    rf"|(?<!\w)cach day\s+(?P<n4>\d{{1,3}}|{_WORDS})\s*(?P<unit4>phut|gio|tieng|ngay|tuan|thang|[hp])(?!\w)"
)
_DATE: Final = re.compile(
    r"(?<!\w)(?:ngay\s+)?(?P<d>\d{1,2})(?:/|\s*thang\s*|(?P<dash>[.-]))(?P<m>\d{1,2})"
    r"(?:(?:[/.-]|\s*nam\s*)(?P<y>\d{4}))?(?!\w)"
)
_ISO: Final = re.compile(r"(?<!\w)(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?!\w)")
_TODAY = phrase("hom nay", "ngay hom nay", "today", "bua nay")
_YESTERDAY = phrase("hom qua", "ngay hom qua", "yesterday", "bua qua")
_BEFORE = phrase("hom kia", "the day before yesterday", "bua kia")
_WEEK_BEFORE = phrase("tuan truoc", "tuan qua", "last week")
_WEEK = phrase("tuan nay", "this week")
_MONTH = phrase("thang nay", "this month")
_MONTH_BEFORE = phrase("thang truoc", "last month")
_PART_TODAY = re.compile(
    r"(?<!\w)(?:this\s+(?P<e>morning|noon|afternoon|evening)|(?P<v>(?:rang|tang)\s+sang|sang\s+som|sang|trua|chieu|toi|dem)\s+nay"
    r"|tonight)(?!\w)"
)
_PART_YESTERDAY = re.compile(
    r"(?<!\w)(?:last\s+(?P<e>night|evening)|(?P<v>(?:rang|tang)\s+sang|sang\s+som|sang|trua|chieu|toi|dem)"
    r"\s+(?:hom\s+)?qua)(?!\w)"
)
_LONGEST_PARTS = "|".join(each.replace(" ", r"\s+") for each in sorted(_PARTS, key=len, reverse=True))
_PART = re.compile(rf"(?<!\w)(?:buoi\s+|(?:in|at)\s+(?:the\s+)?)?(?P<v>{_LONGEST_PARTS})(?!\w)")
_UNITS_S: Final = {
    "phut": 60, "p": 60, "minute": 60, "gio": 3_600, "h": 3_600, "tieng": 3_600, "hour": 3_600,
    "ngay": 86_400, "day": 86_400, "tuan": 604_800, "week": 604_800, "thang": 2_592_000, "month": 2_592_000,
}  # fmt: skip
AROUND: Final = timedelta(minutes=10)
"""Beside a moment that is said to the minute."""


@dataclass(frozen=True, slots=True)
class SpokenTime:
    """From when until before when; `is_said` False: nothing was said of it."""

    since: datetime
    until: datetime
    is_said: bool = True


def number_of(word: str) -> int:
    """The number that digits or a word say."""
    return int(word) if word.isdigit() else NUMBERS[re.sub(r"\s+", " ", word)]


def taken_time(text: SpokenText, now: datetime, without: timedelta) -> SpokenTime:
    """The time that is said, taken out of the text; else so long until now, which is in the local zone."""
    lasts = _taken_ago(text)
    if lasts is not None:
        return SpokenTime(now - lasts, now)
    part, days = _taken_days(text, now)
    hours = _taken_hours(text, bool(days), part)
    if hours is not None and days is not None and part in _NIGHT and days[0] < now.date():
        hours = _after_midnight(hours)
    if hours is None and part is None:
        part = _taken_part(text)
    if hours is None and part is not None:
        hours = (timedelta(hours=_PARTS[part][0]), timedelta(hours=_PARTS[part][1]))
        days = _begun(days, part, hours[0], now)
    if days is None and hours is None:
        return SpokenTime(now - without, now, is_said=False)
    if days is None:
        today = now.date()
        begun = _at(today, hours[0], now) <= now if hours else True
        days = (today, today) if begun else (today - timedelta(days=1),) * 2
    if hours is None:
        return SpokenTime(_at(days[0], timedelta(0), now), _at(days[1] + timedelta(days=1), timedelta(0), now))
    return SpokenTime(_at(days[0], hours[0], now), _at(days[1], hours[1], now))


def _taken_ago(text: SpokenText) -> timedelta | None:
    ago = text.take_if(_AGO, lambda it: not (it["unit"] and it["ago"] == "truoc" and not it["n"]))
    if ago is None:
        return None
    said = ago["unit"] or ago["unit2"] or ago["unit3"] or ago["unit4"]
    number = number_of(ago["n"] or ago["n2"] or ago["n3"] or ago["n4"] or "1")
    return timedelta(seconds=_UNITS_S[re.sub("s$", "", said)] * number)


def _after_midnight(hours: tuple[timedelta, timedelta]) -> tuple[timedelta, timedelta]:
    """Hours that are said of a night that began the day before: half past one of it is the next day's."""
    day = timedelta(days=1)
    if timedelta(0) <= hours[0] < _DAWN:
        return hours[0] + day, hours[1] + day
    return hours


def _begun(
    days: tuple[date, date] | None, part: str, hour: timedelta, now: datetime
) -> tuple[date, date] | None:
    """The day whose part is meant: tonight, said after midnight, is the night that goes on."""
    if days != (now.date(), now.date()) or _at(now.date(), hour, now) <= now or part in ("sang", "morning"):
        return days
    return (now.date() - timedelta(days=1),) * 2


def _at(day: date, of_day: timedelta, now: datetime) -> datetime:
    """By the clock on the wall, also on a day on which it is set."""
    naive = datetime.combine(day, time.min) + of_day
    return naive.replace(tzinfo=now.tzinfo)


def _taken_days(text: SpokenText, now: datetime) -> tuple[str | None, tuple[date, date] | None]:
    """A part of the day that was said with it, and the days from, to."""
    today = now.date()
    for pattern, back in ((_PART_TODAY, 0), (_PART_YESTERDAY, 1)):
        found = text.take(pattern)
        if found is not None:
            day = today - timedelta(days=back)
            return _plain(found["e"] or found["v"]) or "evening", (day, day)
    for pattern, back in ((_BEFORE, 2), (_YESTERDAY, 1), (_TODAY, 0)):
        if text.take(pattern) is not None:
            day = today - timedelta(days=back)
            return None, (day, day)
    dated = _taken_date(text, today)
    if dated is not None:
        return None, (dated, dated)
    return None, _taken_week(text, today)


def _taken_date(text: SpokenText, today: date) -> date | None:
    for pattern in (_ISO, _DATE):
        found = text.take_if(pattern, _is_date)
        if found is None:
            continue
        try:
            day = date(int(found["y"] or today.year), int(found["m"]), int(found["d"]))
            return day if found["y"] or day <= today else day.replace(year=day.year - 1)
        except ValueError:
            return None
    return None


def _is_date(found: re.Match[str]) -> bool:
    """9-10 are hours, 9-10-2026 is a day."""
    return bool(found["y"] or not found.groupdict().get("dash"))


def _taken_week(text: SpokenText, today: date) -> tuple[date, date] | None:
    monday = today - timedelta(days=today.weekday())
    before = text.take(_WEEK_BEFORE) is not None
    this = not before and text.take(_WEEK) is not None
    for weekday, names in enumerate(_DAYS):
        if text.take(phrase(*names)) is None:
            continue
        day = monday + timedelta(days=weekday - 7 * before)
        day -= timedelta(days=7 * (day > today))
        return day, day
    if before:
        return monday - timedelta(days=7), monday - timedelta(days=1)
    if this:
        return monday, today
    first = today.replace(day=1)
    if text.take(_MONTH) is not None:
        return first, today
    if text.take(_MONTH_BEFORE) is not None:
        last = first - timedelta(days=1)
        return last.replace(day=1), last
    return None


def _taken_part(text: SpokenText) -> str | None:
    found = text.take(_PART)
    return None if found is None else _plain(found["v"])


def _plain(said: str | None) -> str:
    return re.sub(r"\s+", " ", said or "").strip()


def _taken_hours(text: SpokenText, day_is_said: bool, part: str | None) -> tuple[timedelta, timedelta] | None:
    found = text.take_if(
        _RANGE, lambda it: bool(day_is_said or it["lead"] or _marked(it, "a") or _marked(it, "b"))
    )
    if found is not None:
        part = part or _taken_part(text)
        since, until = _of(found, "a", part or _half(found, "b")), _of(found, "b", part or _half(found, "a"))
        if until <= since:
            until += timedelta(hours=12 if until + timedelta(hours=12) > since else 24)
        return since, until
    found = text.take_if(_SINGLE, lambda it: bool(it["lead"] or _marked(it, "a")))
    if found is None:
        return None
    at = _of(found, "a", part or _half(found, "a") or _taken_part(text))
    lead = (found["lead"] or "").split()[-1:] or [""]
    if lead[0] in ("sau", "after", "since", "tu", "from"):
        return at, timedelta(hours=24)
    if lead[0] in ("truoc", "before", "until"):
        return timedelta(0), at
    if found["ma"] or found["ra"]:
        return at - AROUND, at + AROUND
    return at, at + timedelta(hours=1)


def _marked(found: re.Match[str], tag: str) -> bool:
    """Whether it is said to be an hour, not only a number."""
    return bool(found[f"u{tag}"] or found[f"p{tag}"])


def _half(found: re.Match[str], tag: str) -> str | None:
    said = _plain(found[f"p{tag}"])
    return said if said in _PARTS or said in ("am", "pm") else None


def _of(found: re.Match[str], tag: str, part: str | None) -> timedelta:
    hour, said = number_of(found[f"h{tag}"]), _half(found, tag) or part
    from_hour = {**dict.fromkeys(_LATER, 0), **dict.fromkeys(_NIGHT, 6)}.get(said or "", 12)
    if from_hour <= hour < 12 or (said in _NOON and hour <= 3):
        hour += 12
    elif hour == 12 and said in ("am", "sang", "morning", *_EARLY, *_NIGHT):
        hour = 0
    minutes = 30 if found[f"r{tag}"] else int(found[f"m{tag}"] or 0)
    return timedelta(hours=min(hour, 24), minutes=minutes)
