"""Tries each part that a station's configuration names, and changes none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from agent.errors import BrokerUnreachable, NgatuError
from agent.printable import printable
from agent.settings.misread import doubted, doubts
from agent.translatable import joined, tr
from agent.transport.client import connect
from agent.transport.errors import HungUp, VersionRefused
from agent.transport.settings import Version
from agent.wire.words import named
from station.audit.picture_scan import missing_pictures
from station.backup.due import state_of
from station.backup.folder import STORE_ID
from station.config import StationConfig, warnings
from station.ingest.alarms import AlarmKind
from station.store.alarms import StandingAlarm, standing
from station.store.blobs import BLOBS
from station.store.database import StoreError, engine_of, in_words, shown, url_of, version, versions
from station.web.readiness import screen_findings
from station.words import ALARMS

Finding = tuple[str, str, str]
"""Part, what was found, and the verdict: ok, warning or failed."""


def doubtful(file: Path) -> Iterator[Finding]:
    """What the file says that was hardly meant so: texts that are cut by a #, or garbled."""
    for doubt in doubts(file.read_bytes(), StationConfig):
        yield "config", joined("\n", doubted(doubt, str(file))), "warning"


def findings(config: StationConfig) -> Iterator[Finding]:
    """One for each part; of the screen one for each thing that it needs."""
    yield "config", tr("commune {commune}", commune=config.commune), "ok"
    for warning in warnings(config):
        yield "config", warning, "warning"
    parts = ("state_dir", _folder), ("database", _database), ("pictures", _pictures), ("broker", _broker)
    yield from _backup(config)
    for part, look in parts:
        try:
            yield part, look(config), "ok"
        except NgatuError as error:
            yield part, joined("\n", filter(None, (error.what, error.hint))), "failed"
    for what, verdict in screen_findings(config):
        yield "web", what, verdict
    for each in _alarms(config):
        kind = named(ALARMS, each.kind)
        who = joined(" ", (kind, each.box)) if each.box else kind
        what = tr("{who}: {meaning}; {detail}", who=who, meaning=each.meaning, detail=each.detail)
        yield "alarm", printable(what), "warning"


def _folder(config: StationConfig) -> str:
    folder = config.state_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(
            tr("{folder}: not a folder that this user may write", folder=folder),
            tr("owner and mode of state_dir"),
        )
    return (
        str(config.state_dir)
        if folder == config.state_dir
        else tr("{state_dir} will be made", state_dir=config.state_dir)
    )


def _database(config: StationConfig) -> str:
    url = url_of(config.database, config.state_dir)
    if url.drivername == "sqlite" and not (config.state_dir / "station.db").exists():
        return tr("{url} will be made", url=shown(url))
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
        return tr("{url}\nversion {found}", url=shown(url), found=found)
    return tr(
        "{url}\nversion {found}: will be brought to {newest}",
        url=shown(url),
        found=found or tr("none"),
        newest=newest,
    )


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
        return tr("none yet")
    engine = engine_of(url, writes=False)
    try:
        with engine.connect() as connection, connection.begin():
            if version(connection) != versions()[0]:
                return tr("not looked at: the database is of another version")
            missing = missing_pictures(connection, config.state_dir / BLOBS)
            alarms = [each for each in standing(connection) if each.kind == AlarmKind.PICTURES_MISSING]
    except (SQLAlchemyError, OSError) as error:
        raise in_words(error, url) from error
    finally:
        engine.dispose()
    if missing.count:
        since = (
            tr("since {moment}", moment=_moment(alarms[0].opened_ms))
            if alarms
            else tr("the station has not noticed yet")
        )
        hint = tr(
            "look at {folder} and its disk; bring them back from a backup if there is one",
            folder=config.state_dir / BLOBS,
        )
        raise StoreError(printable(joined("; ", (str(missing), since))), hint)
    return tr("all {named} that the database names are there", named=missing.named)


def _backup(config: StationConfig) -> Iterator[Finding]:
    """How the latest backup stands, where one is set up."""
    if config.backup.folder is None or not (config.state_dir / STORE_ID).exists():
        return
    try:
        shown, wrong = state_of(config.backup, config.state_dir, time.time())
    except NgatuError as error:
        yield "backup", joined("\n", filter(None, (error.what, error.hint))), "failed"
    else:
        yield "backup", joined("; ", (shown, wrong)) if wrong else shown, "warning" if wrong else "ok"


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
        return tr("{where} accepts the station", where=settings.where)
    raise BrokerUnreachable(
        tr("{where} hung up before it answered", where=settings.where), tr("is it an MQTT broker?")
    )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(" ", "minutes")
