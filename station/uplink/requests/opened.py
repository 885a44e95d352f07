"""The desk for requests as a station's service has it, out of its configuration."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from agent.core.types import Instant
from agent.wire.signature import public_key
from station.access.audit_log import AuditLog
from station.config import StationConfig
from station.store.database import in_words
from station.uplink.requests.desk import RequestDesk
from station.uplink.requests.effect import RequestEffect
from station.uplink.requests.events import EventsEffect
from station.uplink.requests.journal import RequestJournal
from station.uplink.requests.order import RequestKind
from station.uplink.requests.pictures import PictureEffect
from station.uplink.settings import RequestSettings, UplinkSettings
from station.uplink.uplink import FOLDER

JOURNAL = "requests.db"
"""Beside the outbox."""


def _now() -> Instant:
    return Instant(time.monotonic(), time.time())


def open_desk(
    settings: UplinkSettings,
    commune: str,
    state_dir: Path,
    reads: Engine,
    writes: Engine,
    now: Callable[[], Instant] = _now,
    station: StationConfig | None = None,
) -> RequestDesk | None:
    """The desk; None: the configuration lets nobody ask.

    `station` is the whole configuration, by which boxes are asked for footage; without it none are.

    Raises:
        NgatuError: the key or the journal cannot be used.
    """
    asked = settings.requests
    if asked is None:
        return None
    effects: dict[str, RequestEffect] = {
        RequestKind.PICTURE: PictureEffect(reads, state_dir, commune, asked.max_picture_bytes),
        RequestKind.EVENTS: EventsEffect(reads, commune),
    }
    key = public_key(asked.key)
    folder = state_dir / FOLDER
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
    except OSError as error:
        raise in_words(error, reads.url) from error
    ends: Callable[[], None] = _nothing
    if station is not None and RequestKind.FOOTAGE in asked.allowed:
        effects[RequestKind.FOOTAGE], ends = _footage(station, asked, reads)
    journal, audit = RequestJournal(folder / JOURNAL), AuditLog(writes, state_dir, reads)
    return RequestDesk(asked, settings.shard, commune, key, journal, audit, effects, now, ends)


def _footage(
    station: StationConfig, asked: RequestSettings, reads: Engine
) -> tuple[RequestEffect, Callable[[], None]]:
    # Here: what writes reports is large, and most stations hand nothing up.
    from station.uplink.requests.box_clips import BoxClips  # noqa: PLC0415
    from station.uplink.requests.errands import Errands  # noqa: PLC0415
    from station.uplink.requests.footage import FootageEffect  # noqa: PLC0415

    effect = FootageEffect(BoxClips(station, reads), asked, Errands())
    return effect, effect.close


def _nothing() -> None:
    """Nothing is done beside the desk."""
