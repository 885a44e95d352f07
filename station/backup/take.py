"""Makes a backup while the station works: the database as it is at one moment, and the pictures that it names.

1. Of a journal, which file is open now: all that lies in those before it is committed, so in the database.
2. The database is copied as it is at one moment.
3. The pictures that it names, and that the folder lacks, are copied; then requests for footage and packages.
4. The manifest is written. Only then the copies and files of the journal go that are no longer needed.

Whatever cuts it off leaves the backup before it as it was, and what was copied so far is not copied again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from agent.translatable import tr
from station.backup.database_copy import copy_database, moment, sum_of
from station.backup.folder import BackupError, BackupFolder, BackupManifest, in_words
from station.backup.footage import CopiedFootage, copy_footage, lacking_bytes
from station.backup.pictures import Copied, Progress, absent, copy_pictures
from station.backup.segments import heads, paths
from station.config import StationConfig
from station.footage.folder import FOOTAGE
from station.store.blobs import BLOBS, removal_turn
from station.store.database import StoreError, engine_of, shown, url_of, version, versions
from station.store.pictures.rows import PLACE
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.schema import blob

_ROOM = 1.05
"""Of what is to be copied; the rest is for folders and for what comes meanwhile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was made."""

    manifest: BackupManifest
    pictures: Copied
    footage: CopiedFootage
    is_beside: bool
    """It lies on the disk of the store, which takes both when it dies."""


def take(config: StationConfig, path: Path, progress: Progress, now: Callable[[], float] = time.time) -> Taken:
    """Make a backup in this folder.

    Raises:
        BackupError: the folder is another store's, in use, full, or cannot be written.
        StoreError: the store cannot be read, or there is none.
    """
    folder, url = BackupFolder(path), url_of(config.database, config.state_dir)
    if url.drivername == "sqlite" and not Path(str(url.database)).exists():
        raise StoreError(tr("{url} is not there", url=shown(url)), tr("is this the right configuration?"))
    engine = engine_of(url, writes=False)
    try:
        with folder.claimed(config) as own, removal_turn(config.state_dir, shared=True):
            first = _open_file(folder)  # 1, before the moment
            with moment(engine) as connection:
                made_ms = round(now() * 1000)
                schema = _schema(connection)
                copy = _copy_database(folder, connection, made_ms, progress)
                pictures = _copy_pictures(connection, config.state_dir / BLOBS, folder, progress)
                named = connection.scalar(select(func.count()).select_from(blob)) or 0
            footage = _copy_footage(config.state_dir / FOOTAGE, folder, progress)
            manifest = BackupManifest(
                store=own,
                commune=config.commune,
                station=config.name,
                made_ms=made_ms,
                schema=schema,
                kind="sqlite" if url.drivername == "sqlite" else "postgresql",
                database=str(copy.relative_to(path)),
                database_bytes=copy.stat().st_size,
                database_sha256=sum_of(copy),
                pictures=named,
                pictures_missing=len(pictures.missing) + len(pictures.altered),
                packages=footage.packages,
                journal_first=first,
            )
            folder.write(manifest)
            _clear(folder, first)
            is_beside = path.stat().st_dev == config.state_dir.stat().st_dev
            return Taken(manifest, pictures, footage, is_beside)
    except OSError as error:
        raise in_words(error, path) from error
    finally:
        engine.dispose()


def _schema(connection: Connection) -> str:
    found = version(connection)
    if found != versions()[0]:
        hint = tr("start the station once: it brings the store up to date")
        raise StoreError(
            tr("the store has version {found}, not {known}", found=found or tr("none"), known=versions()[0]),
            hint,
        )
    return found


def _open_file(folder: BackupFolder) -> int:
    """Number of the journal's newest file; 0: nothing is written there."""
    found = heads(folder.journal)
    return found[-1].number if found else 0


def _copy_database(folder: BackupFolder, connection: Connection, made_ms: int, progress: Progress) -> Path:
    names = folder.names()
    for path in list(folder.database.iterdir()):
        if path.name.partition(".")[0] not in names:  # a backup that was cut off
            path.unlink()
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        pages, size = (
            connection.exec_driver_sql(f"pragma {word}").scalar_one() for word in ("page_count", "page_size")
        )
        _refuse_full(folder, pages * size)
    copy = folder.database / f"{folder.next_name(made_ms)}.{'db' if is_sqlite else 'dump'}"
    copy_database(connection, copy, progress)
    return copy


def _copy_pictures(connection: Connection, source: Path, folder: BackupFolder, progress: Progress) -> Copied:
    """A first reading of names says how much there is to be copied, a second one copies it."""
    count = size_bytes = 0
    for place in absent(_named(connection), folder.blobs):
        count, size_bytes = count + 1, size_bytes + place.size_bytes
    _refuse_full(folder, size_bytes)
    wanted = absent(_named(connection), folder.blobs)
    copied = copy_pictures(wanted, count, PictureShelf(source), folder.blobs, progress)
    copied.there = (connection.scalar(select(func.count()).select_from(blob)) or 0) - count
    return copied


def _copy_footage(source: Path, folder: BackupFolder, progress: Progress) -> CopiedFootage:
    _refuse_full(folder, lacking_bytes(source, folder.footage))
    return copy_footage(source, folder.footage, progress, live=True)


def _named(connection: Connection) -> Iterable[PicturePlace]:
    query = select(*PLACE).order_by(blob.c.sha256)
    rows = connection.execute(query.execution_options(yield_per=1_000))
    return (PicturePlace(*row) for row in rows)


def _refuse_full(folder: BackupFolder, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder.path).free
    if needed_bytes * _ROOM > free:
        sizes = tr(
            "{path}: {needed_mib:,.0f} MiB are to be copied, {free_mib:,.0f} MiB are free",
            path=folder.path,
            needed_mib=needed_bytes / 2**20,
            free_mib=free / 2**20,
        )
        raise BackupError(sizes, tr("free some space, or name another disk"))


def _clear(folder: BackupFolder, first: int) -> None:
    """What the journal held before the file that was open then is in the database that was copied."""
    for path in paths(folder.journal):
        if path.stem.isdigit() and int(path.stem) < first:
            path.unlink()
