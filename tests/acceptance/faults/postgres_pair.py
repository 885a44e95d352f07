"""PostgreSQL with a synchronous standby: the first may be killed, and the second then takes its place.

What the first has committed lies on the second's disk before anybody is told; so nothing is lost with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError

from tests.acceptance.faults.suite import Broken, NotTried
from tests.support.brokers import free_port
from tests.support.stores import program

USER: Final = "ngatu"
DATABASE: Final = "province"
START_S: Final = 120.0
"""Longer than a server takes to begin on a busy machine; no mark."""
SETTINGS: Final = """\
listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = 64MB
wal_keep_size = 64MB
"""


class PostgresServer:
    """One server in a folder of its own; it syncs as it does by itself."""

    def __init__(self, folder: Path, name: str) -> None:
        self.data, self.port, self.log = folder / name, free_port(), folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> URL:
        """As whom may do everything."""
        return URL.create("postgresql+psycopg", USER, host="127.0.0.1", port=self.port, database=DATABASE)

    def start(self) -> None:
        """Run it; back when it answers."""
        words = [_found("postgres"), "-D", str(self.data), "-p", str(self.port), "-k", ""]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, cwd="/", start_new_session=True, **_somebody()
            )
        until_true(lambda: self.rows("select 1", "postgres") == [(1,)], f"{self.data.name} answers")

    def rows(self, query: str, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """What it answers."""
        engine = create_engine(self.url.set(database=database), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                found = connection.execute(text(query))
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            engine.dispose()

    def promote(self) -> None:
        """Make the standby the one that is written."""
        words = [_found("pg_ctl"), "promote", "-w", "-D", str(self.data)]
        subprocess.run(words, check=True, capture_output=True, cwd="/", **_somebody())

    def kill(self) -> None:
        """As a power cut would: the server with all its processes."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
            self.process = None


class PostgresPair:
    """A server and its standby."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer) -> None:
        self.primary, self.standby = primary, standby

    @property
    def address(self) -> str:
        """As a configuration names both."""
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in (self.primary, self.standby))
        return f"postgresql://{USER}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    def wait_no_more(self) -> None:
        """Have the first commit without the second, which stands still from now on."""
        self.primary.rows("alter system set synchronous_standby_names = ''")
        self.primary.rows("select pg_reload_conf()")
        self.standby.rows("alter system set primary_conninfo = ''", "postgres")
        self.standby.rows("select pg_reload_conf()", "postgres")

    def fail_over(self) -> None:
        """Kill the first, and have the second take its place."""
        self.primary.kill()
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary


@contextmanager
def postgres_pair() -> Iterator[PostgresPair]:
    """Both at work, the second in step with the first.

    Raises:
        NotTried: PostgreSQL is not installed.
    """
    if any(program(name) is None for name in ("initdb", "postgres", "pg_basebackup", "pg_ctl")):
        raise NotTried("PostgreSQL is not here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="ngatu-pair-"))
    if os.getuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    pair = PostgresPair(PostgresServer(folder, "first"), PostgresServer(folder, "second"))
    try:
        _begin(pair)
        yield pair
    finally:
        pair.primary.kill()
        pair.standby.kill()
        shutil.rmtree(folder)


def _begin(pair: PostgresPair) -> None:
    first, second = pair.primary, pair.standby
    _done("initdb", "-D", str(first.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    with (first.data / "postgresql.conf").open("a", encoding="utf-8") as config:
        config.write(SETTINGS)
    first.start()
    first.rows(f"create database {DATABASE}", "postgres")
    source = f"host=127.0.0.1 port={first.port} user={USER} application_name=second"
    _done(
        "pg_basebackup", "-d", source, "-D", str(second.data), "-R", "-X", "stream", "-c", "fast", "--no-sync"
    )
    second.start()
    # Here and not in the file that the second has a copy of: once it is alone it waits for nobody.
    first.rows("alter system set synchronous_standby_names = 'second'")
    first.rows("select pg_reload_conf()")
    query = "select sync_state from pg_stat_replication"
    until_true(lambda: first.rows(query) == [("sync",)], "the standby is in step")


def until_true(condition: Any, what: str) -> None:
    """Wait for it; a server that does not answer yet is waited for, too.

    Raises:
        Broken: it does not come true.
    """
    ends_s = time.monotonic() + START_S
    while time.monotonic() < ends_s:
        with suppress(OperationalError):
            if condition():
                return
        time.sleep(0.2)
    raise Broken(f"not within {START_S:.0f} s: {what}")


def _done(name: str, *words: str) -> None:
    done = subprocess.run(
        [_found(name), *words], capture_output=True, text=True, check=False, cwd="/", **_somebody()
    )
    if done.returncode:
        raise Broken(f"{name}: {done.stderr[-300:]}")


def _found(name: str) -> str:
    path = program(name)
    assert path is not None
    return path


def _somebody() -> dict[str, Any]:
    """It refuses to be root."""
    return {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
