"""The names in which things of a commune may be asked for, out of its store."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.places import read_places
from station.lookup.spoken.understood import KnownNames
from station.lookup.walk.scan import go_by_index
from station.lookup.walk.ways import distinct
from station.store.database import in_words
from station.store.schema import event

MOST_DIRECTIONS: Final = 24


def known_names(engine: Engine) -> KnownNames:
    """By what the boxes told last, and by what is in events; of very many directions none.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            places = tuple(read_places(connection).values())
            has_one = (event.c.direction.is_not(None),)
            directions = distinct(connection, event.c.direction, has_one, MOST_DIRECTIONS)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return KnownNames(places, tuple(directions or ()))
