"""What happened between two moments: rows of events out of the store, a page at a time.

Each page is a transaction of its own: a reader who pauses holds up neither the service nor the tidying of its
database, and a million events take no more memory than a page. The next page begins after the last row, so no
event is read twice; two indexes on when an event began give the pages without sorting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, func, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from agent.core.types import Phase
from agent.wire.payloads import UNKNOWN_COLOUR
from station.lookup.colour_asked import has_colour, unknown_besides
from station.lookup.wanted import EventFilter
from station.store.columns import moment, ms
from station.store.database import current_version, in_words
from station.store.schema import (
    blob,
    box,
    event,
    event_began_ms,
    event_is_lasting,
    event_latest_ms,
    event_revision,
)

PAGE = 500
_NO_STRANGERS = (("colour", UNKNOWN_COLOUR), ("clothes", UNKNOWN_COLOUR))
_HOUR_MS = 3_600_000
_FIRST_MS = -(2**53)


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """One event, from its start to its end, by its newest message. Texts are as the box sent them."""

    start: datetime
    end: datetime | None
    """None: no end has come."""
    box: str
    camera: str
    kind: str
    direction: str | None
    label: str | None
    riders: int
    vehicle_colour: str | None
    """None: nobody knows it."""
    clothes_colour: str | None
    severity: str
    rule: str
    rule_kind: str
    zones: tuple[str, ...]
    """Those that its road user has been in, in order."""
    end_reason: str | None
    detail: str | None
    suppressed: int
    """Held back by the rule's cooldown since the event before."""
    picture: str | None
    """The best one of the road user: its SHA-256, or where it was copied to."""
    scene: str | None
    clock: str
    """ntp, rtc, floor or unknown: what the box knew of the time; `corrected`: the station knows better."""
    event_id: str

    @property
    def duration_s(self) -> float | None:
        """From start to end; None: no end has come."""
        return None if self.end is None else (self.end - self.start).total_seconds()


def found(engine: Engine, wanted: EventFilter, page: int = PAGE) -> Iterator[FoundEvent]:
    """The events, by when they began.

    Raises:
        StoreError: the store cannot be read, or is of another version.
    """
    try:
        with engine.connect() as connection, connection.begin():
            current_version(connection)
        for first_ms, part in _parts(wanted):
            after: tuple[int, int, str] | None = (first_ms, 0, "")
            while after is not None:
                # One bound below and no other: the databases take any of several to begin at, not the highest.
                query = part.where(event_began_ms >= after[0], _place > tuple_(*after)).limit(page)
                with engine.connect() as connection, connection.begin():
                    rows = connection.execute(query).all()
                yield from map(_event, rows)
                after = (rows[-1].began_ms, rows[-1].box_id, rows[-1].event_id) if len(rows) == page else None
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def number_of_unknown(engine: Engine, wanted: EventFilter) -> int:
    """How many more there are that fit but for a colour that is not known; 0 also where none is asked for.

    Raises:
        StoreError: the store cannot be read.
    """
    parts = [part for each in unknown_besides(wanted) for _, part in _parts(each)]
    try:
        with engine.connect() as connection, connection.begin():
            numbers = [select(func.count()).select_from(part.order_by(None).subquery()) for part in parts]
            return sum(connection.scalar(number) or 0 for number in numbers)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def strangers(engine: Engine, wanted: EventFilter) -> list[tuple[str, str, list[str]]]:
    """What is asked for and is in no event of the store: (word, value, what there is instead).

    It reads every event, so it is for when nothing was found.

    Raises:
        StoreError: the store cannot be read.
    """
    cameras = tuple(each.rpartition("/")[2] for each in wanted.cameras)
    asked = (
        ("box", box.c.device, (*wanted.boxes, *(each.rpartition("/")[0] for each in wanted.cameras))),
        ("camera", event.c.camera, cameras),
        ("kind", event.c.kind, wanted.kinds),
        ("label", event.c.label, wanted.labels),
        ("colour", event.c.vehicle_colour, wanted.vehicle_colours),
        ("clothes", event.c.clothes_colour, wanted.clothes_colours),
        ("direction", event.c.direction, wanted.directions),
        ("rule", event.c.rule_id, wanted.rules),
    )
    try:
        with engine.connect() as connection, connection.begin():
            missing = []
            for word, column, values in asked:
                if not any(values):
                    continue
                there = sorted(filter(None, connection.scalars(select(column).distinct())))
                said = [value for value in values if value and (word, value) not in _NO_STRANGERS]
                missing += [(word, value, there) for value in said if value not in there]
            return missing
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


