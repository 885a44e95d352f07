"""The names in which things of a commune may be asked for, out of its store."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.places import BoxPlace, CameraPlace, read_places
from station.lookup.spoken.understood import KnownNames
from station.lookup.walk.scan import go_by_index
from station.lookup.walk.ways import distinct
from station.store.database import in_words
from station.store.schema import event
from station.store.titles import is_of_province

MOST_DIRECTIONS: Final = 24


def known_names(engine: Engine) -> KnownNames:
    """By what the boxes told last, and by what is in events; of very many directions none.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            places = _named_alone(tuple(read_places(connection).values()))
            has_one = (event.c.direction.is_not(None),)
            directions = distinct(connection, event.c.direction, has_one, MOST_DIRECTIONS)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return KnownNames(places, tuple(directions or ()))


def _named_alone(places: tuple[BoxPlace, ...]) -> tuple[BoxPlace, ...]:
    """Of several communes no zones and rules: what is called so in one has the id of another in the next."""
    if len({each.device.partition(".")[0] for each in places if is_of_province(each.device)}) < 2:
        return places
    return tuple(replace(each, cameras=tuple(map(_alone, each.cameras))) for each in places)


def _alone(camera: CameraPlace) -> CameraPlace:
    if not (camera.zones or camera.rules):
        return camera
    return CameraPlace(camera.name, camera.title)
