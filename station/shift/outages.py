"""When boxes were not there and cameras saw nothing: stretches out of the changes that the store kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, and_, func, select

from station.lookup.places import BoxPlace
from station.store.schema import box_status, camera_status

BOX_FAULTS: Final = ("offline", "stopped")
CAMERA_FAULTS: Final = ("stalled", "lost", "blind", "disabled")
UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which a box or a camera was not as it should be."""

    box: str
    """As people call it."""
    camera: str
    """As people call it; '': the box itself."""
    state: str
    """As on the wire: offline, stopped; stalled, lost, blind, disabled."""
    start_ms: int
    """May be before the shift."""
    end_ms: int | None
    """None: it went on when the shift ended, or goes on still."""
    reason: str


def outages(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> tuple[Outage, ...]:
    """Those that touch the range, boxes first, then by when they began.

    A box's are by the station's clock: its last will says when it connected, not when it went.
    """
    of_box, of_camera = box_status.c, camera_status.c
    box_rows = _changes(connection, box_status, of_box.received_ms, [of_box.box_id], start_ms, end_ms)
    whose = [of_camera.box_id, of_camera.camera]
    camera_rows = _changes(connection, camera_status, of_camera.since_ms, whose, start_ms, end_ms)
    found = [
        _outage(row, until, places)
        for rows, faults in ((box_rows, BOX_FAULTS), (camera_rows, CAMERA_FAULTS))
        for row, until in _stretches(rows)
        if row.state in faults and (until is None or until > start_ms)
    ]
    return tuple(sorted(found, key=lambda each: (bool(each.camera), each.start_ms, each.box, each.camera)))


def _changes(
    connection: Connection,
    table: Table,
    at: ColumnElement[int],
    whose: Sequence[Column[Any]],
    start_ms: int,
    end_ms: int,
) -> list[Row[Any]]:
    """Of each box or camera the last change before the range, and those in it, in order."""
    before = select(*whose, func.max(at).label("at")).where(at < start_ms).group_by(*whose).subquery()
    same = and_(*(column == before.c[str(column.key)] for column in whose), at == before.c.at)
    rows = [
        *connection.execute(select(table, at.label("at")).join(before, same)),
        *connection.execute(select(table, at.label("at")).where(at >= start_ms, at < end_ms)),
    ]
    return sorted(rows, key=lambda row: (*_whose(row), row.at, row.id))


def _stretches(rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], int | None]]:
    """Each change, and when the next one of the same came."""
    for row, following in zip_longest(rows, rows[1:]):
        same = following is not None and _whose(following) == _whose(row)
        yield row, following.at if same else None


def _outage(row: Row[Any], until: int | None, places: Mapping[int, BoxPlace]) -> Outage:
    place, (_, camera) = places.get(row.box_id), _whose(row)
    return Outage(
        box=place.title if place is not None else UNKNOWN,
        camera=place.camera_title(camera) if place is not None and camera else camera,
        state=row.state,
        start_ms=row.at,
        end_ms=until,
        reason=getattr(row, "reason", None) or "",
    )


def _whose(row: Row[Any]) -> tuple[int, str]:
    return row.box_id, getattr(row, "camera", "")
