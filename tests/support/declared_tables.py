"""Rows put into tables by their declaration, past whoever writes them in a station."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError

from tests.support.stores import Place


def put(place: Place, table: Table, **row: object) -> Any:
    """Puts a row; gives its key."""
    with place.engine.begin() as connection:
        return connection.execute(table.insert().values(**row)).inserted_primary_key


def is_refused(place: Place, table: Table, **row: object) -> bool:
    """Whether a constraint keeps a row out."""
    try:
        put(place, table, **row)
    except IntegrityError:
        return True
    return False


def number_after_a_removal(place: Place, table: Table, **row: object) -> tuple[int, int]:
    """The number of a row that is removed, and that of the next."""
    first = put(place, table, **row)[0]
    with place.engine.begin() as connection:
        connection.execute(table.delete())
    return first, put(place, table, **row)[0]
