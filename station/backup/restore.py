"""Brings a backup back into an empty place: database, pictures, footage, then what the journal holds beyond.

A restore that was cut off goes on when it is asked for again; until it has ended no station starts there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from getpass import getuser
from itertools import pairwise
from pathlib import Path

from sqlalchemy import URL, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from agent.translatable import tr
from station.access.audit_entry import AT_THE_MACHINE, Actor
from station.access.audit_log import AuditLog
from station.audit.proof import StoreFinding, findings
from station.backup.database_copy import is_empty, put_database, sum_of
from station.backup.folder import (
    RESTORING,
    STORE_ID,
    BackupError,
    BackupFolder,
    BackupManifest,
    in_words,
    refuse_other_user,
    write_whole,
)
from station.backup.footage import CopiedFootage, altered, copy_footage
from station.backup.journal import begin_after
from station.backup.pictures import Copied, Progress, absent, copy_pictures
from station.backup.segments import Segment, SegmentEnd, holes, paths
from station.config import StationConfig
from station.footage.folder import FOOTAGE
from station.store.blobs import BLOBS
from station.store.database import StoreError, claimed, engine_of, shown, url_of, versions
from station.store.database import in_words as database_in_words
from station.store.pictures.rows import KeptPictures, forget_places
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.schema import blob, web_session
from station.store.store import Store


@dataclass(frozen=True, slots=True)
class Restored:
    """A store that was brought back."""

    manifest: BackupManifest
    pictures: Copied
    footage: CopiedFootage
    footage_altered: tuple[str, ...]
    """Requests whose package is not as it was judged any more."""
    journal_messages: int
    """Read from the journal; most of them the database had."""
    until_ms: int
    """Without `holes` all that was receipted is here: the journal's last batch, or the moment of the backup."""
    holes: tuple[str, ...]
    """Where something may be missing that was receipted, in words."""
    faults: tuple[StoreFinding, ...]
    """What `verify` found at the end."""

    @property
    def packages_missing(self) -> int:
        """Of footage: so many fewer than the backup had."""
        return max(0, self.manifest.packages - self.footage.packages)


def restore(config: StationConfig, path: Path, progress: Progress, which: str | None = None) -> Restored:
    """Bring back the latest backup of this folder, or the one that is named.

    Raises:
        BackupError: there is no whole backup, it was changed, it is another commune's or a newer version's, or
            the place is not empty.
        StoreError: the place cannot be written.
    """
    folder = BackupFolder(path)
    try:
        if config.state_dir.exists():
            refuse_other_user(config.state_dir)
        with claimed(config.state_dir):
            folder.refuse_neighbourhood(config)
            folder.identity()
            folder.refuse_links()
            manifest = folder.manifest(which)
            _refuse(config, folder, manifest)
            return _restore(config, folder, manifest, progress)
    except OSError as error:
        raise in_words(error, path) from error


def refuse_half(state_dir: Path) -> None:
    """A station does not start on what a restore has left half.

    Raises:
        StoreError: one began and did not come to its end.
    """
    if (state_dir / RESTORING).exists():
        raise StoreError(
            tr("{state_dir}: a restore was cut off here", state_dir=state_dir),
            tr("call `ngatu station restore` once more"),
        )


def _refuse(config: StationConfig, folder: BackupFolder, manifest: BackupManifest) -> None:
    """Before anything is written."""
    url = url_of(config.database, config.state_dir)
    if manifest.commune != config.commune:
        raise BackupError(
            tr("{path} is of the commune {commune}", path=folder.path, commune=manifest.commune),
            tr("name the right folder"),
        )
    if manifest.schema not in versions():
        raise BackupError(
            tr("{path} was made by a newer station ({schema})", path=folder.path, schema=manifest.schema),
            tr("install that ngatu"),
        )
    if (manifest.kind == "sqlite") != (url.drivername == "sqlite"):
        raise BackupError(
            tr("{path} is of {kind}", path=folder.path, kind=manifest.kind), tr("set database.url accordingly")
        )
    marker = config.state_dir / RESTORING
    if marker.exists():
        if json.loads(marker.read_bytes())["database"] != manifest.database_sha256:
            raise BackupError(
                tr("{state_dir} holds half of another restore", state_dir=config.state_dir),
                tr("empty it first"),
            )
    elif not _is_unused(config):
        raise BackupError(
            tr("{state_dir} or {url} is not empty", state_dir=config.state_dir, url=shown(url)),
            tr("restore into a new place"),
        )
    copy = folder.path / manifest.database
    if not copy.is_file() or sum_of(copy) != manifest.database_sha256:
        raise BackupError(
            tr("{copy} is missing, was changed or is damaged: its sha256 is not the manifest's", copy=copy),
            tr("restore another one with --which: {names}", names=", ".join(folder.names())),
        )


def _is_unused(config: StationConfig) -> bool:
    engine = engine_of(url_of(config.database, config.state_dir), writes=False)
    try:
        blobs = config.state_dir / BLOBS
        own = any(path.exists() for path in (config.state_dir / STORE_ID, config.state_dir / "station.db"))
        files = (each for folder in (blobs, config.state_dir / FOOTAGE) for each in folder.rglob("*"))
        return is_empty(engine) and not own and not any(each.is_file() for each in files)
    finally:
        engine.dispose()


