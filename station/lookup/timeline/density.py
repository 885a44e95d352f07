"""How many events a camera told in each hour of a time, beside when nobody watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Engine, and_, case, column, func, select, true, values
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.places import read_places
from station.lookup.timeline.blanks import BlankTime, blank_times
from station.lookup.walk.conditions import conditions
from station.lookup.walk.scan import ScanOrder, Stretch, chunk, go_by_index, looked_at, place_after
from station.lookup.walk.ways import known_cameras
from station.lookup.wanted import EventSearch
from station.store.columns import moment
from station.store.database import in_words
from station.store.schema import event, event_began_ms

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
MOST_ROWS: Final = 12_000
"""Events of one camera that are looked at one by one; of more, each bar is counted up to MOST_OF_A_BAR."""
MOST_OF_A_BAR: Final = 1_000
MOST_BARS: Final = 400
_ORDER = ScanOrder(newest_first=False)


@dataclass(frozen=True, slots=True)
class DensityBar:
    """Events that began in one step."""

    start_ms: int
    events: int
    matching: int | None
    """Of which are looked for; None: nobody has looked, there are too many."""
    is_all: bool = True
    """False: at least so many."""


@dataclass(frozen=True, slots=True)
class CameraDensity:
    """One camera over a time: every step has a bar, also an empty one."""

    box_id: int
    camera: str
    since_ms: int
    until_ms: int
    step_ms: int
    bars: tuple[DensityBar, ...]
    blanks: tuple[BlankTime, ...]
    """When an empty bar does not mean that nothing happened."""


def step_of(lasts_ms: int) -> int:
    """How long a bar is: ten minutes, an hour, a day, or so many days that MOST_BARS are enough."""
    for step_ms, longest in (
        (10 * MINUTE_MS, 12 * HOUR_MS),
        (HOUR_MS, 8 * DAY_MS),
        (DAY_MS, MOST_BARS * DAY_MS),
    ):
        if lasts_ms <= longest:
            return step_ms
    return DAY_MS * -(-lasts_ms // (MOST_BARS * DAY_MS))


def densities(
    engine: Engine,
    cameras: Sequence[tuple[int, str]],
    since_ms: int,
    until_ms: int,
    wanted: EventSearch | None = None,
    zone: tzinfo = UTC,
    now_ms: int | None = None,
) -> list[CameraDensity]:
    """Of each camera (id of its box, name). Bars begin at whole steps of local time, as it is when they begin.

    Nothing is said of what comes after `now_ms`; None: all of the time is over.

    Raises:
        StoreError: the store cannot be read.
    """
    step_ms = step_of(until_ms - since_ms)
    begun_ms = _whole(since_ms, step_ms, zone)
    over_ms = until_ms if now_ms is None else min(until_ms, now_ms)
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            where = None
            if wanted is not None:
                places = read_places(connection)
                where = conditions(wanted, known_cameras(wanted, places), places)
            return [
                CameraDensity(
                    box_id,
                    camera,
                    since_ms,
                    until_ms,
                    step_ms,
                    _bars(connection, (box_id, camera), (begun_ms, until_ms, step_ms), where),
                    blank_times(connection, box_id, camera, since_ms, over_ms),
                )
                for box_id, camera in cameras
            ]
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _whole(at_ms: int, step_ms: int, zone: tzinfo) -> int:
    """The beginning of the step of local time in which a moment is."""
    offset = moment(at_ms, zone).utcoffset()
    offset_ms = round(offset.total_seconds() * 1000) if offset else 0
    return (at_ms + offset_ms) // step_ms * step_ms - offset_ms


def _bars(
    connection: Connection, of: tuple[int, str], steps: tuple[int, int, int], where: Any
) -> tuple[DensityBar, ...]:
    begun_ms, until_ms, step_ms = steps
    head = (event.c.box_id == of[0], event.c.camera == of[1])
    whole = Stretch(head, begun_ms, until_ms)
    starts = range(begun_ms, until_ms, step_ms)
    if place_after(connection, whole, _ORDER, None, MOST_ROWS) is not None:
        return _capped(connection, head, [(start, min(start + step_ms, until_ms)) for start in starts])
    columns = looked_at(where if where is not None else lambda _, __: [])
    these = chunk(columns, whole, _ORDER, None, MOST_ROWS)
    bar = ((these.c.began_ms - begun_ms) // step_ms).label("bar")
    matching = func.count() if where is None else func.sum(case((_all(where(these.c, begun_ms)), 1), else_=0))
    rows = connection.execute(select(bar, func.count(), matching).select_from(these).group_by(bar))
    found = {int(row[0]): (int(row[1]), int(row[2])) for row in rows}
    return tuple(DensityBar(start, *found.get(number, (0, 0))) for number, start in enumerate(starts))


def _capped(connection: Connection, head: Any, steps: Sequence[tuple[int, int]]) -> tuple[DensityBar, ...]:
    """Each bar by itself, so that no hour of many events costs more than another; all in one question."""
    step = values(column("start_ms", BigInteger), column("end_ms", BigInteger), name="step").data(list(steps))
    bar = step.cte("bar")
    lies_in = event_began_ms >= bar.c.start_ms, event_began_ms < bar.c.end_ms
    these = select(event.c.box_id).where(*head, *lies_in).limit(MOST_OF_A_BAR + 1)
    number = select(func.count()).select_from(these.correlate(bar).subquery()).correlate(bar).scalar_subquery()
    rows = connection.execute(select(bar.c.start_ms, number).order_by(bar.c.start_ms))
    return tuple(
        DensityBar(row[0], min(row[1], MOST_OF_A_BAR), None, is_all=row[1] <= MOST_OF_A_BAR) for row in rows
    )


def _all(conditions_: Sequence[Any]) -> Any:
    return and_(true(), *conditions_)
