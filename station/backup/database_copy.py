"""The database copied while the station works, as it was at one moment; and put into an empty place.

SQLite is copied page by page through its own backup interface, from within one read transaction: writers go on,
and what they write does not begin the copy anew. PostgreSQL is copied by `pg_dump` from a snapshot of its own.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import file_digest
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from agent.translatable import tr
from station.backup.folder import BackupError, sync_folder
from station.backup.pictures import Progress
from station.store.database import in_words, shown
from station.store.schema import blob

_PAGES = 2_000


@contextmanager
def moment(engine: Engine) -> Iterator[Connection]:
    """A connection that sees what one moment left, whatever the station writes meanwhile.

    Raises:
        StoreError: the database cannot be read.
    """
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                connection.execute(
                    select(func.count()).select_from(blob)
                )  # the moment is that of the first reading
                yield connection
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def copy_database(connection: Connection, target: Path, progress: Progress) -> None:
    """Copy what `moment` sees into a file that is on its disk afterwards.

    Raises:
        BackupError: the program that copies is missing or fails.
        OSError: the file cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        if connection.dialect.name == "postgresql":
            snapshot = connection.scalar(text("select pg_export_snapshot()"))
            words = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
            _run(connection.engine.url, "pg_dump", *words, f"--file={part}")
        else:
            _copy_sqlite(connection, part, progress)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def put_database(copy: Path, url: URL, progress: Progress) -> None:
    """Put a copy where `is_empty` is true.

    Raises:
        BackupError: the program that does it is missing or fails.
        OSError: the file cannot be written.
    """
    if url.drivername != "sqlite":
        _run(url, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", str(copy))
        return
    target = Path(str(url.database))
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(copy, part)
    part.chmod(0o640)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)
    progress("database", 1, 1)


def is_empty(engine: Engine) -> bool:
    """Whether no store is there.

    Raises:
        StoreError: the server does not answer.
    """
    if engine.url.drivername == "sqlite":
        return not Path(str(engine.url.database)).exists()
    try:
        return not inspect(engine).get_table_names()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def sum_of(path: Path) -> str:
    """sha256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _copy_sqlite(connection: Connection, part: Path, progress: Progress) -> None:
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    part.touch(mode=0o600)

    def tell(_status: int, remaining: int, total: int) -> None:
        progress("database", total - remaining, total)

    try:
        with closing(sqlite3.connect(part)) as target:
            source.backup(target, pages=_PAGES, progress=tell, sleep=0.0)
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        hint = tr("free some space, or name another disk") if full else tr("look at both disks")
        raise BackupError(
            tr("{parent}: the database cannot be copied: {error}", parent=part.parent, error=error), hint
        ) from error


def _run(url: URL, program: str, *words: str) -> None:
    """The password goes by the environment, which a list of processes does not show."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            tr("{program} is not here", program=program),
            tr("install PostgreSQL's programs: apt install postgresql-client"),
        )
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(  # noqa: S603
        [found, f"--dbname={plain}", *words], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[:300]
        raise BackupError(
            tr("{program} of {url}: {said}", program=program, url=shown(url), said=said),
            tr("is it of the server's version, or newer?"),
        )
