"""A shift as the next one has to know it, read out of the store in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Float, Row, cast, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from station.footage.folder import CLOSED, FootageFolder, FootageRequest, FootageStage, FootageState
from station.ingest.alarms import AlarmKind
from station.lookup.places import BoxPlace, read_places
from station.lookup.timeline.outages import REMEMBERED, UNKNOWN, Outage, absences, outages
from station.shift.alerts import ShiftAlerts, shift_alerts
from station.shift.times import ShiftRange
from station.store.database import in_words
from station.store.schema import alarm, audit_entry, box, count_interval, event, event_began_ms, gap, stream

MOST_INTERVALS: Final = 50_000
"""Of one box. A minute's intervals of a hundred lines are as many in a shift."""
MOST_NUMBERS: Final = 500_000
"""Of one box, each of a label and a direction in an interval: what is beyond is not summed, and no time that
was counted. A minute's intervals of ten lines have a tenth of it in a shift."""
USUAL_LINES: Final = 32
"""A box with more lines stands behind the others: a page lists some only, and it may have invented them."""
_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class LineCount:
    """What crossed one line in the shift."""

    box: str
    camera: str
    """Both as people call them."""
    rule: str
    numbers: Mapping[tuple[str, str], int]
    """(label, direction) -> how many."""
    counted_ms: int
    """So much of the shift is in these numbers; of the rest nobody knows, or a box told more than is summed."""

    @property
    def total(self) -> int:
        """Of all labels and directions."""
        return sum(self.numbers.values())


@dataclass(frozen=True, slots=True)
class MissingMessages:
    """Messages of a box that did not come while later ones did."""

    box: str
    state: str
    """open: may come yet; gone: the box has them no more; filled: they came."""
    missing: int
    gaps: int


@dataclass(frozen=True, slots=True)
class ShiftAlarm:
    """An alarm of the station itself that stood at some time of the shift."""

    kind: str
    box: str
    """As people call it; '': it is about no single box."""
    opened_ms: int
    closed_ms: int | None

    @property
    def meaning(self) -> str:
        """In words."""
        known = self.kind in set(AlarmKind)
        return AlarmKind(self.kind).meaning if known else self.kind


@dataclass(frozen=True, slots=True)
class ShiftRequest:
    """A request for footage that was asked for or went on in the shift, or is not closed yet."""

    request: FootageRequest
    state: FootageState
    box: str
    camera: str
    is_new: bool
    """It was asked for in the shift."""


@dataclass(frozen=True, slots=True)
class ShiftPerson:
    """Somebody who was at the console."""

    login: str
    name: str
    role: str
    first_ms: int
    last_ms: int
    acts: Mapping[str, int]
    """Verb of the audit log -> how often."""


@dataclass(frozen=True, slots=True)
class Shift:
    """All of it."""

    range: ShiftRange
    alerts: ShiftAlerts
    events: int
    """All events that began in it, alerts included."""
    boxes: int
    """So many had been heard of when it ended."""
    outages: tuple[Outage, ...]
    requests: tuple[ShiftRequest, ...]
    counts: tuple[LineCount, ...]
    """By box, camera and line; boxes with more than USUAL_LINES last."""
    missing: tuple[MissingMessages, ...]
    alarms: tuple[ShiftAlarm, ...]
    people: tuple[ShiftPerson, ...]


def read_shift(engine: Engine, folders: FootageFolder, wanted: ShiftRange) -> Shift:
    """What the store and the requests' folders say of a range.

    Raises:
        StoreError: the store cannot be read.
    """
    start_ms, end_ms = wanted.start_ms, wanted.end_ms
    try:
        with engine.connect() as connection, connection.begin():
            places = read_places(connection)
            return Shift(
                range=wanted,
                alerts=shift_alerts(connection, places, start_ms, end_ms),
                events=_events(connection, start_ms, end_ms),
                boxes=_boxes(connection, end_ms),
                outages=(
                    *absences(connection, places, start_ms, end_ms),
                    *outages(connection, places, start_ms, end_ms),
                ),
                requests=tuple(_requests(folders, wanted, places)),
                counts=tuple(_counts(connection, places, start_ms, end_ms)),
                missing=tuple(_missing(connection, places, start_ms, end_ms)),
                alarms=tuple(_alarms(connection, places, start_ms, end_ms)),
                people=tuple(_people(connection, start_ms, end_ms)),
            )
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _events(connection: Connection, start_ms: int, end_ms: int) -> int:
    began = event_began_ms >= start_ms, event_began_ms < end_ms
    return connection.scalar(select(func.count()).select_from(event).where(*began)) or 0


def _boxes(connection: Connection, end_ms: int) -> int:
    heard = select(func.count()).select_from(box).where(box.c.first_seen_ms < end_ms)
    return connection.scalar(heard) or 0


def _requests(
    folders: FootageFolder, wanted: ShiftRange, places: Mapping[int, BoxPlace]
) -> Iterable[ShiftRequest]:
    by_device = {place.device: place for place in places.values()}
    for folder in folders.every():
        request, state = folder.request, folder.state()
        is_new = wanted.start <= request.asked_at < wanted.end
        went_on = state.changed_at is not None and wanted.start <= state.changed_at < wanted.end
        waits = state.stage not in CLOSED or state.stage is FootageStage.ARRIVED
        if is_new or went_on or (waits and request.asked_at < wanted.end):
            place = by_device.get(request.device)
            box = place.title if place is not None else request.device
            camera = place.camera_title(request.camera) if place is not None else request.camera
            yield ShiftRequest(request, state, box, camera, is_new)


