"""station.store.database, and the migrations that it runs"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex

from agent.settings.base import Secret
from station.config import DatabaseSettings
from station.store import database, schema
from station.store.database import (
    StoreError,
    claimed,
    engine_of,
    in_words,
    shown,
    turn_of,
    upgrade,
    url_of,
    versions,
)
from tests.station.ingest.test_receipts import BOX, messages
from tests.support.stores import Place, new_database


def at_version(place: Place, version: str) -> None:
    """A database as an earlier station left it."""
    engine = engine_of(place.url)
    upgrade(engine, version)
    engine.dispose()


def test_the_names_of_the_steps_say_what_alembic_finds_in_them() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")

    found = ScriptDirectory.from_config(config).walk_revisions()

    assert versions() == tuple(step.revision for step in found)


MADE = (
    "select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns "
    "where table_schema = current_user order by 1, 2",
    "select indexdef from pg_indexes where schemaname = current_user order by 1",
    "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint "
    "where connamespace = current_schema()::regnamespace order by 1, 2",
    "select version_num from alembic_version",
)


@pytest.mark.postgresql
def test_a_schema_that_is_laid_down_for_a_test_is_what_the_steps_leave(postgresql: URL, tmp_path: Path) -> None:
    laid, stepped = (Place(new_database(postgresql), tmp_path) for _ in range(2))
    laid.open().close()
    engine = engine_of(stepped.url)
    upgrade(engine)
    engine.dispose()

    for query in MADE:
        first, second = (
            str(place.rows(query)).replace(str(place.url.username), "") for place in (laid, stepped)
        )
        assert first == second
        assert first != "[]"
    laid.close()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_an_empty_database_gets_the_tables_of_the_schema(place: Place) -> None:
    engine = engine_of(place.url)
    assert upgrade(engine) == (None, versions()[0])
    assert upgrade(engine) == (versions()[0], versions()[0])
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_the_indexes_on_computed_moments_are_those_of_the_schema(sqlite_place: Place) -> None:
    """SQLAlchemy cannot read these from SQLite, so the comparison above does not see them."""
    engine = engine_of(sqlite_place.url)
    upgrade(engine)
    engine.dispose()

    made = dict(
        sqlite_place.rows("select name, sql from sqlite_master where type = 'index' and sql is not null")
    )

    declared = [index for table in schema.metadata.tables.values() for index in table.indexes]
    assert made == {each.name: str(CreateIndex(each).compile(dialect=sqlite.dialect())) for each in declared}


@pytest.mark.long
@pytest.mark.parametrize("older", versions()[1:])
def test_an_older_database_is_brought_up_to_date_and_keeps_what_it_has(place: Place, older: str) -> None:
    at_version(place, older)
    place.do("insert into box (commune, device, first_seen_ms, last_seen_ms) values ('hai-ninh', 'x-01', 1, 2)")

    with closing(place.open()) as store:
        store.commit(messages(1, 1))
        store.commit(messages(2, 1))
        assert store.committed(*BOX, "s-1") == [(1, 1)]

    assert place.rows("select version_num from alembic_version") == [(versions()[0],)]
    assert place.rows("select device from box order by device") == [("north-01",), ("x-01",)]
    assert place.rows("select count(*) from conflict") == [(1,)]


@pytest.mark.long
def test_what_was_written_under_the_former_names_of_columns_is_found_under_the_new(place: Place) -> None:
    at_version(place, "0004")
    for statement in (
        "insert into box (id, commune, device, first_seen_ms, last_seen_ms) values (1, 'hai', 'x-1', 1, 2)",
        "insert into stream (id, box_id, name, first_seen_ms, unnumbered) values (1, 1, 's-1', 1, 0)",
        "insert into message (stream_id, seq, sort, suffix, digest, received_ms) "
        "values (1, 7, 'event', 'camera/north/event', 'd', 3)",
        "insert into given_up (stream_id, first, last, why) values (1, 2, 4, 'dropped')",
    ):
        place.do(statement)

    with closing(place.open()):
        assert place.rows("select seq, kind from message") == [(7, "event")]
        assert place.rows("select first, last, reason from given_up") == [(2, 4, "dropped")]


@pytest.mark.long
def test_keys_of_before_begin_with_the_event_now_and_every_row_is_found_by_them(place: Place) -> None:
    at_version(place, "0021")
    events = [("e-9", 1), ("e-2", 2), ("e-2", 1), ("e-5", 2)]
    box = {"commune": "hai", "first_seen_ms": 1, "last_seen_ms": 2}
    shared = {"phase": "end", "time_ms": 1, "replayed": False, "received_ms": 1, "revision": 1}
    stated = {"camera": "north", "kind": "k", "severity": "info", "clock_state": "ntp", "start_ms": 1}
    of_rule = {"rule_id": "r", "rule_kind": "zone", "first_received_ms": 1}
    keys: list[dict[str, object]] = [{"event_id": event, "box_id": number} for event, number in events]
    filled(
        place,
        {
            "box": [box | {"id": number, "device": f"x-{number}"} for number in (1, 2)],
            "stream": [{"id": 1, "box_id": 1, "name": "s-1", "first_seen_ms": 1, "unnumbered": 0}],
            "event": [key | shared | stated | of_rule for key in keys],
            "event_revision": [
                key | shared | {"stream_id": 1, "seq": seq, "digest": "d", "body": str(seq)}
                for seq, key in enumerate(keys)
            ],
            "blob": [{"sha256": "a", "size_bytes": 1, "received_ms": 1}],
            "picture": [
                key | {"kind": "scene", "sha256": "a", "camera": "north", "received_ms": 1} for key in keys
            ],
        },
    )
    looks_on = engine_of(place.url, writes=False)
    of_both = "select box_id from event where event_id = 'e-2' order by box_id"
    with looks_on.connect() as connection:
        assert connection.execute(text(of_both)).all() == [(1,), (2,)]

    with closing(place.open()):
        for seq, (event, number) in enumerate(events):
            here = f"where event_id = '{event}' and box_id = {number}"
            assert place.rows(f"select body from event_revision {here}") == [(str(seq),)]
            assert place.rows(f"select camera from event {here}") == [("north",)]
            assert place.rows(f"select sha256 from picture {here}") == [("a",)]
        with pytest.raises(SQLAlchemyError):
            filled(place, {"event": [keys[0] | shared | stated | of_rule]})
        if place.url.drivername == "sqlite":
            assert place.rows("pragma integrity_check") == [("ok",)]
            assert place.rows("pragma foreign_key_check") == []
    with looks_on.connect() as connection:  # it had the file open, and has read the schema again
        assert connection.execute(text(of_both)).all() == [(1,), (2,)]
    looks_on.dispose()


def test_pictures_of_before_say_when_their_file_came_and_hold_it(place: Place) -> None:
    at_version(place, "0022")
    box = {"commune": "hai", "first_seen_ms": 1, "last_seen_ms": 2}
    shown = {"box_id": 1, "kind": "scene", "camera": "north"}
    filled(
        place,
        {
            "box": [box | {"id": 1, "device": "x-1"}],
            "blob": [{"sha256": sha, "size_bytes": 1, "received_ms": at} for sha, at in (("a", 10), ("b", 20))],
            "picture": [
                shown | {"event_id": event, "sha256": sha, "received_ms": at}
                for event, sha, at in (("e-1", "a", 10), ("e-2", "b", 20), ("e-3", "a", 30))
            ],
        },
    )

    with closing(place.open()):
        assert place.rows("select event_id, sha256, blob_received_ms from picture order by event_id") == [
            ("e-1", "a", 10), ("e-2", "b", 20), ("e-3", "a", 10)
        ]  # fmt: skip
        late = shown | {"event_id": "e-4", "sha256": "b", "received_ms": 40}
        for wrong in ({"blob_received_ms": 40}, {}):
            with pytest.raises(SQLAlchemyError):
                filled(place, {"picture": [late | wrong]})
        filled(place, {"picture": [late | {"blob_received_ms": 20}]})
        with pytest.raises(SQLAlchemyError):
            place.do("delete from blob where sha256 = 'b'")
        if place.url.drivername == "sqlite":
            assert place.rows("pragma integrity_check") == [("ok",)]
            assert place.rows("pragma foreign_key_check") == []


BODIES = {
    "whole": '{"object": {"riders": 2, "top_score": 0.8762, "entered_zones": ["gate", "lối đi"]}}',
    "bare": '{"object": {"top_score": 0.5}}',
    "nobody": '{"object": null}',
    "no-number": '{"object": {"top_score": 0.5}, "odd": NaN}',
    "nul": r'{"object": {"top_score": 0.5, "entered_zones": ["\u0000"]}}',
    "no-json": "{",
}


def test_events_of_before_get_riders_score_and_zones_from_their_newest_message(place: Place) -> None:
    at_version(place, "0009")
    rows: dict[str, list[dict[str, object]]] = {"event": [], "event_revision": []}
    long = "".join(chr(0x4E00 + 7919 * number % 20_000) for number in range(4096))
    for number, (name, body) in enumerate(BODIES.items()):
        shared = {
            "box_id": 1,
            "event_id": name,
            "phase": "end",
            "time_ms": 1,
            "replayed": False,
            "received_ms": 1,
        }
        stated = {"camera": "north", "kind": "zone_entered", "severity": "info", "clock_state": "ntp"}
        of_rule = {"rule_id": "r", "rule_kind": "zone", "label": long, "start_ms": 1, "first_received_ms": 1}
        rows["event"].append(shared | stated | of_rule | {"revision": 2})
        for revision, raw in ((1, '{"object": {"riders": 9}}'), (2, body)):
            came = {"stream_id": 1, "seq": 2 * number + revision, "digest": "d", "body": raw}
            rows["event_revision"].append(shared | came | {"revision": revision})
    seen = {"id": 1, "commune": "hai", "device": "x-1", "first_seen_ms": 1, "last_seen_ms": 2}
    begun = {"id": 1, "box_id": 1, "name": "s-1", "first_seen_ms": 1, "unnumbered": 0}
    filled(place, {"box": [seen], "stream": [begun]} | rows)

    with closing(place.open()):
        found = place.rows("select event_id, riders, top_score_permille, zones from event")
        assert place.rows("select distinct label from event") == [(long[:200],)]

    by_name = {name: words for name, *words in found}
    assert by_name["whole"] == [2, 876, ",gate,lối đi,"]
    assert by_name["bare"] == [0, 500, None]
    assert all(by_name[name] == [None, None, None] for name in ("nobody", "no-json", "no-number"))
    assert set(by_name) == set(BODIES)


def filled(place: Place, rows: dict[str, list[dict[str, object]]]) -> None:
    """Rows of tables, those first that others refer to."""
    engine = engine_of(place.url)
    try:
        with engine.begin() as connection:
            for name, these in rows.items():
                connection.execute(schema.metadata.tables[name].insert().values(these))
    finally:
        engine.dispose()


def test_a_newer_database_is_refused_and_left_as_it_is(place: Place) -> None:
    """Invariant 2."""
    with closing(place.open()) as store:
        store.commit(messages(1, 1))
    place.do("update alembic_version set version_num = '9999'")

    with pytest.raises(StoreError, match=r"was written by a newer station \(version 9999\)") as caught:
        place.open()

    assert "install the newer ngatu again" in caught.value.hint
    assert place.rows("select version_num from alembic_version") == [("9999",)]
    assert place.rows("select count(*) from message") == [(1,)]


def test_the_database_of_another_program_is_refused_and_left_as_it_is(place: Place) -> None:
    """Invariant 2."""
    place.do("create table recipe (name text)")

    with pytest.raises(StoreError, match="is the database of another program"):
        place.open()

    assert place.rows("select count(*) from recipe") == [(0,)]


def test_a_migration_that_breaks_off_leaves_nothing(place: Place) -> None:
    """Invariant 3: SQLite too takes back what a step has made."""
    at_version(place, "0001")
    place.do("create table gap (in_the_way text)")  # the second step makes `conflict` first, then this

    with pytest.raises(StoreError, match="gap"):
        place.open()

    assert place.rows("select version_num from alembic_version") == [("0001",)]
    with pytest.raises(SQLAlchemyError):
        place.rows("select * from conflict")
    place.do("drop table gap")
    with closing(place.open()):
        assert place.rows("select version_num from alembic_version") == [(versions()[0],)]


def test_every_commit_is_synced(place: Place) -> None:
    """Invariant 1: killing a process proves nothing about a power cut, so the switches are checked."""
    engine = engine_of(place.url)
    with engine.connect() as connection:
        if place.url.drivername == "sqlite":
            asked = ("synchronous", "journal_mode", "foreign_keys")
            assert [connection.scalar(text(f"pragma {name}")) for name in asked] == [2, "wal", 1]
        else:
            assert connection.scalar(text("show synchronous_commit")) == "on"
    engine.dispose()


def test_who_has_the_turn_keeps_writers_of_this_process_from_beginning(sqlite_place: Place) -> None:
    begun = threading.Event()
    engine = engine_of(sqlite_place.url)

    def write() -> None:
        with engine.begin():
            begun.set()

    with engine.begin():
        pass  # a reader makes no file
    writer = threading.Thread(target=write)
    reader = engine_of(sqlite_place.url, writes=False)
    with turn_of(sqlite_place.url):
        writer.start()
        with reader.connect() as connection, connection.begin():  # who reads does not wait
            assert not begun.is_set()
    writer.join(10.0)
    engine.dispose()
    reader.dispose()

    assert begun.is_set()


def test_a_state_folder_has_one_owner(tmp_path: Path) -> None:
    """Invariant 4."""
    refused = pytest.raises(StoreError, match="in use by another process")
    with claimed(tmp_path / "state"), refused, claimed(tmp_path / "state"):
        pass
    with claimed(tmp_path / "state"):
        assert (tmp_path / "state").stat().st_mode & 0o007 == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="Not a directory"), claimed(tmp_path / "file" / "state"):
        pass


def test_a_folder_may_have_an_odd_name(tmp_path: Path) -> None:
    folder = tmp_path / "100% of Hải Ninh? #1"
    folder.mkdir()
    url = URL.create("sqlite", database=str(folder / "station.db"))
    engine = engine_of(url)
    upgrade(engine)
    engine.dispose()
    reader = engine_of(url, writes=False)
    with reader.connect() as connection:
        assert database.version(connection) == versions()[0]
    reader.dispose()

    assert (folder / "station.db").is_file()
    assert shown(reader.url) == str(folder / "station.db")


def test_a_file_that_is_no_database_is_told_in_a_line(sqlite_place: Place) -> None:
    Path(str(sqlite_place.url.database)).write_bytes(b"no database, and long enough to be read as one" * 30)

    with pytest.raises(StoreError, match=r"station\.db: file is not a database") as caught:
        sqlite_place.open()
    assert "name another file" in caught.value.hint


def test_a_server_that_is_not_there_is_told_in_a_line() -> None:
    url = url_of(DatabaseSettings(url="postgresql://ngatu@127.0.0.1:1/ngatu"), Path("/nowhere"))

    with pytest.raises(StoreError, match="Connection refused") as caught:
        upgrade(engine_of(url))
    assert "is the database running" in caught.value.hint
    assert len(str(caught.value).splitlines()) == 2


def test_a_server_and_its_standby_are_both_asked_for_the_one_that_can_be_written(tmp_path: Path) -> None:
    address = "postgresql://ngatu@db-1:5001,db-2/province?target_session_attrs=read-write"

    engine = engine_of(url_of(DatabaseSettings(url=address), tmp_path))
    _, asked = engine.dialect.create_connect_args(engine.url)
    assert (asked["user"], asked["dbname"]) == ("ngatu", "province")
    assert (asked["host"], asked["port"]) == ("db-1,db-2", "5001,")
    assert asked["target_session_attrs"] == "read-write"


@pytest.mark.postgresql
def test_a_server_that_vanishes_without_a_word_is_noticed_after_ten_seconds(postgresql: URL) -> None:
    engine = engine_of(postgresql)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as line:
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 3
    engine.dispose()


def test_the_password_is_read_where_it_lies_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("swordfish\n")
    settings = DatabaseSettings(url="postgresql://ngatu@db.example/ngatu", password=Secret(file=secret))

    url = url_of(settings, tmp_path)

    assert (url.drivername, url.password) == ("postgresql+psycopg", "swordfish")
    assert "swordfish" not in shown(url)
    secret.unlink()
    with pytest.raises(StoreError, match="password cannot be read"):
        url_of(settings, tmp_path)


def test_without_an_address_it_is_a_file_in_the_state_folder(tmp_path: Path) -> None:
    assert shown(url_of(DatabaseSettings(), tmp_path)) == str(tmp_path / "station.db")


def test_an_error_of_the_disk_has_words() -> None:
    url = URL.create("sqlite", database="/x/s.db")
    error = in_words(OSError(28, "No space left on device", "/x/blob"), url)

    assert error.what == "/x/s.db: No space left on device: /x/blob"
    assert error.hint
    assert in_words(sqlite3.OperationalError("database or disk is full"), url).hint
