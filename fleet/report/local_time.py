"""Moments as the administrator's clock shows them, with the name of its zone."""

from __future__ import annotations

import os
import re
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from agent.errors import UsageError

SUCH: Final = "such as Asia/Ho_Chi_Minh or UTC; `timedatectl list-timezones` shows all"
ZONES = "/zoneinfo/"
"""Behind it stands a zone's name, in the path that a system's local time leads to."""


def named_zone(name: str) -> ZoneInfo:
    """The zone of this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"--timezone {name}: there is no such zone", _meant(name)) from None


def _meant(name: str) -> str:
    """What to write instead: a zone that is so called but for capitals and blanks, or whose place is."""
    word = _plain(name)
    # Etc/GMT+7 is seven hours behind (POSIX turns the sign about): who writes GMT+7 does not mean that.
    zones = sorted(each for each in available_timezones() if not each.startswith("Etc/"))
    close = [each for each in zones if _plain(each) == word or _plain(each.rpartition("/")[2]) == word]
    return f"did you mean {close[0]}?" if word and close else SUCH


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def own_zone(localtime: Path = Path("/etc/localtime")) -> ZoneInfo | None:
    """That of this computer, by its name; None: it has one, without a name that is known."""
    named = os.environ.get("TZ", "").lstrip(":") or str(localtime.resolve()).partition(ZONES)[2]
    try:
        return ZoneInfo(named)
    except (KeyError, ValueError, OSError):
        return None


def minute(moment: datetime, zone: tzinfo | None) -> str:
    """2026-11-27 23:31 Asia/Ho_Chi_Minh (UTC+07:00); without a zone, by this computer's own clock."""
    local = moment.astimezone(zone)
    offset = f"UTC{local.isoformat()[-6:]}"
    name = zone.key if isinstance(zone, ZoneInfo) and zone.key not in ("UTC", "Etc/UTC") else ""
    return f"{local:%Y-%m-%d %H:%M} {f'{name} ({offset})' if name else offset.removesuffix('+00:00')}"


def day(moment: datetime, zone: tzinfo | None) -> str:
    """The day on that clock."""
    return f"{moment.astimezone(zone):%Y-%m-%d}"
