"""station.store.statements.many"""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.exc import IntegrityError

from station.store.schema import blob, box
from station.store.statements.inserts import insert_once
from station.store.statements.many import execute_many
from tests.support.stores import Place


def boxes(count: int) -> list[dict[str, object]]:
    return [
        {"id": n, "commune": "hai-ninh", "device": f"b-{n}", "first_seen_ms": n, "last_seen_ms": n}
        for n in range(1, count + 1)
    ]


def test_rows_come_as_they_are_and_each_once(place: Place) -> None:
    place.open().close()
    with place.engine.begin() as connection:
        for _ in range(2):
            execute_many(connection, insert_once(connection, box), boxes(30))
        found = connection.execute(select(box.c.id, box.c.device).order_by(box.c.id)).all()

    assert found == [(n, f"b-{n}") for n in range(1, 31)]


def test_names_may_stand_in_any_order_in_each_row(place: Place) -> None:
    place.open().close()
    rows = boxes(2)
    rows[1] = dict(reversed(rows[1].items()))
    with place.engine.begin() as connection:
        execute_many(connection, insert_once(connection, box), rows)

        assert connection.execute(select(box.c.id, box.c.device)).all() == [(1, "b-1"), (2, "b-2")]


def test_rows_are_changed_and_removed_by_names_that_are_no_columns(place: Place) -> None:
    place.open().close()
    seen = update(box).where(box.c.id == bindparam("its_id")).values(last_seen_ms=bindparam("at_ms"))
    gone = delete(box).where(box.c.id == bindparam("its_id"))
    with place.engine.begin() as connection:
        execute_many(connection, insert_once(connection, box), boxes(3))
        execute_many(connection, seen, [{"its_id": 1, "at_ms": 7}, {"its_id": 2, "at_ms": 8}])
        execute_many(connection, gone, [{"its_id": 3}])

        found = connection.execute(select(box.c.id, box.c.last_seen_ms).order_by(box.c.id)).all()
    assert found == [(1, 7), (2, 8)]


def test_without_rows_nothing_is_asked(place: Place) -> None:
    place.open().close()
    wrong = text("this is no SQL")
    with place.engine.begin() as connection:
        execute_many(connection, wrong, [])


def test_what_the_database_refuses_is_raised_as_ever(place: Place) -> None:
    place.open().close()
    row = {"sha256": "a", "size_bytes": None, "received_ms": 1, "segment": None, "segment_offset": None}
    with place.engine.connect() as connection, pytest.raises(IntegrityError):
        execute_many(connection, blob.insert(), [row])


def test_a_row_without_a_name_of_the_first_is_a_mistake(place: Place) -> None:
    place.open().close()
    first, second = boxes(2)
    del second["device"]
    with place.engine.connect() as connection, pytest.raises(KeyError, match="device"):
        execute_many(connection, insert_once(connection, box), [first, second])


def test_a_statement_with_a_value_of_its_own_is_not_for_many_rows(place: Place) -> None:
    place.open().close()
    statement = update(box).where(box.c.id == bindparam("its_id")).values(last_seen_ms=5)
    with place.engine.connect() as connection, pytest.raises(ValueError, match="values of its own"):
        execute_many(connection, statement, [{"its_id": 1}])
