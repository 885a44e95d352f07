"""One event whole: all its messages, its path over the scene, its neighbours in time, and its footage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.translatable import tr
from agent.wire import codec
from agent.wire.payloads import BoxPayload, EventPayload, ObjectPayload
from station.lookup.cards import EventCard, EventKey, read_cards
from station.lookup.footage_chance import FootageChance, footage_chance
from station.lookup.walk.scan import ScanOrder, Stretch, go_by_index
from station.lookup.words import end_reason_word, label_word
from station.store.database import in_words
from station.store.schema import box, event, event_began_ms, event_revision

MOST_REVISIONS: Final = 200
MOST_ZONES: Final = 12
"""That one message says were entered: a box may name thousands, and leave them again in the next."""
NEIGHBOURS: Final = 4
NEAR_MS: Final = 60_000
_NEARBY = 12
_READ_NEARBY = 300
_SAME = 12


@dataclass(frozen=True, slots=True)
class FrameBox:
    """A rectangle in fractions of the frame: origin top left, y down."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class EventStep:
    """One message of an event."""

    revision: int
    phase: str
    time_ms: int
    """When it happened; put right where the station knows better."""
    received_ms: int
    replayed: bool
    changes: tuple[str, ...]
    """What is new in it, in words that can be translated."""


@dataclass(frozen=True, slots=True)
class EventDetail:
    """What only the messages say, by the newest."""

    path: tuple[tuple[float, float, float], ...] = ()
    """(seconds since it was first seen, x, y) of its foot, in fractions of the frame."""
    box: FrameBox | None = None
    """Where it was when the scene was taken, or at last."""
    frame: tuple[int, int] | None = None
    """Width and height of the camera's picture, in pixels."""
    model: str | None = None
    model_sha256: str | None = None
    score: float | None = None
    top_score: float | None = None
    stationary: bool = False
    seen_ms: int | None = None
    """When its road user was first seen, by the box's clock as it was."""
    clock_error_ms: int | None = None
    suppressed: int = 0
    names_picture: bool = False
    """One of its messages that are here names a picture, whether that is here or not."""


@dataclass(frozen=True, slots=True)
class WholeEvent:
    """Everything about one event."""

    card: EventCard
    detail: EventDetail
    steps: tuple[EventStep, ...]
    """Oldest first; of very many the newest."""
    before: tuple[EventCard, ...]
    """At this camera, the nearest first."""
    after: tuple[EventCard, ...]
    """At this camera, the nearest first."""
    nearby: tuple[EventCard, ...]
    """At other cameras within a minute, the nearest first."""
    same_road_user: tuple[EventCard, ...]
    """Other events of the same road user, oldest first."""
    footage: FootageChance


def event_key(engine: Engine, device: str, event_id: str) -> EventKey | None:
    """The key of the event with this id at a box of this name; None: there is none.

    Raises:
        StoreError: the store cannot be read.
    """
    query = select(event.c.box_id).join(box, box.c.id == event.c.box_id)
    query = query.where(event.c.event_id == event_id, box.c.device == device)
    if "\0" in device + event_id:  # no text of a database
        return None
    try:
        with engine.connect() as connection, connection.begin():
            box_id = connection.scalar(query.limit(1))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return None if box_id is None else (box_id, event_id)


