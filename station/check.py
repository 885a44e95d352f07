"""Tries each part that a station's configuration names, and changes none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from agent.errors import BrokerUnreachable, NgatuError
from agent.printable import printable
from agent.transport.client import connect
from agent.transport.errors import HungUp, VersionRefused
from agent.transport.settings import Version
from station.audit.picture_scan import missing_pictures
from station.backup.due import state_of
from station.backup.folder import STORE_ID
from station.config import StationConfig, warnings
from station.ingest.alarms import AlarmKind
from station.store.alarms import StandingAlarm, standing
from station.store.blobs import BLOBS
from station.store.database import StoreError, engine_of, in_words, shown, url_of, version, versions

Finding = tuple[str, str, str]
"""Part, what was found, and the verdict: ok, warning or failed."""


def findings(config: StationConfig) -> Iterator[Finding]:
    """One for each part."""
    yield "config", f"commune {config.commune}", "ok"
    for warning in warnings(config):
        yield "config", warning, "warning"
    parts = ("state_dir", _folder), ("database", _database), ("pictures", _pictures), ("broker", _broker)
    yield from _backup(config)
    for part, look in parts:
        try:
            yield part, look(config), "ok"
        except NgatuError as error:
            yield part, f"{error.what}\n{error.hint}".strip(), "failed"
    for each in _alarms(config):
        who = f" {each.box}" if each.box else ""
        yield "alarm", printable(f"{each.kind}{who}: {each.meaning}; {each.detail}"), "warning"


def _folder(config: StationConfig) -> str:
    folder = config.state_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"{folder}: not a folder that this user may write", "owner and mode of state_dir")
    return str(config.state_dir) if folder == config.state_dir else f"{config.state_dir} will be made"


def _database(config: StationConfig) -> str:
    url = url_of(config.database, config.state_dir)
    if url.drivername == "sqlite" and not (config.state_dir / "station.db").exists():
        return f"{shown(url)} will be made"
    engine = engine_of(url, writes=False)
    try:
        with engine.connect() as connection, connection.begin():
            found = version(connection)
    except SQLAlchemyError as error:
        raise in_words(error, url) from error
    finally:
        engine.dispose()
    newest = versions()[0]
    if found == newest:
        return f"{shown(url)}, version {found}"
    return f"{shown(url)}, version {found or 'none'}: will be brought to {newest}"


def _alarms(config: StationConfig) -> tuple[StandingAlarm, ...]:
    """Of a store that this version can read; what is wrong with it `_database` has told."""
    url = url_of(config.database, config.state_dir)
    if url.drivername == "sqlite" and not (config.state_dir / "station.db").exists():
        return ()
    engine = engine_of(url, writes=False)
    try:
        with engine.connect() as connection, connection.begin():
            return standing(connection) if version(connection) == versions()[0] else ()
    except (SQLAlchemyError, NgatuError):
        return ()
    finally:
        engine.dispose()


def _pictures(config: StationConfig) -> str:
    """Whether each picture that the database names lies on the disk: names only, so seconds for a million."""
    url = url_of(config.database, config.state_dir)
    if url.drivername == "sqlite" and not (config.state_dir / "station.db").exists():
        return "none yet"
    engine = engine_of(url, writes=False)
    try:
        with engine.connect() as connection, connection.begin():
            if version(connection) != versions()[0]:
                return "not looked at: the database is of another version"
            missing = missing_pictures(connection, config.state_dir / BLOBS)
            alarms = [each for each in standing(connection) if each.kind == AlarmKind.PICTURES_MISSING]
    except (SQLAlchemyError, OSError) as error:
        raise in_words(error, url) from error
    finally:
        engine.dispose()
    if missing.count:
        since = f"since {_moment(alarms[0].opened_ms)}" if alarms else "the station has not noticed yet"
        hint = f"look at {config.state_dir / BLOBS} and its disk; bring them back from a backup if there is one"
        raise StoreError(printable(f"{missing}; {since}"), hint)
    return f"all {missing.named} that the database names are there"


def _backup(config: StationConfig) -> Iterator[Finding]:
    """How the latest backup stands, where one is set up."""
    if config.backup.folder is None or not (config.state_dir / STORE_ID).exists():
        return
    try:
        shown, wrong = state_of(config.backup, config.state_dir, time.time())
    except NgatuError as error:
        yield "backup", f"{error.what}\n{error.hint}".strip(), "failed"
    else:
        yield "backup", f"{shown}; {wrong}" if wrong else shown, "warning" if wrong else "ok"


def _broker(config: StationConfig) -> str:
    settings = config.subscriber(receipts=False)
    versions: tuple[Version, ...] = ("5", "3.1.1")
    for protocol in versions:
        try:
            client = connect(settings, settings.mqtt_id, protocol)
        except (HungUp, VersionRefused):
            continue
        client.disconnect()
        client.loop(0.1)
        return f"{settings.where} accepts the station"
    raise BrokerUnreachable(f"{settings.where} hung up before it answered", "is it an MQTT broker?")


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(" ", "minutes")
