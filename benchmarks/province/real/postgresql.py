"""A PostgreSQL that syncs, as a province's does; the tests' own leaves that out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError

from benchmarks.cost.cpu import seconds
from tests.support.brokers import free_port, until


@dataclass(frozen=True, slots=True)
class SyncingServer:
    """It, and what it spends."""

    url: URL
    process_id: int

    def cpu_s(self) -> float:
        """Of all its processes that live now, and of those that it has seen end."""
        server = psutil.Process(self.process_id)
        while True:
            ended = server.cpu_times()
            try:
                living = sum(seconds(each.pid) for each in server.children())
            except OSError:  # one has ended since it was named: its time is the server's in the next moment
                continue
            return living + ended.children_user + ended.children_system

    def logged_bytes(self) -> int:
        """How far its log of changes is."""
        return self._asked("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")

    def kept_bytes(self) -> int:
        """What its database takes."""
        return self._asked("select pg_database_size(current_database())")

    @contextmanager
    def database(self) -> Iterator[URL]:
        """Another one, empty, for as long as it is wanted."""
        name = f"of_its_own_{uuid4().hex}"
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(f"create database {name}"))
                yield self.url.set(database=name)
                connection.execute(text(f"drop database {name} with (force)"))
        finally:
            engine.dispose()

    def _asked(self, query: str) -> int:
        engine = create_engine(self.url)
        try:
            with engine.connect() as connection:
                return int(connection.scalar(text(query)))
        finally:
            engine.dispose()


def programs() -> tuple[str, str] | None:
    """`initdb` and `postgres`; None: PostgreSQL is not here."""
    places = os.pathsep.join(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
    found = [shutil.which(name) or shutil.which(name, path=places) for name in ("initdb", "postgres")]
    return (found[0], found[1]) if found[0] and found[1] else None


@contextmanager
def syncing_server() -> Iterator[SyncingServer | None]:
    """A server of its own on loopback, with its defaults; None where there is none."""
    found = programs()
    if found is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="ngatu-province-"))
    user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}  # it refuses to be root
    if user:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", free_port()
    make = [found[0], "-D", str(data), "-U", "ngatu", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(make, check=True, capture_output=True, cwd="/", **user)
    serve = [found[1], "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
    process = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    url = URL.create("postgresql+psycopg", "ngatu", host="127.0.0.1", port=port, database="postgres")
    try:
        until(lambda: _answers(url), 60, "PostgreSQL answers")
        yield SyncingServer(url, process.pid)
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait(20)
        shutil.rmtree(folder)


def _answers(url: URL) -> bool:
    engine = create_engine(url)
    try:
        with engine.connect():
            return True
    except OperationalError:
        return False
    finally:
        engine.dispose()
