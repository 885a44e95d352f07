"""Ends of events of severity info, for the province: of some cameras and a span, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from agent.core.types import Phase
from agent.wire.message import Priority
from station.store.database import in_words
from station.store.schema import box, event, event_revision
from station.uplink.envelope import ItemKind, UpItem
from station.uplink.requests.effect import RequestPart
from station.uplink.requests.order import EventsArgs, ProvinceRequest, RequestReason

AT_ONCE: Final = 200
"""As many as make one envelope small for each."""
MOST_COUNTED: Final = 50_000
"""Beyond so many it is not said how many there are: counting must not hold up alerts."""


class EventsEffect:
    """Reads the store."""

    priority = Priority.IMAGE

    def __init__(self, reads: Engine, commune: str) -> None:
        self._reads, self._commune = reads, commune

    def part(self, request: ProvinceRequest, mark: str) -> RequestPart:
        """The next events; the mark says how many went, and which was the last of them.

        Raises:
            StoreError: the store cannot be read now.
        """
        args = request.args
        assert isinstance(args, EventsArgs)
        try:
            with self._reads.connect() as connection, connection.begin():
                return self._part(connection, args, mark)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error

    def _part(self, connection: Connection, args: EventsArgs, mark: str) -> RequestPart:
        boxes = {row.device: row.id for row in connection.execute(self._boxes(args))}
        if not boxes:
            return RequestPart(is_last=True, reason=RequestReason.NO_CAMERA)
        cameras = [
            _of_camera(args, boxes[each.device], each.camera)
            for each in dict.fromkeys(args.cameras)
            if each.device in boxes
        ]
        went, _, after = mark.partition(" ")
        least = min(AT_ONCE, args.most - int(went or 0))
        rows = _newest(connection, cameras, after, least)
        names = {box_id: device for device, box_id in boxes.items()}
        items = [_item(connection, row, names[row.box_id]) for row in rows]
        total = int(went or 0) + len(rows)
        if len(rows) < least or total >= args.most:
            counts = {"went": total, "are": max(total, _counted(connection, cameras))}
            return RequestPart(items, size_bytes=_size(items), is_last=True, counts=counts)
        last = rows[-1]
        place = f"{total} {last.start_ms} {last.box_id} {last.event_id}"
        return RequestPart(items, place, _size(items))

    def _boxes(self, args: EventsArgs) -> Select[Any]:
        devices = sorted({each.device for each in args.cameras})
        return select(box.c.device, box.c.id).where(box.c.commune == self._commune, box.c.device.in_(devices))


def _of_camera(args: EventsArgs, box_id: int, camera: str) -> ColumnElement[bool]:
    """Those that ended: of an event that goes on, its end may go up later or be asked for."""
    return and_(
        event.c.box_id == box_id,
        event.c.camera == camera,
        event.c.start_ms >= args.from_ms,
        event.c.start_ms < args.to_ms,
        event.c.severity == "info",
        event.c.phase == str(Phase.END),
    )


def _newest(
    connection: Connection, cameras: Sequence[ColumnElement[bool]], after: str, least: int
) -> list[Any]:
    """The next ones of all cameras. Each camera is asked by itself: so its index gives them in their order."""
    columns = event.c.start_ms, event.c.box_id, event.c.event_id
    found = list[Any]()
    for camera in cameras:
        query = select(*columns).where(camera)
        if after:
            query = query.where(_beyond(*after.split(" ", 2)))
        order = (column.desc() for column in columns)
        found += connection.execute(query.order_by(*order).limit(least))
    return sorted(found, key=tuple, reverse=True)[:least]


def _counted(connection: Connection, cameras: Sequence[ColumnElement[bool]]) -> int:
    """How many there are; of very many only that they are so many."""
    total = 0
    for camera in cameras:
        some = select(event.c.start_ms).where(camera).limit(MOST_COUNTED - total).subquery()
        total += connection.scalar(select(func.count()).select_from(some)) or 0
    return total


def _beyond(start_ms: str, box_id: str, event_id: str) -> ColumnElement[bool]:
    """Older than the last that went, in the order of the query."""
    at, of = int(start_ms), int(box_id)
    return or_(
        event.c.start_ms < at,
        and_(event.c.start_ms == at, event.c.box_id < of),
        and_(event.c.start_ms == at, event.c.box_id == of, event.c.event_id < event_id),
    )


def _item(connection: Connection, row: Any, device: str) -> UpItem:
    """Its newest message, as the box sent it."""
    query = (
        select(event_revision.c.body)
        .where(event_revision.c.box_id == row.box_id, event_revision.c.event_id == row.event_id)
        .order_by(event_revision.c.revision.desc())
        .limit(1)
    )
    return UpItem(ItemKind.EVENT, device, str(connection.scalar(query)).encode())


def _size(items: list[UpItem]) -> int:
    total = 0
    for each in items:
        total += len(each.raw)
    return total