_place = tuple_(event_began_ms, event.c.box_id, event.c.event_id)


def _parts(wanted: EventFilter) -> Sequence[tuple[int, Select[Any]]]:
    """Two queries whose rows follow each other, each with the first moment (ms) that it is about.

    What began more than an hour before, and the rest. Of the first few are lasting, and an index has these
    alone; so nobody reads what is long over. What has no end went on for as long as its box was heard: one that
    fell silent leaves its events open for ever.
    """
    since_ms, until_ms = ms(wanted.since), ms(wanted.until)
    is_open = (event.c.phase != str(Phase.END)) & (box.c.last_seen_ms >= since_ms)
    place = event_began_ms, event.c.box_id, event.c.event_id
    shared = _columns().where(or_(event_latest_ms >= since_ms, is_open), *_conditions(wanted)).order_by(*place)
    long_ago_ms = min(since_ms - _HOUR_MS, until_ms)
    return (
        (_FIRST_MS, shared.where(event_began_ms < long_ago_ms, event_is_lasting)),
        (long_ago_ms, shared.where(event_began_ms < until_ms)),
    )


def _columns() -> Select[Any]:
    thumbnail, scene = blob.alias("thumbnail"), blob.alias("scene")
    revision = event_revision.c
    newest = (
        (revision.box_id == event.c.box_id)
        & (revision.event_id == event.c.event_id)
        & (revision.revision == event.c.revision)
    )
    return (
        select(
            event,
            event_began_ms.label("began_ms"),
            event_latest_ms.label("latest_ms"),
            box.c.device,
            revision.body,
            thumbnail.c.sha256.label("thumbnail"),
            scene.c.sha256.label("scene"),
        )
        .join(box, box.c.id == event.c.box_id)
        .outerjoin(event_revision, newest)
        .outerjoin(thumbnail, thumbnail.c.sha256 == event.c.thumbnail_sha256)
        .outerjoin(scene, scene.c.sha256 == event.c.scene_sha256)
    )


def _conditions(wanted: EventFilter) -> Iterator[ColumnElement[bool]]:
    for column, values in (
        (box.c.device, wanted.boxes),
        (event.c.kind, wanted.kinds),
        (event.c.label, wanted.labels),
        (event.c.direction, wanted.directions),
        (event.c.rule_id, wanted.rules),
        (event.c.severity, wanted.severities),
    ):
        if values:
            yield column.in_(values)
    for name, colours in (
        ("vehicle_colour", wanted.vehicle_colours),
        ("clothes_colour", wanted.clothes_colours),
    ):
        if colours:
            yield has_colour(event.c, name, colours)
    if wanted.cameras:
        named = [each.rpartition("/") for each in wanted.cameras]
        yield or_(
            *((event.c.camera == camera) & (box.c.device == of if of else True) for of, _, camera in named)
        )


def _event(row: Row[Any]) -> FoundEvent:
    body = json.loads(row.body) if row.body else {}
    seen = body.get("object") or {}
    corrected = row.clock_offset_ms is not None
    return FoundEvent(
        start=moment(row.began_ms),
        end=moment(row.latest_ms) if row.phase == str(Phase.END) else None,
        box=row.device,
        camera=row.camera,
        kind=row.kind,
        direction=row.direction,
        label=row.label,
        riders=seen.get("riders", 0),
        vehicle_colour=row.vehicle_colour,
        clothes_colour=row.clothes_colour,
        severity=row.severity,
        rule=row.rule_id,
        rule_kind=row.rule_kind,
        zones=tuple(seen.get("entered_zones", ())),
        end_reason=row.end_reason,
        detail=row.detail,
        suppressed=body.get("suppressed", 0),
        picture=row.thumbnail,
        scene=row.scene,
        clock="corrected" if corrected else row.clock_state,
        event_id=row.event_id,
    )
