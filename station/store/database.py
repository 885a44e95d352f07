"""The store's database: opened, brought up to date, and its errors put into words.

Invariants
1. A commit is on disk when it returns: WAL and `synchronous = full` in SQLite, `synchronous_commit = on` in
   PostgreSQL, and what refers to nothing is refused.
2. A database of a newer version, or of another program, is refused and left as it is.
3. A migration happens whole or not at all.
4. One service at a time owns a state folder.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from agent.errors import NgatuError, how_to_install
from agent.translatable import tr
from station.config import DatabaseSettings

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

BUSY_S = 10.0
"""How long a writer waits for another one, such as a backup."""
LOG_PAGES = 65_536
"""Of SQLite's log, 256 MiB, before a writer folds them into the file itself: wal/checkpoint.py does it long
before, beside the writers."""
_LOG_KEPT_BYTES = 256 * 2**20
"""What a log that a reader made longer is cut back to, when it is begun anew."""
_CACHE_KIB = 16_384
"""Of a writer: with SQLite's usual 2,000 a large batch had to write pages into the log before it was complete,
and once more at its end."""


class StoreError(NgatuError):
    """The station's store cannot be opened, read or written; nothing of what was to be kept is kept."""


def url_of(settings: DatabaseSettings, state_dir: Path) -> URL:
    """Where the database is, with its password.

    Raises:
        StoreError: the password is not where the configuration says.
    """
    if settings.url is None:
        return URL.create("sqlite", database=str(state_dir / "station.db"))
    url = _url(settings.url).set(drivername="postgresql+psycopg")
    if settings.password is None:
        return url
    try:
        return url.set(password=settings.password.read())
    except (OSError, KeyError) as error:
        raise StoreError(
            tr("the database's password cannot be read: {error}", error=error), tr("look at its place")
        ) from None


