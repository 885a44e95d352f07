"""station.store.statements.analysis"""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import event as hooks

from station.store.database import engine_of, upgrade, versions
from station.store.statements import analysis
from station.store.statements.analysis import analyze, outgrown_parts, read_through
from tests.station.ingest.test_receipts import messages
from tests.support.stores import Place

LOOKED = {
    "sqlite": "select count(*) from sqlite_stat1 where tbl = '{table}'",
    "postgresql": "select count(*) from pg_stats where tablename = '{table}'",
}


def looked(place: Place, table: str) -> int:
    """What the database noted of one table."""
    kind = place.url.drivername.partition("+")[0]
    if kind == "sqlite" and not place.rows("select name from sqlite_master where name = 'sqlite_stat1'"):
        return 0
    return int(place.rows(LOOKED[kind].format(table=table))[0][0])


def test_the_database_knows_how_its_columns_are_filled(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(messages(1, 1))
        before = looked(place, "event")
        with place.engine.begin() as connection:
            analyze(connection)

    assert (before, looked(place, "event") > 0) == (0, True)


def test_looked_at_part_by_part_it_knows_the_same(sqlite_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no writer waits for the whole."""
    monkeypatch.setattr(analysis, "FEW_ROWS", 0)
    known = "select tbl, idx, stat from sqlite_stat1 order by tbl, idx"
    with closing(sqlite_place.open()) as store:
        store.commit(messages(1, 3))
    engine = engine_of(sqlite_place.url)
    with engine.begin() as connection:
        analyze(connection)
    whole = sqlite_place.rows(known)
    sqlite_place.do("delete from sqlite_stat1")
    with engine.begin() as connection:
        parts = outgrown_parts(connection)
    for part in parts:
        with engine.begin() as connection:
            analyze(connection, part)
    engine.dispose()

    assert len(whole) > 5
    assert sqlite_place.rows(known) == whole


def test_a_part_is_read_through_while_another_writes(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit(messages(1, 3))
    engine, reads = engine_of(sqlite_place.url), engine_of(sqlite_place.url, writes=False)
    read: list[str] = []
    hooks.listen(reads, "after_cursor_execute", lambda *given: read.extend(given[3]))
    with engine.begin() as writing, reads.connect() as connection:
        writing.exec_driver_sql("update box set device = device")
        if not connection.exec_driver_sql("select 1 from pragma_module_list where name = 'dbstat'").first():
            pytest.skip("this SQLite has no dbstat: nothing is read before")
        read_through(connection, "ix_event_began_ms")
    engine.dispose()
    reads.dispose()

    assert read == ["ix_event_began_ms"]


def test_a_store_that_was_brought_up_to_date_is_looked_at_anew(place: Place) -> None:
    engine = engine_of(place.url)
    upgrade(engine, versions()[1])
    engine.dispose()
    place.do("insert into box (commune, device, first_seen_ms, last_seen_ms) values ('c', 'b', 1, 1)")
    assert looked(place, "box") == 0
    with closing(place.open()):
        assert looked(place, "box") > 0


def test_sqlite_looks_again_once_a_table_has_twice_as_many_rows(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "FEW_ROWS", 4)
    seen: list[set[str]] = []
    with closing(sqlite_place.open()) as store:
        for number in range(1, 13):
            store.commit(messages(number, number))
            with sqlite_place.engine.begin() as connection:
                parts = outgrown_parts(connection)
                seen.append({*parts})
                for part in parts:
                    analyze(connection, part)

    assert [number for number, parts in enumerate(seen, 1) if parts] == [4, 8]
    assert {"ix_event_track_id", "sqlite_autoindex_event_revision_1", "message"} <= seen[3]
    assert not {part for part in seen[3] if "review" in part}, "of what has no rows there is nothing to learn"


def test_a_store_with_few_rows_needs_no_look(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit(messages(1, 3))
        with sqlite_place.engine.begin() as connection:
            assert outgrown_parts(connection) == ()
