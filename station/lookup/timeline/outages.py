"""When boxes were not there, and cameras saw nothing or less: stretches out of the changes that the store kept.

What a box was only for a while and the store keeps no change of (silent though connected, too hot, without a
detector) is out of the alarms that remember it (station/boxes/blind_watch.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, and_, func, or_, select

from station.boxes.state_words import camera_word
from station.ingest.alarms import AlarmKind
from station.lookup.places import BoxPlace
from station.store.schema import alarm, box, box_status, camera, camera_status

BOX_FAULTS: Final = ("offline", "stopped")
CAMERA_FAULTS: Final = ("stalled", "lost", "blind", "disabled", "paused", "starting")
REMEMBERED: Final[Mapping[str, str]] = {
    AlarmKind.BOX_SILENT: "silent",
    AlarmKind.DETECTOR_FAILED: "detector_failed",
    AlarmKind.OVERHEATED: "overheated",
}
"""Kinds of alarm that are stretches of a box, each by the state that it is here."""
MOST_CHANGES: Final = 20_000
"""Of one box, and as many of its cameras: the newest in a range. A camera that is lost and found once an hour
makes as many in a year; one that does so all the time must not keep everybody waiting."""
ABSENT: Final = "absent"
"""The box had not been heard of yet."""
UNKNOWN: Final = "?"
BRIEF_MS: Final = 10_000
"""What was over sooner is counted and has no row of its own: each restart of an agent makes some."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which a box or a camera was not as it should be."""

    box: str
    """As people call it."""
    camera: str
    """As people call it; '': the box itself."""
    state: str
    """Of a box absent, offline, stopped, silent, detector_failed, overheated; of a camera stalled, lost, blind,
    paused, starting, disabled."""
    start_ms: int
    """May be before the shift."""
    end_ms: int | None
    """None: it went on when the shift ended, or goes on still."""
    reason: str
    whose: tuple[int, str] = (0, "")
    """Id of the box, and the camera's name in topics; '': the box itself."""

    def within_ms(self, start_ms: int, until_ms: int) -> int:
        """How much of it lies in a range."""
        ends_ms = until_ms if self.end_ms is None else min(self.end_ms, until_ms)
        return max(0, ends_ms - max(self.start_ms, start_ms))


@dataclass(frozen=True, slots=True)
class OutageSum:
    """How long a box, or a camera with its box, was not as it should be."""

    box: str
    camera: str
    """Both as people call them; '': the box itself."""
    lasted_ms: int
    """What overlaps is counted once."""
    brief: int = 0
    """So many of its outages are brief."""


def brief_outages(found: Sequence[Outage]) -> frozenset[Outage]:
    """Those that were over within BRIEF_MS of their beginning, however much of them lies in a shift.

    Short ones that follow each other without a pause are none where all of them together lasted longer.
    """
    short = [each for each in found if each.end_ms is not None and each.end_ms - each.start_ms < BRIEF_MS]
    runs: list[list[Outage]] = []
    for each in sorted(short, key=lambda one: (one.whose, one.start_ms)):
        last = runs[-1][-1] if runs else None
        if last is not None and last.whose == each.whose and each.start_ms <= (last.end_ms or 0):
            runs[-1].append(each)
        else:
            runs.append([each])
    whole = [(run, max(each.end_ms or 0 for each in run) - run[0].start_ms) for run in runs]
    return frozenset(each for run, lasted_ms in whole if lasted_ms < BRIEF_MS for each in run)


def outage_sums(found: Sequence[Outage], start_ms: int, until_ms: int) -> tuple[OutageSum, ...]:
    """Of each box and camera that had an outage in the range; a camera's hold those of its box, too."""
    named, brief = {each.whose: each for each in found}, brief_outages(found)
    sums = []
    for (box_id, own_name), each in named.items():
        own = [one for one in found if one.whose in ((box_id, ""), (box_id, own_name))]
        lasted_ms, short = _united_ms(own, start_ms, until_ms), sum(one in brief for one in own)
        sums.append(OutageSum(each.box, each.camera, lasted_ms, short))
    return tuple(sorted(sums, key=lambda each: (-each.lasted_ms, each.box, each.camera)))


def _united_ms(found: Sequence[Outage], start_ms: int, until_ms: int) -> int:
    lasted_ms, reached_ms = 0, start_ms
    for each in sorted(found, key=lambda one: one.start_ms):
        lasted_ms += each.within_ms(reached_ms, until_ms)
        reached_ms = max(reached_ms, until_ms if each.end_ms is None else each.end_ms)
    return lasted_ms


def outages(
    connection: Connection,
    places: Mapping[int, BoxPlace],
    start_ms: int,
    end_ms: int,
    of: Collection[int] | None = None,
) -> tuple[Outage, ...]:
    """Those that touch the range, boxes first, then by when they began; of these boxes, or of all.

    A box's are by the station's clock: its last will says when it connected, not when it went.
    """
    of_box, of_camera = box_status.c, camera_status.c
    box_rows = _changes(connection, box_status, of_box.received_ms, [of_box.box_id], (start_ms, end_ms), of)
    whose = [of_camera.box_id, of_camera.camera]
    camera_rows = _changes(connection, camera_status, of_camera.since_ms, whose, (start_ms, end_ms), of)
    found = [
        _outage(row, until, places)
        for rows, faults in ((box_rows, BOX_FAULTS), (camera_rows, CAMERA_FAULTS))
        for row, until in _stretches(rows)
        if row.state in faults and (until is None or until > start_ms)
    ]
    found += _remembered(connection, places, (start_ms, end_ms), of)
    return tuple(sorted(found, key=_order))


