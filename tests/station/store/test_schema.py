"""station.store.schema"""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from station.store.schema import blob, metadata
from station.store.statements.analysis import analyze
from tests.support.stores import Place

TABLES = list(metadata.tables.values())
COLUMNS = [column for table in TABLES for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_key_of_its_own_and_refers_to_keys_only(table: Table) -> None:
    assert list(table.primary_key.columns)
    for key in table.foreign_key_constraints:
        columns, of = {each.column for each in key.elements}, key.referred_table
        unique = [set(index.columns) for index in of.indexes if index.unique]
        assert columns in [set(of.primary_key.columns), *unique], f"{table.name}.{key.name}"


REFERRING = [key for table in TABLES for key in table.foreign_key_constraints if key.referred_table is blob]


@pytest.mark.parametrize("key", REFERRING, ids=lambda key: str(key.name))
def test_who_refers_to_a_file_is_found_by_an_index_when_it_is_let_go(key: ForeignKeyConstraint) -> None:
    """Both databases look at each removal, and would read the whole table."""
    columns = [column.name for column in key.columns]
    heads = [[getattr(each, "name", "") for each in index.expressions] for index in key.table.indexes]

    assert any(head[: len(columns)] == columns for head in heads), heads


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_numbers_that_a_box_gives_and_moments_fit_64_bits(column: Column[object]) -> None:
    """PostgreSQL's integer ends at 2**31: a moment in milliseconds is larger from the first day on."""
    counted = ("seq", "first", "last", "revision", "oldest", "newest", "missing")
    if column.name.endswith(("_ms", "_revision")) or column.name in counted:
        assert isinstance(column.type, BigInteger)


def test_only_types_that_both_databases_store_alike_are_used() -> None:
    assert {type(column.type) for column in COLUMNS} == {BigInteger, Boolean, Integer, LargeBinary, Text}


def test_every_constraint_has_a_name_so_that_a_step_can_change_it() -> None:
    for table in TABLES:
        assert all(constraint.name for constraint in table.constraints), table.name
        assert all(index.name for index in table.indexes), table.name


EVENTS = """
    insert into event (box_id, event_id, revision, camera, kind, phase, severity, start_ms, time_ms, rule_id,
        rule_kind, label, replayed, clock_state, first_received_ms, received_ms)
    with recursive number (i) as (select 1 union all select i + 1 from number where i < 4000)
    select 1 + i % 8, 'e-' || i, 1, 'cam-' || (i % 5), 'kind-' || (i % 7),
        case i % 100 when 0 then 'update' else 'end' end, case i % 50 when 0 then 'alert' else 'info' end,
        i * 1000, i * 1000, 'rule-' || (i % 9), 'line', 'label-' || (i % 11), false, 'ntp', i * 1000, i * 1000
    from number
"""
COUNTS = """
    insert into count_interval (stream_id, seq, box_id, camera, rule, start_ms, end_ms, body)
    with recursive number (i) as (select 1 union all select i + 1 from number where i < 4000)
    select 1, i, 1 + i % 8, 'cam-' || (i % 5), 'rule-' || (i % 9), i * 1000, i * 1000 + 900, '{}' from number
"""
REVISIONS = """
    insert into event_revision (box_id, event_id, revision, stream_id, seq, phase, time_ms, replayed, digest,
        body, received_ms)
    select box_id, event_id, 1, 1, start_ms, phase, time_ms, replayed, 'd', '{}', received_ms from event
"""
BLOBS = """
    insert into blob (sha256, size_bytes, received_ms) select 'b' || event_id, 1, received_ms from event
"""
PICTURES = """
    insert into picture (box_id, event_id, kind, sha256, camera, received_ms, blob_received_ms)
    select box_id, event_id, 'scene', 'b' || event_id, camera, received_ms, received_ms from event
"""
BEGAN = "coalesce(start_ms + clock_offset_ms, start_ms)"
OF_EVENTS = f"select event_id from event where {BEGAN} between 1000000 and 1500000 and "
NEWEST = f" order by {BEGAN} desc"
QUESTIONS = {
    "ix_event_box_camera_began_ms": OF_EVENTS + "box_id = 3 and camera = 'cam-2'" + NEWEST,
    "ix_event_label_began_ms": OF_EVENTS + "label = 'label-4'" + NEWEST,
    "ix_event_kind_label_began_ms": OF_EVENTS + "kind = 'kind-3' and label = 'label-4'" + NEWEST,
    "ix_event_alert_began_ms": OF_EVENTS + "severity = 'alert'" + NEWEST + " limit 50",
    "ix_event_alert_box_camera_began_ms": f"select event_id from event where {BEGAN} >= 0 and "
    "box_id = 3 and camera = 'cam-2' and severity = 'alert'" + NEWEST,
    "ix_event_open": "select event_id from event where severity = 'alert' and phase <> 'end'",
    "pk_event": "select box_id from event where event_id = 'e-77'",
    "pk_event_revision": "select body from event_revision where event_id = 'e-77' and box_id = 5",
    "pk_picture": "select camera from picture where box_id = 5 and event_id = 'e-77'",
    "ix_picture_blob_received_ms": "select picture.event_id from blob join picture "
    "on picture.blob_received_ms = blob.received_ms and picture.sha256 = blob.sha256 "
    "where blob.sha256 in ('be-77', 'be-78')",
    "ix_count_interval_box_id": "select body from count_interval where box_id = 3 and camera = 'cam-2' and "
    "rule = 'rule-4' and start_ms between 1000000 and 1500000",
}
"""Index -> a question that it is there for."""


@pytest.mark.parametrize("is_analyzed", [False, True], ids=["", "analyzed"])
def test_each_question_has_its_index_and_takes_it(place: Place, *, is_analyzed: bool) -> None:
    is_sqlite = place.url.drivername == "sqlite"
    with closing(place.open()), place.engine.begin() as connection:
        for number in range(1, 9):
            box = "insert into box (id, commune, device, first_seen_ms, last_seen_ms) values"
            connection.exec_driver_sql(f"{box} ({number}, 'c', 'b-{number}', 1, 1)")
        stream = "insert into stream (id, box_id, name, first_seen_ms, unnumbered) values (1, 1, 's', 1, 0)"
        for statement in (stream, EVENTS, COUNTS, REVISIONS, BLOBS, PICTURES):
            connection.execute(text(statement))
        if is_analyzed or not is_sqlite:  # PostgreSQL looks by itself after a while, and SQLite does not
            analyze(connection)
        explain = "explain query plan " if is_sqlite else "explain "
        plans = {
            index: str(connection.exec_driver_sql(explain + query).all()) for index, query in QUESTIONS.items()
        }

    by = {index: index.replace("pk_", "sqlite_autoindex_") + "_1" * index.startswith("pk_") for index in plans}
    names = by if is_sqlite else {index: index for index in plans}
    assert {index: plan for index, plan in plans.items() if names[index] not in words(plan)} == {}


@pytest.mark.parametrize(
    "place", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True, ids=str
)
def test_of_the_alerts_of_a_camera_postgresql_reads_no_row_to_count_them(place: Place) -> None:
    """Each lies on a page of its own; a moment is computed of columns that the index has to hold, too."""
    with closing(place.open()), place.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into box (id, commune, device, first_seen_ms, last_seen_ms) "
            "select i, 'c', 'b-' || i, 1, 1 from generate_series(1, 8) as i"
        )
        connection.execute(text(EVENTS))
    with place.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze event")
        plan = connection.exec_driver_sql("explain " + QUESTIONS["ix_event_alert_box_camera_began_ms"]).all()

    assert "Index Only Scan" in str(plan), plan


def words(plan: str) -> list[str]:
    """What stands between spaces and quotes."""
    return plan.replace("'", " ").split()
