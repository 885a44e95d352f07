"""The duty room's console over the province's database.

It is the console of a station, and no line of it is written twice: what boxes said it reads through views that
have the shape of a station's tables (console.sql), and what it writes itself (accounts, sessions, its log) lies
in tables of a station's store, brought up to date as that is.

Invariants
1. Nobody reads what a commune sent that is not open to him: the views give rows of the communes that the
   transaction names, and of none where it names none. Whatever a page asks for, it asks them.
2. The console writes nothing of what stations sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.walk.scan import go_by_index
from station.province.store import upgrade
from station.store.database import engine_of, in_words
from station.store.database import upgrade as upgrade_station

SEEN: Final = "seen"
"""Schema of the views."""
DUTY: Final = "duty"
"""Schema of what the console writes."""
ALL: Final = "*"
"""Every commune."""
HELD_BACK_MS: Final = 86_400_000
AWAY_MS: Final = 20 * 60_000
"""A station says how its boxes stand every ten minutes: who was silent for so long is away."""
_OPTION: Final = "communes"
_PATIENCE: Final = " -c statement_timeout=20s"
"""No look-up holds a connection for longer, whatever somebody asks for."""
_REACH: Final = text("select name, state, last_seen_ms, refused_ms from open_commune order by name")
_WITH_INFO: Final = text(
    "select distinct box.commune from box where exists (select from event where event.box_id = box.id "
    "and event.severity = 'info' and event.start_ms >= :since_ms and event.start_ms < :until_ms)"
)


@dataclass(frozen=True, slots=True)
class CommuneReach:
    """A commune, and when its station was heard."""

    name: str
    heard_ms: int
    """By the worker's clock."""
    is_away: bool
    """What has happened there since is not here."""
    held_back_ms: int | None = None
    """Within a day something of it was refused, for its quota was used up: the latest such moment."""


def prepare(url: URL) -> None:
    """Make what the console needs beside the worker's tables, and bring it up to date.

    Raises:
        StoreError: the database cannot be used, or is of another version.
    """
    engine = engine_of(url)
    views = files("station.province").joinpath("console.sql").read_text(encoding="utf-8")
    try:
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(7163375935662320)"))
            connection.execute(text(f"create schema if not exists {DUTY}"))
            connection.execute(text(f"create schema if not exists {SEEN}"))
            connection.execute(text(f"drop view if exists {SEEN}.open_commune cascade"))  # all stand on it
            connection.exec_driver_sql(views)
    except SQLAlchemyError as error:
        raise in_words(error, url) from error
    finally:
        engine.dispose()
    duty = writing(url)
    try:
        upgrade_station(duty)
    finally:
        duty.dispose()


def writing(url: URL) -> Engine:
    """For what the console writes."""
    return engine_of(url, settings=f" -c search_path={DUTY}")


def reading(url: URL) -> Engine:
    """For what it reads: nothing of any commune, until `opened_to` says of which."""
    engine = engine_of(url, writes=False, settings=f" -c search_path={SEEN},{DUTY}{_PATIENCE}")

    @event.listens_for(engine, "begin")
    def say_for_whom(connection: Connection) -> None:
        communes = connection.get_execution_options().get(_OPTION, "")
        connection.exec_driver_sql("select set_config('ngatu.communes', %s, true)", (communes,))

    return engine


def opened_to(engine: Engine, communes: str) -> Engine:
    """The same for somebody to whom these communes are open: names with spaces between, or ALL."""
    options: dict[str, Any] = {_OPTION: communes}
    return engine.execution_options(**options)


def reach(engine: Engine, now_ms: int) -> tuple[CommuneReach, ...]:
    """The communes that are open to whom an engine is, by name.

    Raises:
        StoreError: the database cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(_REACH).all()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return tuple(
        CommuneReach(
            row.name,
            row.last_seen_ms,
            row.state != "online" or now_ms - row.last_seen_ms > AWAY_MS,
            row.refused_ms if now_ms - (row.refused_ms or 0) < HELD_BACK_MS else None,
        )
        for row in rows
    )


def away_communes(engine: Engine, now_ms: int) -> frozenset[str]:
    """Those of them whose stations are not heard.

    Raises:
        StoreError: the database cannot be read.
    """
    return frozenset(each.name for each in reach(engine, now_ms) if each.is_away)


def with_info(engine: Engine, since_ms: int, until_ms: int) -> frozenset[str]:
    """Of which communes events of severity info are here that began within a time.

    Raises:
        StoreError: the database cannot be read.
    """
    asked = {"since_ms": since_ms, "until_ms": until_ms}
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            return frozenset(connection.scalars(_WITH_INFO, asked))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
