"""What a wall begins with: the newest events, and when each box was heard last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.cards import EventKey
from station.lookup.places import read_places
from station.store.database import in_words
from station.store.schema import box, event, event_began_ms

AHEAD_MS: Final = 300_000
"""What began so far ahead of the station's clock has a clock that is wrong, and would stay on top for ever."""


@dataclass(frozen=True, slots=True)
class BoxBeat:
    """A box, and when it was heard."""

    box_id: int
    device: str
    title: str
    """For people."""
    state: str | None
    """online, offline or stopped; None: it has never said."""
    heard_ms: int
    """By the station's clock."""


def newest_keys(engine: Engine, limit: int, now_ms: int) -> list[EventKey]:
    """The events that began last, the newest first.

    Raises:
        StoreError: the store cannot be read.
    """
    place = event_began_ms.desc(), event.c.box_id.desc(), event.c.event_id.desc()
    query = select(event.c.box_id, event.c.event_id).where(event_began_ms <= now_ms + AHEAD_MS)
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(query.order_by(*place).limit(limit)).all()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return [(row.box_id, row.event_id) for row in rows]


def box_beats(engine: Engine) -> list[BoxBeat]:
    """Every box, by its title.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            states = {row.id: row.state for row in connection.execute(select(box.c.id, box.c.state))}
            places = read_places(connection)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return [
        BoxBeat(each.id, each.device, each.title, states.get(each.id), each.last_seen_ms)
        for each in places.values()
    ]