def _counts(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> Iterable[LineCount]:
    """Intervals that began in the range, summed; what a body holds was read by the contract when it came.

    A store may be older than the contract's bound of an interval, so what is read has a bound of its own.
    """
    numbers: dict[tuple[int, str, str], Counter[tuple[str, str]]] = {}
    counted_ms: Counter[tuple[int, str, str]] = Counter()
    read: Counter[int] = Counter()
    for row in _intervals(connection, start_ms, end_ms):
        line = row.box_id, row.camera, row.rule
        into = numbers.setdefault(line, Counter())
        if read[row.box_id] >= MOST_NUMBERS:
            continue
        counted_ms[line] += max(0, row.end_ms - row.start_ms)
        for label, directions in json.loads(row.body).get("counts", {}).items():
            read[row.box_id] += len(directions)
            for direction, number in directions.items():
                into[label, direction] += number
    of_box = Counter(box_id for box_id, _, _ in numbers)
    lines: list[tuple[tuple[Any, ...], LineCount]] = []
    for (box_id, camera, rule), found in numbers.items():
        place = places.get(box_id)
        name, title = (place.title, place.camera_title(camera)) if place is not None else (UNKNOWN, camera)
        called = place.rule_title(camera, rule) if place is not None else rule
        counted = LineCount(name, title, called, found, counted_ms[box_id, camera, rule])
        lines.append(((of_box[box_id] > USUAL_LINES, name, title, rule), counted))
    return [counted for _, counted in sorted(lines, key=lambda each: each[0])]


def _intervals(connection: Connection, start_ms: int, end_ms: int) -> Iterator[Row[Any]]:
    """Those that began in the range: of each box MOST_INTERVALS, so that none takes the others' place."""
    of = count_interval.c
    within = of.start_ms >= start_ms, of.start_ms < end_ms
    counted = select(of.box_id, func.count().label("number")).where(*within).group_by(of.box_id)
    loud = sorted(row.box_id for row in connection.execute(counted) if row.number > MOST_INTERVALS)
    query = select(count_interval).where(*within)
    for asked in (
        query.where(of.box_id.not_in(loud)),
        *(query.where(of.box_id == each).limit(MOST_INTERVALS) for each in loud),
    ):
        yield from connection.execute(asked.execution_options(yield_per=_AT_ONCE))


def _missing(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> Iterable[MissingMessages]:
    in_range = (gap.c.opened_ms >= start_ms) & (gap.c.opened_ms < end_ms)
    still = (gap.c.state == "open") & (gap.c.opened_ms < end_ms)
    # As numbers with a point: whole ones that a hostile box gives could leave 64 bits.
    width = func.sum(cast(gap.c.last - gap.c.first + 1, Float))
    query = (
        select(stream.c.box_id, gap.c.state, func.sum(cast(gap.c.missing, Float)), width, func.count())
        .join(stream, stream.c.id == gap.c.stream_id)
        .where(or_(in_range, still))
        .group_by(stream.c.box_id, gap.c.state)
        .order_by(stream.c.box_id, gap.c.state)
    )
    for box_id, state, missing, wide, gaps in connection.execute(query):
        yield MissingMessages(_title(places, box_id), state, int(wide if state == "filled" else missing), gaps)


def _alarms(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> Iterable[ShiftAlarm]:
    query = select(alarm).where(
        alarm.c.kind.not_in(list(REMEMBERED)),  # they are among the outages
        alarm.c.opened_ms < end_ms,
        or_(alarm.c.closed_ms.is_(None), alarm.c.closed_ms >= start_ms),
    )
    for row in connection.execute(query.order_by(alarm.c.opened_ms, alarm.c.id)):
        whose = _title(places, row.box_id) if row.box_id is not None else ""
        yield ShiftAlarm(row.kind, whose, row.opened_ms, row.closed_ms)


def _people(connection: Connection, start_ms: int, end_ms: int) -> Iterable[ShiftPerson]:
    """Who is known by a login; by when he came first."""
    at, who = audit_entry.c.time_ms, (audit_entry.c.login, audit_entry.c.name, audit_entry.c.role)
    query = (
        select(
            *who,
            audit_entry.c.verb,
            func.count().label("number"),
            func.min(at).label("first"),
            func.max(at).label("last"),
        )
        .where(at >= start_ms, at < end_ms, audit_entry.c.role != "")
        .group_by(*who, audit_entry.c.verb)
        .order_by(audit_entry.c.verb)
    )
    rows: dict[tuple[str, str, str], list[Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault((row.login, row.name, row.role), []).append(row)
    people = [
        ShiftPerson(
            *whose,
            first_ms=min(row.first for row in found),
            last_ms=max(row.last for row in found),
            acts={row.verb: row.number for row in found},
        )
        for whose, found in rows.items()
    ]
    return sorted(people, key=lambda each: (each.first_ms, each.login))


def _title(places: Mapping[int, BoxPlace], box_id: int) -> str:
    return places[box_id].title if box_id in places else UNKNOWN