def _changes(
    connection: Connection,
    table: Table,
    at: ColumnElement[int],
    whose: Sequence[Column[Any]],
    within: tuple[int, int],
    of: Collection[int] | None,
) -> list[Row[Any]]:
    """Of each box or camera the last change before the range, and those in it, in order: MOST_CHANGES a box."""
    start_ms, end_ms = within
    here = _of(table.c.box_id, of)
    before = select(*whose, func.max(at).label("at")).where(at < start_ms, *here).group_by(*whose).subquery()
    same = and_(*(column == before.c[str(column.key)] for column in whose), at == before.c.at)
    newest = func.row_number().over(partition_by=table.c.box_id, order_by=(at.desc(), table.c.id.desc()))
    inside = select(table, at.label("at"), newest.label("place")).where(at >= start_ms, at < end_ms, *here)
    kept = inside.subquery()
    rows = [
        *connection.execute(select(table, at.label("at")).join(before, same)),
        *connection.execute(select(kept).where(kept.c.place <= MOST_CHANGES)),
    ]
    return sorted(rows, key=lambda row: (*_whose(row), row.at, row.id))


def _of(box_id: ColumnElement[Any], of: Collection[int] | None) -> list[ColumnElement[bool]]:
    return [] if of is None else [box_id.in_(sorted(of))]


def _stretches(rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], int | None]]:
    """Each change, and when the next one of the same came."""
    for row, following in zip_longest(rows, rows[1:]):
        same = following is not None and _whose(following) == _whose(row)
        yield row, following.at if same else None


def _remembered(
    connection: Connection,
    places: Mapping[int, BoxPlace],
    within: tuple[int, int],
    of: Collection[int] | None,
) -> Iterator[Outage]:
    start_ms, end_ms = within
    query = select(alarm).where(
        *_of(alarm.c.box_id, of),
        alarm.c.kind.in_(list(REMEMBERED)),
        alarm.c.opened_ms < end_ms,
        or_(alarm.c.closed_ms.is_(None), alarm.c.closed_ms > start_ms),
    )
    for row in connection.execute(query):
        ends_ms = row.closed_ms if row.closed_ms is not None and row.closed_ms < end_ms else None
        title = _title(places, row.box_id)
        yield Outage(title, "", REMEMBERED[row.kind], row.opened_ms, ends_ms, "", (row.box_id, ""))


def absences(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> tuple[Outage, ...]:
    """Of each box that was first heard within the range the time before: nobody watched there."""
    first_ms = box.c.first_seen_ms
    found = []
    for row in connection.execute(select(box.c.id, first_ms).where(first_ms > start_ms, first_ms < end_ms)):
        title = _title(places, row.id)
        found.append(Outage(title, "", ABSENT, start_ms, row.first_seen_ms, "", (row.id, "")))
    return tuple(sorted(found, key=_order))


def lasting_outages(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> tuple[Outage, ...]:
    """Those of the range that last still, by how boxes and cameras stand now: what the province has of them.

    Of a box that is not connected nobody knows more of its end than when it was last heard.
    """
    query = select(box.c.id, box.c.state, box.c.last_seen_ms)
    found = []
    for row in connection.execute(query.where(box.c.state.in_(BOX_FAULTS), box.c.last_seen_ms < end_ms)):
        title = _title(places, row.id)
        found.append(Outage(title, "", row.state, row.last_seen_ms, None, "", (row.id, "")))
    of = camera.c
    cameras: Select[Any] = select(of.box_id, of.name.label("camera"), of.state, of.since_ms.label("at"))
    cameras = cameras.where(of.state.in_(CAMERA_FAULTS), of.since_ms < end_ms)
    found += [_outage(row, None, places) for row in connection.execute(cameras)]
    return tuple(sorted(found, key=_order))


def _outage(row: Row[Any], until: int | None, places: Mapping[int, BoxPlace]) -> Outage:
    place, (_, camera) = places.get(row.box_id), _whose(row)
    reason = getattr(row, "reason", None) or ""
    return Outage(
        box=_title(places, row.box_id),
        camera=place.camera_title(camera) if place is not None and camera else camera,
        state=camera_word(row.state, reason) if camera else row.state,
        start_ms=row.at,
        end_ms=until,
        reason=reason,
        whose=_whose(row),
    )


def _title(places: Mapping[int, BoxPlace], box_id: int) -> str:
    place = places.get(box_id)
    return UNKNOWN if place is None else place.title


def _order(each: Outage) -> tuple[bool, int, str, str]:
    """Boxes first, then by when they began."""
    return bool(each.camera), each.start_ms, each.box, each.camera


def _whose(row: Row[Any]) -> tuple[int, str]:
    return row.box_id, getattr(row, "camera", "")
