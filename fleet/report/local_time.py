"""Moments as the administrator's clock shows them, with the name of its zone."""

from __future__ import annotations

import os
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.errors import NgatuError

ZONES = "/zoneinfo/"
"""Behind it stands a zone's name, in the path that a system's local time leads to."""


def named_zone(name: str) -> ZoneInfo:
    """The zone of this name.

    Raises:
        NgatuError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise NgatuError(f"--timezone {name}: there is no such zone", "such as Asia/Ho_Chi_Minh") from None


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
