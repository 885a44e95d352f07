"""What one tile of a wall, a grid or a list shows of an event; and the feed that a wall follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, Connection, Engine, Row, Text, any_, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError

from agent.core.types import Phase
from agent.printable import printable
from station.lookup.places import BoxPlace, read_places
from station.store.database import in_words
from station.store.schema import LATE_MS, blob, event, event_began_ms, event_feed, event_latest_ms, review

EventKey = tuple[int, str]
"""Ids of box and event."""
NEW: Final = "new"
"""State of the review of what nobody has looked at."""
CORRECTED: Final = "corrected"
"""The clock's word where the station knows the time better than the box did."""
_AT_ONCE = 200
"""Few enough for the bound parameters of one statement."""


@dataclass(frozen=True, slots=True)
class EventCard:
    """One event as a tile shows it, by its newest message. Texts are in one line and steer nothing.

    Moments are milliseconds since 1970; those of the event by its box's clock as far as it is known, put right
    where the station knows better.
    """

    box_id: int
    event_id: str
    revision: int
    box: str
    box_title: str
    """For people."""
    camera: str
    camera_title: str
    """For people."""
    kind: str
    label: str | None
    riders: int
    direction: str | None
    severity: str
    phase: str
    end_reason: str | None
    detail: str | None
    rule: str
    rule_title: str
    """For people."""
    rule_kind: str
    zones: tuple[str, ...]
    """Those that its road user has been in, in order."""
    zone_titles: tuple[str, ...]
    """The same for people."""
    track_id: str | None
    score_permille: int | None
    began_ms: int
    latest_ms: int
    ended_ms: int | None
    """None: no end has come."""
    received_ms: int
    """When its first message came, by the station's clock."""
    late: bool
    """It came more than a minute after it began: it is no news."""
    replayed: bool
    """Its newest message waited for more than a minute in the box."""
    clock: str
    """ntp, rtc, floor or unknown: what the box knew of the time; `corrected`."""
    thumbnail: str | None
    """sha256 of the best picture of the road user, if it is here."""
    scene: str | None
    """sha256 of the whole view, if it is here."""
    review: str = NEW
    """new, seen, confirmed, false or passed_on."""
    reviewed_by: str | None = None
    """The name of who did it last."""
    reviewed_ms: int | None = None
    """When that was."""
    review_reason: str | None = None
    """Of a false alarm."""
    review_right_label: str | None = None
    """Of what was taken for something else: what it is."""
    vehicle_colour: str | None = None
    """A word of the wire; None: nobody knows it."""
    clothes_colour: str | None = None
    """Of whoever walks or rides."""

    @property
    def key(self) -> EventKey:
        """Ids of box and event."""
        return self.box_id, self.event_id

    @property
    def is_old_news(self) -> bool:
        """It must not look new."""
        return self.late or self.replayed