def _restore(
    config: StationConfig, folder: BackupFolder, manifest: BackupManifest, progress: Progress
) -> Restored:
    state_dir, url = config.state_dir, url_of(config.database, config.state_dir)
    marker = {"database": manifest.database_sha256, "is_put": False}
    if (state_dir / RESTORING).exists():
        marker = json.loads((state_dir / RESTORING).read_bytes())
    if not marker["is_put"]:
        write_whole(state_dir / RESTORING, json.dumps(marker).encode())
        put_database(folder.path / manifest.database, url, progress)
        _forget_places(url)
        write_whole(state_dir / RESTORING, json.dumps(marker | {"is_put": True}).encode())
    engine = engine_of(url)
    try:
        copied = _pictures(engine, folder, state_dir, progress)
        footage = copy_footage(folder.footage, state_dir / FOOTAGE, progress, mode=0o640)  # before its pieces
        count, until_ms, ends = _replay(config, folder, progress)
        _close_console(engine, state_dir, manifest)
        faults = tuple(findings(engine, state_dir / BLOBS))
        footage_altered = tuple(altered(state_dir / FOOTAGE))
        kept = KeptPictures(engine, state_dir / BLOBS)
        copied.missing, copied.altered = (
            [name for name in names if not kept.has(name)]  # the journal had the others
            for names in (copied.missing, copied.altered)
        )
    finally:
        engine.dispose()
    found = tuple(_holes(manifest, ends))
    if ends:
        begin_after([end.head.run for end in ends], state_dir, joins=not found)
    write_whole(state_dir / STORE_ID, f"{manifest.store}\n".encode())
    (state_dir / RESTORING).unlink()
    until_ms = max(until_ms, manifest.made_ms)
    return Restored(manifest, copied, footage, footage_altered, count, until_ms, found, faults)


def _close_console(engine: Engine, state_dir: Path, manifest: BackupManifest) -> None:
    """Nobody is logged in by what lay in a backup, and the console's log says that it was brought back."""
    try:
        with engine.begin() as connection:
            connection.execute(web_session.delete())
    except SQLAlchemyError as error:
        raise database_in_words(error, engine.url) from error
    of = {"backup": manifest.database, "made_ms": manifest.made_ms}
    AuditLog(engine, state_dir).restored(Actor("", getuser(), "", AT_THE_MACHINE), of)


def _forget_places(url: URL) -> None:
    """The segments of then are not here: each picture that was backed up comes back as a file of its own."""
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            forget_places(connection)
    except SQLAlchemyError as error:
        raise database_in_words(error, url) from error
    finally:
        engine.dispose()


def _pictures(engine: Engine, folder: BackupFolder, state_dir: Path, progress: Progress) -> Copied:
    query = select(blob.c.sha256, blob.c.size_bytes).order_by(blob.c.sha256)
    try:
        with engine.connect() as connection, connection.begin():
            rows = [PicturePlace(row.sha256, row.size_bytes) for row in connection.execute(query)]
    except SQLAlchemyError as error:
        raise database_in_words(error, engine.url) from error
    wanted = list(absent(rows, state_dir / BLOBS))
    copied = copy_pictures(wanted, len(wanted), PictureShelf(folder.blobs), state_dir / BLOBS, progress)
    copied.there = len(rows) - len(wanted)
    return copied


class _Replayed:
    """The clock of a replay: what came then is kept as of then."""

    at_s = 0.0

    def __call__(self) -> float:
        return self.at_s or time.time()


def _replay(
    config: StationConfig, folder: BackupFolder, progress: Progress
) -> tuple[int, int, list[SegmentEnd]]:
    """How many messages, until when, and its files; what the database has already changes nothing."""
    files, clock, count, until_ms = paths(folder.journal), _Replayed(), 0, 0
    ends: list[SegmentEnd] = []
    store = Store(engine_of(url_of(config.database, config.state_dir)), config.state_dir, now=clock)
    with closing(store):
        for number, path in enumerate(files, 1):
            try:
                segment = Segment(path)
            except BackupError:
                if number < len(files):
                    raise
                break  # the last one was cut off before it held anything
            for at_ms, messages in segment.batches():
                clock.at_s, until_ms = at_ms / 1000, max(at_ms, until_ms)
                store.commit(messages)
                count += len(messages)
            ends.append(segment.end())
            progress("journal", number, len(files))
    return count, until_ms, ends


def _holes(manifest: BackupManifest, ends: list[SegmentEnd]) -> Iterator[str]:
    yield from holes(manifest.journal_first, [end.head for end in ends])
    needed = [end for end in ends if end.head.number >= manifest.journal_first]
    for end in needed:
        if end.is_changed:
            yield tr(
                "file {number} of the journal was changed or is damaged at byte {whole_bytes}",
                number=end.head.number,
                whole_bytes=end.whole_bytes,
            )
    for before, after in pairwise(needed):
        if (before.digest, before.whole_bytes) != (after.head.previous, after.head.previous_bytes):
            yield tr(
                "file {number} of the journal was cut or changed at byte {whole_bytes}",
                number=before.head.number,
                whole_bytes=before.whole_bytes,
            )
