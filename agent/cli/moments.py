"""Moments as people say them, in the local time of this machine, and as they are shown to people. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

from agent.errors import ConfigError
from agent.translatable import tr

FORMS: Final = "2h, 18:00, 'yesterday 18:00', 2026-11-27, '2026-11-27 18:00' or 2026-11-27T18:00:00+07:00"
"""What may be said."""

_AGO: Final = re.compile(r"(\d{1,9})\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_OF_A_DAY: Final = re.compile(r"(?:(today|yesterday)\s*)?(\d{1,2}:\d{2}(?::\d{2})?)?", re.IGNORECASE)


def moment(said: str, now: datetime, option: str) -> datetime:
    """The moment that is meant, in the local zone; `option` is what messages call it.

    A day without a time is its beginning; a time without a day is today's.

    Raises:
        ConfigError: it is none of FORMS, or no such day or time.
    """
    from agent.wire.payloads import FIRST_YEAR, LAST_YEAR  # noqa: PLC0415 – `ngatu --help` needs no payloads

    try:
        found = _read(said.strip(), now.astimezone())
    except (ValueError, OverflowError):
        found = None
    if found is None or not FIRST_YEAR <= found.astimezone(UTC).year <= LAST_YEAR:
        raise ConfigError(
            tr("{option}: {said} is no moment", option=option, said=repr(said)),
            tr("say it as in {forms}", forms=FORMS),
        )
    return found


def _read(said: str, now: datetime) -> datetime | None:
    if said.lower() == "now":
        return now
    ago = _AGO.fullmatch(said)
    if ago is not None:
        return now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    of_a_day = _OF_A_DAY.fullmatch(said)
    if of_a_day is not None and said:
        word, clock = of_a_day[1], of_a_day[2]
        day = now.date() - timedelta(days=(word or "").lower() == "yesterday")
        hour = time.fromisoformat(clock.zfill(5 if clock.count(":") == 1 else 8)) if clock else time.min
        return datetime.combine(day, hour).astimezone()
    return datetime.fromisoformat(said).astimezone()  # without a zone it is the local one


def zone(at: datetime) -> str:
    """The local zone at that moment, by its name and by what it adds to UTC."""
    local = at.astimezone()
    name, offset = local.tzname() or "", f"UTC{local:%z}"[:6] + ":" + f"{local:%z}"[3:5]
    return offset if re.fullmatch(r"[+-]?\d*|UTC", name) else f"{name} ({offset})"


def duration(seconds: float) -> str:
    """How long, for people: `4 s`, `12:30` in minutes, `3 h 05`, `2 d 3 h`."""
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3_600, whole // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d}"
    return f"{minutes}:{whole % 60:02d}" if minutes else f"{whole} s"
