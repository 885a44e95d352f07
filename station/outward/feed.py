"""What goes out: each message of an event, in the order in which the station kept them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import EventPayload
from station.store.database import in_words
from station.store.schema import LATE_MS, box, event, event_began_ms, event_feed, event_revision


@dataclass(frozen=True, slots=True)
class OutEvent:
    """One message of an event as it was kept."""

    feed_id: int
    box_id: int
    device: str
    payload: EventPayload
    received_ms: int
    """By the station's clock."""
    late: bool
    """The event never was news: its first message came more than a minute after it began."""
    before: EventPayload | None
    """The message of the event before this one, by revision; None: there is none."""

    @property
    def is_old_news(self) -> bool:
        """The event came late, or this message of it waited."""
        return self.late or self.payload.replayed

    @property
    def id(self) -> str:
        """The same for this message for ever; another one for every other."""
        return f"{self.device}.{self.payload.id}.{self.payload.revision}"


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """What comes after a number of the feed."""

    events: tuple[OutEvent, ...]
    last: int
    """Up to this number all was looked at; those that can no more be read are left out of `events`."""
    lost: int
    """Numbers that had gone out of the feed before anybody looked: whoever asks was away for too long."""


def after(engine: Engine, feed_id: int, limit: int = 100) -> FeedBatch:
    """The next messages, at most `limit`.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(_QUERY.where(event_feed.c.id > feed_id).limit(limit)).all()
            if not rows:
                return FeedBatch((), feed_id, 0)
            oldest = connection.scalar(select(func.min(event_feed.c.id))) or 0
            lost = max(0, oldest - feed_id - 1) if rows[0].feed_id == oldest else 0
            return FeedBatch(tuple(_events(connection, rows)), rows[-1].feed_id, lost)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def head(engine: Engine) -> int:
    """The newest number; 0: there is none.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            return int(connection.scalar(select(func.max(event_feed.c.id))) or 0)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


_SAME = (event.c.box_id == event_feed.c.box_id) & (event.c.event_id == event_feed.c.event_id)
_MESSAGE = (
    (event_revision.c.box_id == event_feed.c.box_id)
    & (event_revision.c.event_id == event_feed.c.event_id)
    & (event_revision.c.revision == event_feed.c.revision)
)
_QUERY = (
    select(
        event_feed.c.id.label("feed_id"),
        event_feed.c.box_id,
        event_feed.c.event_id,
        event_feed.c.revision,
        box.c.device,
        event_revision.c.body,
        event_revision.c.received_ms,
        event.c.first_received_ms,
        event_began_ms.label("began_ms"),
    )
    .join(box, box.c.id == event_feed.c.box_id)
    .outerjoin(event_revision, _MESSAGE)
    .outerjoin(event, _SAME)
    .order_by(event_feed.c.id)
)


def _events(connection: Connection, rows: Sequence[Any]) -> Iterator[OutEvent]:
    for row in rows:
        payload = read(row.body)
        if payload is None:  # deleted since, or of a contract that nobody reads any more
            continue
        began_ms = row.received_ms if row.began_ms is None else row.began_ms
        first_ms = row.received_ms if row.first_received_ms is None else row.first_received_ms
        yield OutEvent(
            feed_id=row.feed_id,
            box_id=row.box_id,
            device=row.device,
            payload=payload,
            received_ms=row.received_ms,
            late=first_ms - began_ms > LATE_MS,
            before=_before(connection, row.box_id, row.event_id, row.revision),
        )


def _before(connection: Connection, box_id: int, event_id: str, revision: int) -> EventPayload | None:
    columns = event_revision.c
    query = (
        select(columns.body)
        .where(columns.box_id == box_id, columns.event_id == event_id, columns.revision < revision)
        .order_by(columns.revision.desc())
        .limit(1)
    )
    return read(connection.scalar(query)) if revision > 1 else None


def read(body: str | None) -> EventPayload | None:
    """A kept message; None: there is none, or it is none by the contract of now."""
    if body is None:
        return None
    try:
        return codec.parse(EventPayload, body.encode())
    except WireError:
        return None
