"""the role ngatu_province_database: of two real servers one is promoted, and the other one comes back"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from station.province.settings import ProvinceDatabase
from station.province.shard_lock import ShardLock
from station.province.store import upgrade
from station.store.database import engine_of, url_of
from tests.support.brokers import until
from tests.support.province_databases import (
    HOSTS,
    PASSWORD,
    REPLICA_PASSWORD,
    ROLE,
    DatabaseServer,
    Pair,
    slot,
)
from tests.support.stores import program

pytestmark = [pytest.mark.long, pytest.mark.postgresql, pytest.mark.timeout(1800)]
WORKER = ROLE.parent / "ngatu_province_worker" / "templates" / "province.yaml.j2"
SOON_S = 240.0
"""However busy the machine is."""


@pytest.fixture(autouse=True)
def _server() -> None:
    if program("pg_rewind") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("PostgreSQL is not here: apt install postgresql")


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two servers whose files and folders the user of the servers can reach."""
    with tempfile.TemporaryDirectory(prefix="ngatu-pair-") as folder:
        servers = Pair(Path(folder))
        try:
            yield servers
        finally:
            servers.end()


def worker_engine(pair: Pair, password: str = PASSWORD) -> Engine:
    """As a worker comes: by the address of its role's template."""
    words = WORKER.read_text()
    assert (
        "join('&host=')" in words
        and "target_session_attrs=read-write&sslmode=verify-full&sslrootcert=" in words
    )
    hosts = "&host=".join(f"{host}:{pair.port}" for host in HOSTS)
    settings = ProvinceDatabase(
        url=f"postgresql://ngatu@/province?host={hosts}&target_session_attrs=read-write"
        f"&sslmode=verify-full&sslrootcert={pair.ca}"
    )
    return engine_of(url_of(settings, Path()).set(password=password))


class Writer:
    """A worker's connection that commits one number after the other, and notes each whose commit returned."""

    def __init__(self, engine: Engine, begin: int) -> None:
        self.engine, self.committed, self._next = engine, list[int](), begin
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer-{begin}")
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self.engine.begin() as connection:
                    connection.execute(text("insert into number values (:n)"), {"n": self._next})
                self.committed.append(self._next)
            except SQLAlchemyError:  # not committed, as far as a worker knows
                self._stop.wait(0.2)
            self._next += 1

    def end(self) -> list[int]:
        self._stop.set()
        self._thread.join(SOON_S)
        assert not self._thread.is_alive()
        return self.committed


def numbers(server: DatabaseServer) -> set[int]:
    """What is there."""
    with psycopg.connect(server.dsn("province")) as connection:
        return {row[0] for row in connection.execute("select n from number")}


def test_a_promotion_loses_no_commit_and_the_old_primary_comes_back_as_a_standby(pair: Pair) -> None:
    first, second = pair.made().servers
    engine = worker_engine(pair)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("create table number (n integer primary key)"))
    writers = [Writer(engine, begin) for begin in (0, 1_000_000, 2_000_000)]
    until(lambda: all(len(each.committed) >= 50 for each in writers), SOON_S, "all write")

    first.kill()
    before = [len(each.committed) for each in writers]
    second.promote()
    until(
        lambda: all(len(each.committed) >= count + 20 for each, count in zip(writers, before, strict=True)),
        SOON_S,
        "all write to the other server, which nobody has told them",
    )
    committed = {number for each in writers for number in each.end()}
    assert committed <= numbers(second)

    # The old one is started by mistake, and has a row of its own: it waits for a standby that does not come.
    first.start()
    with psycopg.connect(first.dsn("province")) as alone:
        alone.execute("insert into number values (-1)")
        commit = threading.Thread(target=alone.commit)
        commit.start()
        waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
        until(lambda: first.asks(waits) == "1", SOON_S, "the commit waits")
        first.asks("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'")
        commit.join(SOON_S)  # it ends with a warning, and the row is there: so it must be undone
    assert -1 in numbers(first)
    first.stop()
    second.asks(slot())
    second.asks(first.words("rejoin.yml", "checkpoint")[-1])
    first.does("rejoin.yml", "pg_rewind")
    first.follows()
    first.start()
    pair.wait_for_standby(second)

    again = Writer(engine, 3_000_000)
    until(
        lambda: len(again.committed) >= 20,
        SOON_S,
        "it writes, and the old primary has it before it is a commit",
    )
    committed |= set(again.end())
    until(lambda: numbers(first) == numbers(second), SOON_S, "both have the same")
    assert committed <= numbers(first) and -1 not in numbers(first)
    assert first.asks("select pg_is_in_recovery()") == "True"
    engine.dispose()


def test_nothing_is_committed_while_the_standby_is_away_and_the_shard_stays_where_it_is(pair: Pair) -> None:
    _, second = pair.made().servers
    engine = worker_engine(pair)
    upgrade(engine)
    lock = ShardLock(engine, "s01")
    assert lock.take()
    lock.transact(lambda c: c.execute(text("create table number (n integer)")))
    second.kill()
    done = threading.Event()

    def commit() -> None:
        lock.transact(lambda c: c.execute(text("insert into number values (1)")))
        done.set()

    thread = threading.Thread(target=commit)
    thread.start()
    assert not done.wait(5), "a commit that the standby has not is none"
    second.start()
    assert done.wait(SOON_S), "it is one once the standby has it"
    thread.join()
    assert lock.held
    lock.release()
    engine.dispose()


def test_only_who_has_the_password_comes_over_tls_and_nobody_in_the_clear(pair: Pair) -> None:
    first, _ = pair.servers
    first.make()
    first.start()
    first.tells(first.template("roles.sql.j2"))
    first.tells(first.template("roles.sql.j2"))  # a second run changes nothing
    place = f"host={first.host} port={pair.port} dbname=province user=ngatu sslrootcert={pair.ca}"

    with psycopg.connect(f"{place} password={PASSWORD} sslmode=verify-full") as connection:
        assert connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (
            True,
        )
    for words in (
        f"{place} password={PASSWORD} sslmode=disable",
        f"{place} password=a-wrong-password-1 sslmode=verify-full",
        f"{place} password={PASSWORD} sslmode=verify-full".replace("dbname=province", "dbname=postgres"),
        f"{place} password={REPLICA_PASSWORD} sslmode=verify-full".replace("user=ngatu", "user=ngatu_replica"),
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(words)
    assert PASSWORD not in first.log.read_text()
    mistakes = "select count(*) from pg_file_settings where error is not null"
    assert first.asks(mistakes) == first.asks(mistakes.replace("file_settings", "hba_file_rules")) == "0"


def test_the_commands_of_the_role_name_no_password() -> None:
    """A password in an argument can be read in the list of processes."""
    for path in (ROLE / "tasks").glob("*.yml"):
        for task in yaml.safe_load(path.read_text()):
            argv = task.get("ansible.builtin.command", {}).get("argv", [])
            assert "password" not in " ".join(map(str, argv)), (path.name, task["name"])