def cards_of(engine: Engine, keys: Sequence[EventKey]) -> list[EventCard]:
    """The events of these keys in their order, each once; those that are not here are left out.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            return read_cards(connection, keys)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def read_cards(
    connection: Connection, keys: Sequence[EventKey], places: Mapping[int, BoxPlace] | None = None
) -> list[EventCard]:
    """As `cards_of`, within a transaction; with places that were read in it these are not read again."""
    wanted = list(dict.fromkeys(keys))
    rows: dict[EventKey, Row[Any]] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        part = wanted[at : at + _AT_ONCE]
        # By id alone: no two events share one but by malice, and pairs would be read one by one.
        ids = [event_id for _, event_id in part]
        if connection.dialect.name == "postgresql":  # one statement however many, so it is planned once
            found = connection.execute(_BY_ARRAY, {"ids": ids})
        else:
            found = connection.execute(_QUERY.where(event.c.event_id.in_(ids)))
        rows |= {(row.box_id, row.event_id): row for row in found.all()}
    if places is None:
        places = read_places(connection, {box_id for box_id, _ in wanted})
    return [_card(rows[key], places) for key in wanted if key in rows]


_SHOWN: Final = (
    *("box_id", "event_id", "revision", "camera", "kind", "label", "riders", "direction", "severity", "phase"),
    *("end_reason", "detail", "rule_id", "rule_kind", "zones", "track_id", "top_score_permille"),
    *("first_received_ms", "replayed", "clock_state", "clock_offset_ms", "vehicle_colour", "clothes_colour"),
)
"""Columns of an event that a card has something of; there are a third more."""
_thumbnail, _scene = blob.alias("thumbnail"), blob.alias("scene")
_QUERY = (
    select(
        *(event.c[name] for name in _SHOWN),
        event_began_ms.label("began_ms"),
        event_latest_ms.label("latest_ms"),
        _thumbnail.c.sha256.label("thumbnail"),
        _scene.c.sha256.label("scene"),
        review.c.state.label("review_state"),
        review.c.name.label("reviewed_by"),
        review.c.reason.label("review_reason"),
        review.c.changed_ms.label("reviewed_ms"),
        review.c.right_label.label("review_right_label"),
    )
    .outerjoin(_thumbnail, _thumbnail.c.sha256 == event.c.thumbnail_sha256)
    .outerjoin(_scene, _scene.c.sha256 == event.c.scene_sha256)
    .outerjoin(review, (review.c.box_id == event.c.box_id) & (review.c.event_id == event.c.event_id))
)
_BY_ARRAY = _QUERY.where(event.c.event_id == any_(bindparam("ids", type_=ARRAY(Text))))


def _card(row: Row[Any], places: Mapping[int, BoxPlace]) -> EventCard:
    place = places[row.box_id]
    zones = tuple(zone for zone in (row.zones or "").split(",") if zone)
    titles = place.zone_titles(row.camera) if zones else {}
    state = row.review_state or NEW
    return EventCard(
        box_id=row.box_id,
        event_id=row.event_id,
        revision=row.revision,
        box=place.device,
        box_title=place.title,
        camera=row.camera,
        camera_title=place.camera_title(row.camera),
        kind=row.kind,
        label=_shown(row.label),
        riders=row.riders or 0,
        direction=_shown(row.direction),
        severity=row.severity,
        phase=row.phase,
        end_reason=row.end_reason,
        detail=_shown(row.detail),
        rule=printable(row.rule_id),
        rule_title=place.rule_title(row.camera, row.rule_id),
        rule_kind=printable(row.rule_kind),
        zones=tuple(printable(zone) for zone in zones),
        zone_titles=tuple(titles.get(zone, "") or printable(zone) for zone in zones),
        track_id=row.track_id,
        score_permille=row.top_score_permille,
        began_ms=row.began_ms,
        latest_ms=row.latest_ms,
        ended_ms=row.latest_ms if row.phase == str(Phase.END) else None,
        received_ms=row.first_received_ms,
        late=row.first_received_ms - row.began_ms > LATE_MS,
        replayed=bool(row.replayed),
        clock=row.clock_state if row.clock_offset_ms is None else CORRECTED,
        thumbnail=row.thumbnail,
        scene=row.scene,
        review=state,
        reviewed_by=None if state == NEW else row.reviewed_by,
        reviewed_ms=None if state == NEW else row.reviewed_ms,
        review_reason=row.review_reason,
        review_right_label=row.review_right_label,
        vehicle_colour=row.vehicle_colour,
        clothes_colour=row.clothes_colour,
    )


def _shown(text: str | None) -> str | None:
    return None if text is None else printable(text)


@dataclass(frozen=True, slots=True)
class FeedPart:
    """What was kept after a number of the feed."""

    ids: tuple[int, ...]
    """Numbers of the feed, rising."""
    keys: tuple[EventKey, ...]
    """Of each number the event; one that changed twice stands here twice."""


def feed_after(engine: Engine, after: int, limit: int = 200) -> FeedPart:
    """The next rows of the feed, at most `limit`; empty: nothing is new.

    Raises:
        StoreError: the store cannot be read.
    """
    columns = event_feed.c.id, event_feed.c.box_id, event_feed.c.event_id
    query = select(*columns).where(event_feed.c.id > after).order_by(event_feed.c.id).limit(limit)
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(query).all()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return FeedPart(tuple(row.id for row in rows), tuple((row.box_id, row.event_id) for row in rows))


def feed_head(engine: Engine) -> int:
    """The newest number of the feed; 0: there is none yet.

    Raises:
        StoreError: the store cannot be read.
    """
    return _bound(engine, func.max(event_feed.c.id))


def feed_floor(engine: Engine) -> int:
    """The oldest number that is still there; 0: there is none. Who stands below it has missed something.

    Raises:
        StoreError: the store cannot be read.
    """
    return _bound(engine, func.min(event_feed.c.id))


def _bound(engine: Engine, which: Any) -> int:
    try:
        with engine.connect() as connection, connection.begin():
            return int(connection.scalar(select(which)) or 0)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