_NOTICES: dict[str, int] = {
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A server whose machine is gone without a word is noticed after ten seconds, where TCP by itself takes a
quarter of an hour. The names are libpq's (34.1.2); a socket in the file system needs none of it."""


def _url(address: str) -> URL:
    """An address as libpq reads it, which parts several servers with commas; SQLAlchemy wants a list."""
    parts = urlsplit(address)
    whose, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return make_url(address)
    return make_url(parts._replace(netloc=whose + at).geturl()).update_query_dict({"host": hosts.split(",")})


def engine_of(url: URL, *, writes: bool = True, settings: str = "") -> Engine:
    """An engine that keeps invariant 1; connects nowhere yet.

    `settings` are more for PostgreSQL, each as " -c NAME=VALUE".

    Raises:
        StoreError: the driver is not installed.
    """
    if url.drivername != "sqlite":
        options: dict[str, Any] = {
            "pool_pre_ping": True,  # a server that was restarted is found again
            # Invariant 1; and a look-up that takes milliseconds is not compiled for a second before.
            "connect_args": {
                "connect_timeout": 10,
                "options": f"-c synchronous_commit=on -c jit=off{settings}",
            }
            | _NOTICES,
        }
        try:
            return create_engine(url, **options)
        except ModuleNotFoundError as error:
            raise StoreError(
                tr("PostgreSQL needs the package {package}", package=error.name),
                how_to_install("station,postgresql"),
            ) from None
    # A reader must not make the file: it would belong to whoever looked first.
    place = f"file:{quote(url.database or '')}?mode={'rwc' if writes else 'rw'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(place, timeout=BUSY_S, uri=True, check_same_thread=False)

    engine = create_engine(url, creator=connect)
    begin = "begin immediate" if writes else "begin"  # a reader that becomes a writer would fail, not wait

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # Python's driver would begin when it thinks fit, and not before DDL
        try:
            connection.execute("pragma foreign_keys = on")
            if writes:
                connection.execute("pragma journal_mode = wal")
                connection.execute("pragma synchronous = full")  # invariant 1
                connection.execute(f"pragma wal_autocheckpoint = {LOG_PAGES:d}")
                connection.execute(f"pragma journal_size_limit = {_LOG_KEPT_BYTES:d}")
                connection.execute(f"pragma cache_size = -{_CACHE_KIB:d}")
        except sqlite3.Error:  # the pool forgets it as it is
            connection.close()
            raise

    turn = turn_of(url)

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        if writes:
            with turn:  # whoever has it waits for those that have begun, and is waited for by the others
                pass
        connection.exec_driver_sql(begin)

    return engine


@cache
def turn_of(url: URL) -> threading.Lock:
    """Keeps the writers of this process from beginning a transaction while somebody has it.

    SQLite looks now and then whether it may write, so whoever writes without a pause keeps all others out.
    """
    return threading.Lock()


def upgrade(engine: Engine, to: str = "head") -> tuple[str | None, str]:
    """Bring the tables up to date, or to an older version; gives back the version before and now.

    Raises:
        StoreError: invariant 2, or the database cannot be read or written.
    """
    try:
        with engine.begin() as connection:
            before = version(connection)
            if before == versions()[0] and to == "head":
                return before, before
            _step(connection, to)
            after = version(connection)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    assert after is not None
    return before, after


def _step(connection: Connection, to: str) -> None:
    """Take the steps that lead there.

    Raises:
        StoreError: there is no such version, or a step cannot be taken.
    """
    # Here: it is a tenth of what a program needs to start, and a store is brought up to date once.
    from alembic import command  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise in_words(error, connection.engine.url) from error


def version(connection: Connection) -> str | None:
    """The version of the tables; None for an empty database.

    Raises:
        StoreError: invariant 2.
    """
    where = shown(connection.engine.url)
    looked_at = inspect(connection)
    found: str | None = connection.scalar(text(_LAST)) if looked_at.has_table(_NOTED) else None
    if found is None:
        tables = set(looked_at.get_table_names())
        if tables == _WATCH:
            hint = tr("move it away, then take it over with `ngatu station import FILE`")
            raise StoreError(tr("{where} is the file of an earlier ngatu watch --store", where=where), hint)
        if tables - {_NOTED}:
            raise StoreError(
                tr("{where} is the database of another program", where=where),
                tr("name another one, or move it away"),
            )
        return None
    if found not in versions():
        raise StoreError(
            tr("{where} was written by a newer station (version {found})", where=where, found=found),
            tr("install the newer ngatu again, or restore a backup of before; the file was not changed"),
        )
    return found


def current_version(connection: Connection) -> str:
    """The version of the tables, where it is this station's own: for whoever reads beside the service.

    Raises:
        StoreError: it is another one.
    """
    found, own = version(connection), versions()[0]
    if found != own:
        where = shown(connection.engine.url)
        hint = tr("start the station once: it brings the store up to date")
        raise StoreError(
            tr("{where} has version {found}, not {own}", where=where, found=found or tr("none"), own=own), hint
        )
    return own


@cache
def versions() -> tuple[str, ...]:
    """Every version that this station knows, the newest first: its steps are named after them."""
    steps = (Path(__file__).parent / "migrations" / "versions").glob("v[0-9]*.py")
    return tuple(sorted((path.name[1:5] for path in steps), reverse=True))


def _config() -> AlembicConfig:
    from alembic.config import Config  # noqa: PLC0415 – as in `_step`

    config = Config()
    place = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", place.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def claimed(state_dir: Path) -> Iterator[None]:
    """Make the folder and own it for the length of a block (invariant 4).

    Raises:
        StoreError: the folder cannot be made or written, or another process owns it.
    """
    path = state_dir / "station.lock"
    try:
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise StoreError(
            tr("{path}: {reason}", path=path, reason=error.strerror),
            tr("make state_dir writable by the station's user"),
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                tr("{state_dir} is in use by another process", state_dir=state_dir),
                tr("stop the other station"),
            ) from None
        yield


def shown(url: URL) -> str:
    """What a person calls the database; never its password."""
    return str(url.database) if url.drivername == "sqlite" else url.render_as_string(hide_password=True)


_NOTED = "alembic_version"
_LAST = "select version_num from alembic_version"
"""Where Alembic notes which step was taken last."""
_WATCH = {"event", "received", "picture"}
"""Tables of station/logbook.py."""
_HINTS = {
    sqlite3.SQLITE_FULL: tr(
        "the disk is full: free some space; the boxes keep what they have and send it again"
    ),
    sqlite3.SQLITE_READONLY: tr(
        "make the file and its folder writable by the station's user; to look only, be that user "
        "(sudo -u ngatu-station)"
    ),
    sqlite3.SQLITE_CANTOPEN: tr(
        "make the folder and the file readable and writable by the station's user; to look only, be "
        "that user (sudo -u ngatu-station)"
    ),
    sqlite3.SQLITE_NOTADB: tr("it is no database: name another file, or move it away"),
    sqlite3.SQLITE_CORRUPT: tr("the file is damaged: stop the station, restore a backup; boxes send the rest"),
    sqlite3.SQLITE_BUSY: tr("another program holds the file; end it"),
    sqlite3.SQLITE_IOERR: tr("look at the disk's health"),
}


def in_words(error: Exception, url: URL) -> StoreError:
    """The error of a driver or of a disk as one of ours; the statement and its values are left out."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = " ".join(str(origin).split())[:300]
    if isinstance(origin, sqlite3.Error):
        code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
        hint = _HINTS.get(code, tr("look at the disk: full, read-only, or dying?"))
    elif isinstance(origin, OSError):
        text = f"{origin.strerror or type(origin).__name__}" + (
            f": {origin.filename}" if origin.filename else ""
        )
        hint = tr("look at the disk: full, read-only, or dying?")
    else:
        hint = tr("is the database running, and may the station use it?")
    return StoreError(f"{shown(url)}: {text}", hint)