def whole_event(engine: Engine, key: EventKey) -> WholeEvent | None:
    """The event with this key; None: there is none.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            cards = read_cards(connection, [key])
            return _whole(connection, cards[0]) if cards else None
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _whole(connection: Connection, card: EventCard) -> WholeEvent:
    scene_revision, offset_ms = connection.execute(
        select(event.c.scene_revision, func.coalesce(event.c.clock_offset_ms, 0)).where(
            event.c.box_id == card.box_id, event.c.event_id == card.event_id
        )
    ).one()
    of_it = event_revision.c.box_id == card.box_id, event_revision.c.event_id == card.event_id
    newest = select(event_revision).where(*of_it).order_by(event_revision.c.revision.desc())
    rows = connection.execute(newest.limit(MOST_REVISIONS)).all()[::-1]
    read = [(row, _payload(row.body)) for row in rows]
    before, after = (_at_camera(connection, card, newest_first=each) for each in (True, False))
    nearby, same = _nearby(connection, card), _same_road_user(connection, card)
    found = {each.key: each for each in read_cards(connection, [*before, *after, *nearby, *same])}
    return WholeEvent(
        card=card,
        detail=_detail([payload for _, payload in read if payload is not None], scene_revision),
        steps=_steps(read, offset_ms, dict(zip(card.zones, card.zone_titles, strict=True))),
        before=_those(found, before),
        after=_those(found, after),
        nearby=_those(found, nearby),
        same_road_user=_those(found, same),
        footage=footage_chance(connection, card),
    )


def _those(found: dict[EventKey, EventCard], keys: Sequence[EventKey]) -> tuple[EventCard, ...]:
    return tuple(found[key] for key in keys if key in found)


def _payload(body: str) -> EventPayload | None:
    """None: this version reads it no more."""
    try:
        return codec.parse(EventPayload, body.encode())
    except WireError:
        return None


def _detail(payloads: Sequence[EventPayload], scene_revision: int | None) -> EventDetail:
    if not payloads:
        return EventDetail()
    newest = payloads[-1]
    shown = next((each for each in payloads if each.revision == scene_revision), newest)
    seen, place = newest.object, shown.object.box if shown.object else shown.region
    return EventDetail(
        path=seen.path if seen else (),
        box=_frame_box(place) if place else None,
        frame=(newest.frame.width_px, newest.frame.height_px) if newest.frame else None,
        model=newest.model.name if newest.model else None,
        model_sha256=newest.model.sha256 if newest.model else None,
        score=seen.score if seen else None,
        top_score=seen.top_score if seen else None,
        stationary=bool(seen and seen.stationary),
        seen_ms=round(seen.start_time.timestamp() * 1000) if seen else None,
        clock_error_ms=newest.clock.error_ms,
        suppressed=newest.suppressed,
        names_picture=any(each.image is not None or each.scene is not None for each in payloads),
    )


def _frame_box(place: BoxPayload) -> FrameBox:
    return FrameBox(place.left, place.top, place.right, place.bottom)


def _steps(
    read: Sequence[tuple[Any, EventPayload | None]], offset_ms: int, zones: Mapping[str, str]
) -> tuple[EventStep, ...]:
    steps, last, expected = list[EventStep](), None, 1
    for row, payload in read:
        changes = [_missing(row.revision - expected)] if steps and row.revision > expected else []
        unread = tr("this message cannot be read any more")
        changes += what_changed(last, payload, zones) if payload else [unread]
        at = row.time_ms + offset_ms
        steps.append(
            EventStep(row.revision, row.phase, at, row.received_ms, bool(row.replayed), tuple(changes))
        )
        last, expected = payload or last, row.revision + 1
    return tuple(steps)


def _missing(number: int) -> str:
    return tr("{number} messages before this one are missing", number=number)


def what_changed(
    before: EventPayload | None, after: EventPayload, zones: Mapping[str, str] | None = None
) -> list[str]:
    """What a message says that the one before it did not, in words; `zones` has titles by ids."""
    found: list[str] = [tr("it began")] if before is None and after.revision == 1 else []
    if after.object is not None:
        found += _changed_road_user(before.object if before else None, after.object, zones or {})
    if before is not None and before.severity != after.severity:
        found.append(tr("it is an alert now") if after.severity == "alert" else tr("it is no alert any more"))
    if after.scene is not None:
        found.append(tr("the whole view came with it"))
    if after.image is not None:
        found.append(tr("a picture came with it") if before is None else tr("a better picture came with it"))
    if after.end_reason is not None:
        found.append(tr("it ended: {reason}", reason=end_reason_word(after.end_reason)))
    return found or [tr("it goes on")]


def _changed_road_user(old: ObjectPayload | None, new: ObjectPayload, titles: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    if old is not None and old.label != new.label:
        words = label_word(old.label), label_word(new.label)
        found.append(tr("taken for {after}, before for {before}", before=words[0], after=words[1]))
    if old is not None and old.riders != new.riders:
        found.append(tr("{after} people, before {before}", before=old.riders, after=new.riders))
    zones = new.entered_zones[len(old.entered_zones) if old else 0 :]
    found += [tr("entered {zone}", zone=titles.get(zone, zone)) for zone in zones[:MOST_ZONES]]
    if len(zones) > MOST_ZONES:
        found.append(tr("entered {n} more zones", n=len(zones) - MOST_ZONES))
    if new.stationary and not (old and old.stationary):
        found.append(tr("it stands"))
    elif old is not None and old.stationary and not new.stationary:
        found.append(tr("it moves on"))
    return found


def _at_camera(connection: Connection, card: EventCard, *, newest_first: bool) -> list[EventKey]:
    head = (event.c.box_id == card.box_id, event.c.camera == card.camera)
    order = ScanOrder(newest_first=newest_first)
    here = card.began_ms, card.box_id, card.event_id
    query = select(event.c.box_id, event.c.event_id).where(*order.beyond(Stretch(head), here))
    return [(row[0], row[1]) for row in connection.execute(query.order_by(*order.by()).limit(NEIGHBOURS))]


def _nearby(connection: Connection, card: EventCard) -> list[EventKey]:
    """At a busy moment the database gives the first of that time; the nearest of these are taken."""
    found = list[Any]()
    for low, high, newest_first in (
        (card.began_ms - NEAR_MS, card.began_ms, True),
        (card.began_ms, card.began_ms + NEAR_MS + 1, False),
    ):
        order = ScanOrder(newest_first=newest_first)
        columns = event.c.box_id, event.c.event_id, event.c.camera, event_began_ms.label("began_ms")
        query = select(*columns).where(*order.beyond(Stretch((), low, high), None)).order_by(*order.by())
        found += connection.execute(query.limit(_READ_NEARBY)).all()
    here = (card.box_id, card.camera)
    others = [row for row in found if (row.box_id, row.camera) != here]
    others.sort(key=lambda row: (abs(row.began_ms - card.began_ms), row.box_id, row.event_id))
    return [(row.box_id, row.event_id) for row in others[:_NEARBY]]


def _same_road_user(connection: Connection, card: EventCard) -> list[EventKey]:
    if card.track_id is None:
        return []
    query = (
        select(event.c.box_id, event.c.event_id)
        .where(event.c.track_id == card.track_id, event.c.box_id == card.box_id)
        .order_by(event_began_ms)
        .limit(_SAME + 1)
    )
    keys = [(row[0], row[1]) for row in connection.execute(query)]
    return [key for key in keys if key != card.key][:_SAME]
