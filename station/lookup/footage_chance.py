"""Whether footage of a moment could be asked for, by what the box last said of its recording."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from station.lookup.cards import EventCard
from station.store.schema import box


class FootageOutlook(StrEnum):
    """What may be said of the footage of a moment."""

    LIKELY = "likely"
    """The camera is recorded, and what it keeps goes back beyond the moment."""
    TOO_OLD = "too_old"
    """What the camera keeps begins after the moment."""
    NOT_RECORDED = "not_recorded"
    UNKNOWN = "unknown"
    """The box has said nothing of it."""


@dataclass(frozen=True, slots=True)
class FootageChance:
    """What may be said, and by what."""

    state: FootageOutlook
    kept_since_ms: int | None = None
    """Of the oldest footage of the camera."""
    is_online: bool = False
    """The box can be asked now; else it answers when it is back."""


def footage_chance(connection: Connection, card: EventCard) -> FootageChance:
    """Of the moment at which an event began."""
    row = connection.execute(select(box.c.health, box.c.state).where(box.c.id == card.box_id)).one()
    is_online = row.state == "online"
    try:
        said = json.loads(row.health or "null")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return FootageChance(FootageOutlook.UNKNOWN, is_online=is_online)
    camera = _object(_object(said, "cameras"), card.camera)
    recording = _object(camera, "recording")
    if not camera:
        return FootageChance(FootageOutlook.UNKNOWN, is_online=is_online)
    if not recording:
        return FootageChance(FootageOutlook.NOT_RECORDED, is_online=is_online)
    since_ms = _moment_ms(recording.get("kept_since"))
    if since_ms is None:
        return FootageChance(FootageOutlook.UNKNOWN, is_online=is_online)
    state = FootageOutlook.LIKELY if since_ms <= card.began_ms else FootageOutlook.TOO_OLD
    return FootageChance(state, since_ms, is_online)


def _object(said: Any, key: str) -> dict[str, Any]:
    found = said.get(key) if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def _moment_ms(said: Any) -> int | None:
    try:
        return round(datetime.fromisoformat(str(said)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
