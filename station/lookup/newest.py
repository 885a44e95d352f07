"""What a wall begins with: the newest events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.cards import EventKey
from station.store.database import in_words
from station.store.schema import event, event_began_ms

AHEAD_MS: Final = 300_000
"""What began so far ahead of the station's clock has a clock that is wrong, and would stay on top for ever."""


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
