"""What is named in a path, as the store knows it."""

from __future__ import annotations

from fastapi import HTTPException
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.cards import EventKey
from station.store.database import in_words
from station.store.schema import box, event
from station.web.visitor import Visitor


def key_of(asker: Visitor, device: str, event_id: str) -> EventKey:
    """The key of an event of this commune.

    Raises:
        HTTPException: 404, there is none.
        StoreError: the store cannot be read.
    """
    console = asker.console
    query = (
        select(event.c.box_id)
        .join(box, box.c.id == event.c.box_id)
        .where(box.c.commune == console.config.commune, box.c.device == device, event.c.event_id == event_id)
    )
    try:
        with console.reads.connect() as connection, connection.begin():
            box_id = connection.scalar(query)
    except SQLAlchemyError as error:
        raise in_words(error, console.reads.url) from error
    if box_id is None:
        raise HTTPException(404)
    return int(box_id), event_id
