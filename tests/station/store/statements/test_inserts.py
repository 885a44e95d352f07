"""station.store.statements.inserts"""

from __future__ import annotations

from sqlalchemy import select

from station.store.schema import box
from station.store.statements.inserts import insert_once, put_latest, upsert
from tests.support.stores import Place

ROW = {"id": 1, "commune": "hai-ninh", "device": "north", "first_seen_ms": 1, "last_seen_ms": 1}
SEEN = select(box.c.first_seen_ms, box.c.last_seen_ms)


def test_a_row_that_is_there_is_left_alone(place: Place) -> None:
    place.open().close()
    with place.engine.begin() as connection:
        for moment_ms in (1, 2):
            connection.execute(insert_once(connection, box), ROW | {"last_seen_ms": moment_ms})

        assert connection.execute(SEEN).all() == [(1, 1)]


def test_only_the_columns_that_are_named_become_those_of_the_latest(place: Place) -> None:
    place.open().close()
    with place.engine.begin() as connection:
        put = put_latest(connection, box, ("commune", "device"), ("last_seen_ms",))
        for moment_ms in (1, 2):
            connection.execute(put, ROW | {"first_seen_ms": moment_ms, "last_seen_ms": moment_ms})

        assert connection.execute(SEEN).all() == [(1, 2)]


def test_an_upsert_says_itself_what_becomes_of_the_row(place: Place) -> None:
    place.open().close()
    with place.engine.begin() as connection:
        put = upsert(connection, box)
        put = put.on_conflict_do_update(
            index_elements=["commune", "device"], set_={"last_seen_ms": box.c.last_seen_ms + 5}
        )
        for _ in range(2):
            connection.execute(put, ROW)

        assert connection.execute(SEEN).all() == [(1, 6)]
