"""When nobody watched, or nobody knows: outages of cameras and boxes, and what was lost on the way.

'Nothing happened' may be said of a time only that none of these covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, and_, func, select

from station.lookup.timeline.outages import outages
from station.store.gaps import GapState
from station.store.schema import (
    box,
    count_interval,
    event,
    event_revision,
    gap,
    stream,
)

_MOST_OUTAGES: Final = 2_000
_MOST_GAPS: Final = 100


class BlankKind(StrEnum):
    """Why a time says nothing."""

    CAMERA = "camera"
    """The camera did not see: lost, stalled, blind or paused."""
    STOPPED = "stopped"
    """The agent of the box was stopped: nobody watched."""
    OFFLINE = "offline"
    """The box was not connected; what it saw meanwhile comes when it is back."""
    SILENT = "silent"
    """The box was connected, and said nothing of itself: nobody knows whether it watched."""
    LESS = "less"
    """The box watched, and saw less: its detector failed, or it was too hot."""
    GAP = "gap"
    """Messages of that time are missing."""
    BEFORE = "before"
    """The box had not been heard yet."""


@dataclass(frozen=True, slots=True)
class BlankTime:
    """A time of which the absence of events says nothing; milliseconds since 1970."""

    kind: BlankKind
    start_ms: int
    end_ms: int
    detail: str = ""
    """Of a camera its state; of a box that saw less why; of a gap how many messages."""


OF_BOX: Final[Mapping[str, BlankKind]] = {
    "offline": BlankKind.OFFLINE,
    "stopped": BlankKind.STOPPED,
    "silent": BlankKind.SILENT,
    "detector_failed": BlankKind.LESS,
    "overheated": BlankKind.LESS,
}
"""What each outage of a box is."""


def blank_times(
    connection: Connection, box_id: int, camera: str, since_ms: int, until_ms: int
) -> tuple[BlankTime, ...]:
    """All that touch the time, cut to it, by their beginnings; of very many outages the longest."""
    found = [
        *_out(connection, box_id, camera, since_ms, until_ms),
        *_not_there(connection, box_id, since_ms),
        *_gaps(connection, box_id, since_ms),
    ]
    return tuple(sorted(_cut(_united(found), since_ms, until_ms), key=lambda it: (it.start_ms, it.kind)))


def _out(connection: Connection, box_id: int, camera: str, since_ms: int, until_ms: int) -> list[BlankTime]:
    """What the report of a shift says of the box and of this camera."""
    found = [
        BlankTime(
            BlankKind.CAMERA if each.camera else OF_BOX[each.state],
            each.start_ms,
            until_ms if each.end_ms is None else each.end_ms,
            each.state if each.camera or OF_BOX[each.state] is BlankKind.LESS else "",
        )
        for each in outages(connection, {}, since_ms, until_ms, (box_id,))
        if each.whose in ((box_id, ""), (box_id, camera))
    ]
    return sorted(found, key=lambda each: each.start_ms - each.end_ms)[:_MOST_OUTAGES]


def _not_there(connection: Connection, box_id: int, since_ms: int) -> list[BlankTime]:
    first_ms = connection.scalar(select(box.c.first_seen_ms).where(box.c.id == box_id))
    if first_ms is None or first_ms <= since_ms:
        return []
    return [BlankTime(BlankKind.BEFORE, since_ms, first_ms)]


def _gaps(connection: Connection, box_id: int, since_ms: int) -> list[BlankTime]:
    """Numbers that are missing, as the time between what came before and after them in the box's own order."""
    query = (
        select(gap, stream.c.first_seen_ms)
        .join(stream, stream.c.id == gap.c.stream_id)
        .where(stream.c.box_id == box_id, gap.c.state != str(GapState.FILLED), gap.c.opened_ms >= since_ms)
        .order_by(gap.c.opened_ms)
        .limit(_MOST_GAPS)
    )
    found = []
    for row in connection.execute(query).all():
        begun = _neighbour(connection, row.stream_id, row.first, before=True) or row.first_seen_ms
        ended = _neighbour(connection, row.stream_id, row.last, before=False) or row.opened_ms
        if ended < begun:  # a clock was set in between
            ended = max(begun, row.opened_ms)
        found.append(BlankTime(BlankKind.GAP, begun, ended, str(row.missing)))
    return found


def _neighbour(connection: Connection, stream_id: int, seq: int, *, before: bool) -> int | None:
    """When the nearest message before or after a number happened, of those that say so; None: there is none."""
    of_event = and_(event.c.box_id == event_revision.c.box_id, event.c.event_id == event_revision.c.event_id)
    told_ms = event_revision.c.time_ms + func.coalesce(event.c.clock_offset_ms, 0)
    asked = (
        (event_revision, select(event_revision.c.seq, told_ms).outerjoin(event, of_event)),
        (count_interval, select(count_interval.c.seq, count_interval.c.end_ms)),
    )
    nearest: tuple[int, int] | None = None
    for table, query in asked:
        beyond = table.c.seq < seq if before else table.c.seq > seq
        order = table.c.seq.desc() if before else table.c.seq
        row = connection.execute(
            query.where(table.c.stream_id == stream_id, beyond).order_by(order).limit(1)
        ).first()
        if row is not None and (nearest is None or abs(row[0] - seq) < abs(nearest[0] - seq)):
            nearest = row[0], row[1]
    return None if nearest is None else nearest[1]


def _united(found: Iterable[BlankTime]) -> list[BlankTime]:
    """Of each kind those that touch are one: of the same state, and gaps with all that is missing in them."""
    united: dict[tuple[BlankKind, str], list[BlankTime]] = {}
    for each in sorted(found, key=lambda it: it.start_ms):
        is_gap = each.kind is BlankKind.GAP
        of_kind = united.setdefault((each.kind, "" if is_gap else each.detail), [])
        if of_kind and each.start_ms <= of_kind[-1].end_ms:
            last = of_kind.pop()
            detail = str(int(last.detail) + int(each.detail)) if is_gap else each.detail
            of_kind.append(BlankTime(each.kind, last.start_ms, max(last.end_ms, each.end_ms), detail))
        else:
            of_kind.append(each)
    return [each for of_kind in united.values() for each in of_kind]


def _cut(found: Iterable[BlankTime], since_ms: int, until_ms: int) -> Iterable[BlankTime]:
    for each in found:
        begun, ended = max(each.start_ms, since_ms), min(each.end_ms, until_ms)
        if ended > begun or (each.kind is BlankKind.GAP and since_ms <= each.start_ms < until_ms):
            yield BlankTime(each.kind, begun, max(begun, ended), each.detail)
