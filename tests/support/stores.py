"""Stores for the tests: on real SQLite anywhere, and on a real PostgreSQL server where there is one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from station.config import QuotaSettings
from station.store.database import engine_of, upgrade
from station.store.store import Store
from tests.support.brokers import free_port, until


@dataclass
class Place:
    """Where a store is; it may be opened again and again."""

    url: URL
    folder: Path
    engines: list[Engine] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Also one that no fixture closes lets go: from 3.13 on Python complains of connections left open."""
        weakref.finalize(self, _let_go, self.engines)

    def open(
        self,
        gap_after_s: float = 60.0,
        now: Callable[[], float] = time.time,
        quota: QuotaSettings | None = None,
    ) -> Store:
        """What is not there yet is laid down with every step taken: hundreds of tests begin so."""
        if self.url.drivername != "sqlite":
            _lay_schema(self.url)
        elif not (path := Path(str(self.url.database))).exists():
            _lay(path)
        self.engines.append(engine_of(self.url))
        return Store(self.engines[-1], self.folder, gap_after_s, now, quota)

    @property
    def engine(self) -> Engine:
        """Of the store that was opened last."""
        return self.engines[-1]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another program reads."""
        engine = engine_of(self.url, writes=False)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def do(self, statement: str) -> None:
        """What another program changes."""
        engine = engine_of(self.url)
        try:
            with engine.begin() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    def close(self) -> None:
        _let_go(self.engines)


def _let_go(engines: list[Engine]) -> None:
    for engine in engines:
        engine.dispose()


@cache
def _stepped() -> bytes:
    """A file as a station leaves it that has just brought it up to date and kept nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "station.db"
        engine = engine_of(URL.create("sqlite", database=str(path)))
        upgrade(engine)
        engine.dispose()
        assert not path.with_name("station.db-wal").exists()
        return path.read_bytes()


def _lay(path: Path) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.write_bytes(_stepped())
        unfinished.rename(path)
    except OSError:  # a test of what a store says then
        with suppress(OSError):
            unfinished.unlink()


def _lay_schema(url: URL) -> None:
    """Only into an empty schema of a test's own: whatever else is there is for the store to judge."""
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            if connection.scalar(text(_IS_EMPTY)):
                stepped = _stepped_schema(url.set(username="ngatu"))
                connection.exec_driver_sql(stepped.replace(f"{_STEPPED}.", f"{url.username}."))
    except SQLAlchemyError:  # a test of what a store says then
        pass
    finally:
        engine.dispose()


_STEPPED = "stepped"
_IS_EMPTY = """
    select current_schema() = current_user and not exists (
        select from pg_class where relnamespace = current_schema()::regnamespace)
"""


@cache
def _stepped_schema(server: URL) -> str:
    """What a station leaves there that has just brought it up to date and kept nothing, in SQL."""
    url = new_database(server, _STEPPED)
    engine = engine_of(url)
    upgrade(engine)
    engine.dispose()
    return _dumped(url)


def _dumped(url: URL) -> str:
    """The tables of a user's schema and what is in them, as statements that make them anew."""
    dump = program("pg_dump")
    assert dump is not None
    place = ["--host", str(url.host), "--port", str(url.port), "--username", "ngatu", str(url.database)]
    done = subprocess.run(
        [dump, "--inserts", "--no-owner", "--schema", str(url.username), *place],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    # Without what pg_dump sets for its own session, and its words to psql.
    for_psql = ("--", "SET ", "SELECT pg_catalog.set_config", "CREATE SCHEMA ", "\\")
    return "\n".join(line for line in done.stdout.splitlines() if line and not line.startswith(for_psql))


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is: Debian puts most of them outside the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, places)))


@contextmanager
def postgresql_server() -> Iterator[URL]:
    """A server of its own on loopback, without syncs: what is tested here is the language, not the disk."""
    initdb, postgres = program("initdb"), program("postgres")
    if initdb is None or postgres is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("PostgreSQL is not here: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="ngatu-postgresql-"))
    user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}  # it refuses to be root
    if user:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", free_port()
    make = [initdb, "-D", str(data), "-U", "ngatu", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, cwd="/", **user)
    serve = [postgres, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
    process = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    url = URL.create("postgresql+psycopg", "ngatu", host="127.0.0.1", port=port, database="postgres")
    try:
        until(lambda: process.poll() is not None or _answers(url))
        yield url
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait(20)
        shutil.rmtree(folder)


def _answers(server: URL) -> bool:
    """Whether it takes connections; for a moment after its start it refuses them."""
    engine = create_engine(server)
    try:
        with engine.connect():
            return True
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def new_database(server: URL, name: str | None = None) -> URL:
    """An empty place on the server: a user with a schema of its own, which costs less than a database."""
    name = name or f"t{uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in (
                f"create role {name} login",
                f"create schema {name} authorization {name}",
                f"alter role {name} set search_path = {name}",
            ):
                connection.execute(text(statement))
    finally:
        engine.dispose()
    return server.set(username=name)
