"""What the store holds, for the technician."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Float, Select, Table, cast, func, select
from sqlalchemy.exc import SQLAlchemyError

from station.store.alarms import StandingAlarm, standing
from station.store.database import current_version, in_words
from station.store.gaps import GapState
from station.store.schema import (
    blob,
    box,
    conflict,
    count_interval,
    event,
    event_revision,
    gap,
    message,
    picture,
    quarantine,
    stream,
)


@dataclass(frozen=True, slots=True)
class BoxStats:
    """What the store holds of one box."""

    box: str
    state: str
    last_seen_ms: int
    messages: int
    events: int
    open_events: int
    pictures: int
    counts: int
    missing: int
    """Numbers that did not come yet."""
    gone: int
    """Numbers that will not come any more: the box has them no longer."""
    conflicts: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class UnfilledGap:
    """A gap that is not filled."""

    box: str
    stream: str
    first: int
    last: int
    missing: int
    state: str
    opened_ms: int
    cause: str | None = None
    """second_station: another one was at work when it was found."""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What the store holds."""

    version: str
    boxes: tuple[BoxStats, ...]
    gaps: tuple[UnfilledGap, ...]
    gaps_filled: int
    alarms: tuple[StandingAlarm, ...]
    event_messages: int
    database_bytes: int
    picture_bytes: int
    unreadable_bytes: int
    disk_free_bytes: int


_MISSING = func.sum(cast(gap.c.missing, Float))
"""Whole numbers beyond 64 bits are an error to SQLite, and a hostile box can add them up."""


def collect(engine: Engine, state_dir: Path) -> StoreStats:
    """Count everything; reads only.

    Raises:
        StoreError: the store cannot be read, or is of another version.
    """
    try:
        with engine.connect() as connection, connection.begin():
            return _figures(connection, state_dir, current_version(connection))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _figures(connection: Connection, state_dir: Path, found: str) -> StoreStats:
    unreadable = func.coalesce(func.sum(func.length(quarantine.c.raw)), 0)
    return StoreStats(
        version=found,
        boxes=_boxes(connection),
        gaps=_gaps(connection),
        gaps_filled=_one(connection, select(func.count()).where(gap.c.state == str(GapState.FILLED))),
        alarms=standing(connection),
        event_messages=_one(connection, select(func.count()).select_from(event_revision)),
        database_bytes=_database_bytes(connection),
        picture_bytes=_one(connection, select(func.coalesce(func.sum(blob.c.size_bytes), 0))),
        unreadable_bytes=_one(connection, select(unreadable)),
        disk_free_bytes=shutil.disk_usage(state_dir).free,
    )


def _boxes(connection: Connection) -> tuple[BoxStats, ...]:
    counted = {
        "messages": _by_stream(connection, message, func.count()),
        "events": _by_box(connection, event),
        "open_events": _by_box(connection, event, event.c.phase != "end"),
        "pictures": _by_box(connection, picture),
        "counts": _by_box(connection, count_interval),
        "missing": _by_stream(connection, gap, _MISSING, gap.c.state == str(GapState.OPEN)),
        "gone": _by_stream(connection, gap, _MISSING, gap.c.state == str(GapState.GONE)),
        "conflicts": _by_box(connection, conflict),
        "unreadable": _by_box(connection, quarantine),
    }
    rows = connection.execute(select(box).order_by(box.c.commune, box.c.device))
    return tuple(
        BoxStats(
            box=f"{row.commune}/{row.device}",
            state=row.state or "never told",
            last_seen_ms=row.last_seen_ms,
            **{name: of_box.get(row.id, 0) for name, of_box in counted.items()},
        )
        for row in rows
    )


def _by_box(connection: Connection, table: Table, *where: ColumnElement[bool]) -> dict[int, int]:
    """Box -> how many rows."""
    query = select(table.c.box_id, func.count()).where(*where).group_by(table.c.box_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def _by_stream(
    connection: Connection, table: Table, what: ColumnElement[Any], *where: ColumnElement[bool]
) -> dict[int, int]:
    """Box -> a figure of the rows of all its streams."""
    of = select(stream.c.box_id, what).join(table, table.c.stream_id == stream.c.id)
    return {row[0]: int(row[1]) for row in connection.execute(of.where(*where).group_by(stream.c.box_id))}


def _gaps(connection: Connection) -> tuple[UnfilledGap, ...]:
    query = (
        select(gap, stream.c.name, box.c.commune, box.c.device)
        .join(stream, stream.c.id == gap.c.stream_id)
        .join(box, box.c.id == stream.c.box_id)
        .where(gap.c.closed_ms.is_(None))
        .order_by(gap.c.opened_ms, gap.c.first)
    )
    return tuple(
        UnfilledGap(
            f"{row.commune}/{row.device}",
            row.name,
            row.first,
            row.last,
            row.missing,
            row.state,
            row.opened_ms,
            row.cause,
        )
        for row in connection.execute(query)
    )


def _one(connection: Connection, query: Select[Any]) -> int:
    return int(connection.scalar(query) or 0)


def _database_bytes(connection: Connection) -> int:
    """On disk; of SQLite with what is not merged into the file yet."""
    if connection.dialect.name == "postgresql":
        return _one(connection, select(func.pg_database_size(func.current_database())))
    path = str(connection.engine.url.database)
    files = (Path(path + end) for end in ("", "-wal", "-shm"))
    return sum(file.stat().st_size for file in files if file.exists())
