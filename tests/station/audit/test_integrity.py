"""station.audit.integrity"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import URL
from structlog.testing import capture_logs

from station.audit.integrity import StoreCheck
from station.ingest.alarms import AlarmKind
from station.store.database import engine_of
from tests.station.ingest.test_receipts import messages
from tests.support.brokers import until
from tests.support.stores import Place, new_database


class Alarms:
    """What was raised and closed."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, AlarmKind, str]] = []

    def raise_alarm(self, kind: AlarmKind, of_box: Any, detail: str, count: int = 1) -> None:
        self.heard.append(("raised", kind, detail))

    def close_alarm(self, kind: AlarmKind, of_box: Any) -> None:
        self.heard.append(("closed", kind, ""))


@pytest.fixture
def filled(sqlite_place: Place) -> Place:
    with closing(sqlite_place.open()) as store:
        for number in range(1, 60):
            store.commit(messages(number, number))
    sqlite_place.close()
    return sqlite_place


def looked(place: Place, longest_s: float = 60.0) -> tuple[Alarms, list[str]]:
    """One look, to its end."""
    alarms, check = Alarms(), StoreCheck(engine_of(place.url, writes=False), longest_s)
    with capture_logs() as lines:
        check.start()
        until(lambda: bool(lines))
        check.tell(alarms)
        check.close()
    return alarms, [line["event"] for line in lines]


def test_a_whole_store_ends_an_alarm_of_before(filled: Place) -> None:
    alarms, lines = looked(filled)

    assert alarms.heard == [("closed", AlarmKind.STORE_DAMAGED, "")]
    assert lines == ["store_checked"]


def test_a_damaged_page_is_an_alarm_and_one_clear_line(filled: Place) -> None:
    path = filled.folder / "station.db"
    with closing(sqlite3.connect(path)) as connection:
        page = connection.execute("select rootpage from sqlite_master where name = 'event_revision'").fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    data = bytearray(path.read_bytes())
    at = (page[0] - 1) * size
    data[at : at + size] = b"\x5a" * size
    path.write_bytes(data)

    alarms, lines = looked(filled)

    ((what, kind, detail),) = alarms.heard
    assert (what, kind) == ("raised", AlarmKind.STORE_DAMAGED)
    assert detail
    assert lines == ["store_damaged"]


def test_a_look_that_takes_too_long_ends_and_says_nothing_of_the_rest(filled: Place) -> None:
    with closing(sqlite3.connect(filled.folder / "station.db")) as connection:
        connection.execute("create table numbers (n integer)")
        connection.execute(
            "insert into numbers with recursive c(n) as (select 1 union all select n + 1 from c limit 400000) "
            "select n from c"
        )
        connection.commit()

    alarms, lines = looked(filled, longest_s=0.0)

    assert alarms.heard == []
    assert lines == ["store_checked_in_part"]


@pytest.mark.postgresql
def test_of_postgresql_nothing_is_looked_at(postgresql: URL) -> None:
    alarms, check = Alarms(), StoreCheck(engine_of(new_database(postgresql), writes=False))
    check.start()
    check.tell(alarms)
    check.close()
    assert alarms.heard == []
