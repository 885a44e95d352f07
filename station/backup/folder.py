"""The folder of a backup: what lies in it, whose it is, and which copies in it are whole.

    backup.json             whose backup it is: made with the first one, never changed
    backup.lock             held by whoever makes a backup
    blobs/aa/bb/HASH        pictures, each once, as in the store
    footage/BOX/REQUEST/    requests for footage and their packages (footage.py)
    database/NAME.db        the database as it was (NAME.dump: of PostgreSQL)
    manifests/NAME.json     written last: a copy without it was cut off, and is none
    journal/NUMBER.journal  what was kept since (journal.py)

Invariants
1. A manifest has its name only when all that it names is on the disk.
2. What a manifest names stays until KEPT newer ones are there.
3. The folder belongs to one store: another one, a newly made one of the same name too, is refused.
4. Nothing behind a link is written or removed: who may write in the folder may else have us delete our store.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePath
from pwd import getpwuid
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import Field, TypeAdapter

from agent.errors import NgatuError
from agent.translatable import tr
from station.config import StationConfig
from station.store.blobs import INCOMING

FORMAT = 1
_NAME = re.compile(r"[0-9]{6}-[0-9]{8}T[0-9]{6}Z")
KEPT = 3
"""Copies of the database that stay."""
LATEST_MS = 7_258_118_400_000
"""The end of the year 2199: a later moment is of no station."""
STORE_ID = "store.id"
RESTORING = "restoring.json"
"""In a state folder: a restore has begun and has not come to its end."""


class BackupError(NgatuError):
    """A backup cannot be made or brought back."""


Moment = Annotated[int, Field(ge=0, le=LATEST_MS)]
Count = Annotated[int, Field(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What one backup holds."""

    store: str
    commune: str
    station: str
    made_ms: Moment
    """When the database was as it lies there."""
    schema: str
    """Version of its tables."""
    kind: Literal["sqlite", "postgresql"]
    database: Annotated[str, Field(pattern=r"^database/[0-9]{6}-[0-9TZ]+\.(db|dump)$")]
    """Path below the folder."""
    database_bytes: Count
    database_sha256: str
    pictures: Count
    pictures_missing: Count
    """Named by the database, and neither in the store nor here."""
    packages: Count = 0
    """Of footage."""
    journal_first: Count = 0
    """The first file of the journal that is needed beside it; 0: there was no journal."""
    format: int = FORMAT


_MANIFEST = TypeAdapter(BackupManifest)
_FIELDS = frozenset(each.name for each in dataclass_fields(BackupManifest))
_COPY = re.compile(r"[0-9]{6}-[0-9TZ]+\.(db|dump)(\.part.*)?")


def store_id(state_dir: Path) -> str:
    """What tells this store from all others; made when it is first asked for.

    Raises:
        OSError: it cannot be read or made.
    """
    path = state_dir / STORE_ID
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        fresh = state_dir / f"{STORE_ID}.{uuid4().hex}"
        write_whole(fresh, f"{uuid4().hex}\n".encode())
        try:
            os.link(fresh, path)  # whoever is first
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        sync_folder(state_dir)
        return path.read_text(encoding="ascii").strip()


def refuse_other_user(state_dir: Path) -> None:
    """What another user writes here, root above all, the station's user cannot read.

    Raises:
        BackupError: the state folder belongs to somebody else.
        OSError: it cannot be looked at.
    """
    owner = state_dir.stat().st_uid
    if owner != os.geteuid():
        try:
            name = getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise BackupError(
            tr("{state_dir} belongs to another user", state_dir=state_dir),
            tr("call it as that one: runuser -u {name} -- …", name=name),
        )


class BackupFolder:
    """One folder; makes nothing until it is claimed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blobs = path / "blobs"
        self.footage = path / "footage"
        self.database = path / "database"
        self.manifests = path / "manifests"
        self.journal = path / "journal"

    def refuse_neighbourhood(self, config: StationConfig) -> None:
        """A backup within the store, or around it, is none.

        Raises:
            BackupError: it is.
        """
        ours, theirs = self.path.resolve(), config.state_dir.resolve()
        if ours == theirs or ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
            raise BackupError(
                tr("{path} is the store's own folder, or in it, or around it", path=self.path),
                tr("another disk"),
            )

    def refuse_links(self) -> None:
        """Invariant 4.

        Raises:
            BackupError: one of the folders in it is a link.
        """
        ours = (self.blobs, self.blobs / INCOMING, self.footage, self.database, self.manifests, self.journal)
        for folder in ours:
            if folder.is_symlink():
                hint = tr(
                    "put the folder itself there; if none of yours made the link, look who may write there"
                )
                raise BackupError(tr("{folder} is a link to elsewhere", folder=folder), hint)

    @contextmanager
    def claimed(self, config: StationConfig) -> Iterator[str]:
        """Own the folder for a block; a new one becomes this store's. Gives the store's id.

        Raises:
            BackupError: it is not this store's, is in use, or cannot be written.
        """
        self.refuse_neighbourhood(config)
        try:
            refuse_other_user(config.state_dir)
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            own = store_id(config.state_dir)
            with self._locked():
                if not (self.path / "backup.json").exists():
                    self._begin(own, config)
                self.refuse_other(own)
                self.refuse_links()
                for folder in (self.blobs, self.footage, self.database, self.manifests, self.journal):
                    folder.mkdir(mode=0o700, exist_ok=True)
                yield own
        except OSError as error:
            raise in_words(error, self.path) from error

    def refuse_other(self, own: str) -> None:
        """Whether this folder is a backup of that store.

        Raises:
            BackupError: it is none, or of another store.
            OSError: it cannot be read.
        """
        found = self.identity()
        if found["store"] != own:
            raise BackupError(
                tr(
                    "{path} is the backup of another store: {commune}, station {station}",
                    path=self.path,
                    commune=found["commune"],
                    station=found["station"],
                ),
                tr("restore it if it is this station's of before, or name another folder"),
            )

    def identity(self) -> dict[str, Any]:
        """Whose backup it is.

        Raises:
            BackupError: there is none.
            OSError: it cannot be read.
        """
        try:
            found = json.loads((self.path / "backup.json").read_bytes())
            if found["format"] > FORMAT:
                raise BackupError(
                    tr("{path} was written by a newer ngatu", path=self.path), tr("install that one")
                )
            return {name: str(found[name]) for name in ("store", "commune", "station")}
        except FileNotFoundError:
            hint = tr("is its disk mounted? A new one begins with `ngatu station backup FOLDER`")
            raise BackupError(tr("{path} holds no backup", path=self.path), hint) from None
        except (ValueError, KeyError, TypeError):
            raise BackupError(
                tr("{path}/backup.json cannot be read as one", path=self.path), tr("is the disk whole?")
            ) from None

    def _begin(self, own: str, config: StationConfig) -> None:
        if any(entry.name not in ("backup.lock", "lost+found") for entry in self.path.iterdir()):
            raise BackupError(
                tr("{path} holds other files and no backup", path=self.path), tr("name an empty folder")
            )
        identity = {"format": FORMAT, "store": own, "commune": config.commune, "station": config.name}
        write_whole(self.path / "backup.json", json.dumps(identity, indent=1).encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.path / "backup.lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(
                    tr("{path}: another backup is being made", path=self.path), tr("wait for it")
                ) from None
            yield

    # ---------------------------------------------------------------------------------------- manifests

    def write(self, manifest: BackupManifest) -> None:
        """Invariant 1: all that it names is on the disk; then what is older than KEPT goes (invariant 2).

        Raises:
            OSError: it cannot be written.
        """
        fields = asdict(manifest)
        document = {"manifest": fields, "sha256": _sum(fields)}
        name = Path(manifest.database).stem
        write_whole(self.manifests / f"{name}.json", json.dumps(document, indent=1).encode())
        names = self.names()
        for old in names[:-KEPT]:
            (self.manifests / f"{old}.json").unlink()
        for copy in self.database.iterdir():
            if _COPY.fullmatch(copy.name) and copy.name.split(".")[0] not in names[-KEPT:]:
                copy.unlink()

    def next_name(self, made_ms: int) -> str:
        """After that of the latest, whatever the clock says: the names tell which backup is the newest."""
        names = self.names()
        number = int(names[-1].partition("-")[0]) + 1 if names else 1
        return f"{number:06d}-{datetime.fromtimestamp(made_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"

    def names(self) -> list[str]:
        """Of all manifests, the oldest first."""
        try:
            found = (path for path in self.manifests.glob("*.json") if path.is_file())
            return sorted(path.stem for path in found if _NAME.fullmatch(path.stem))
        except OSError:
            return []

    def manifest(self, name: str | None = None) -> BackupManifest:
        """A backup by its name, or the latest.

        Raises:
            BackupError: there is no whole backup, or the manifest is damaged or of a newer version.
            OSError: it cannot be read.
        """
        names = self.names()
        if not names or (name is not None and name not in names):
            hint = (
                tr("there are: {names}", names=", ".join(names))
                if names
                else tr("the first one was cut off; make it again")
            )
            raise BackupError(
                tr("{path} holds no whole backup {name}", path=self.path, name=name)
                if name
                else tr("{path} holds no whole backup", path=self.path),
                hint,
            )
        path = self.manifests / f"{name or names[-1]}.json"
        try:
            document = json.loads(path.read_bytes())
            fields = document["manifest"]
            if fields["format"] > FORMAT:
                raise BackupError(tr("{path} was written by a newer ngatu", path=path), tr("install that one"))
            plain = PurePath(fields["database"])
            sound = document["sha256"] == _sum(fields) and plain.parts == ("database", plain.name)
            if sound and fields.keys() <= _FIELDS:
                return _MANIFEST.validate_json(json.dumps(fields), strict=True)
        except (ValueError, KeyError, TypeError):
            pass
        hint = tr(
            "restore an earlier one with --which: {names}", names=", ".join(names[:-1]) or tr("there is none")
        )
        raise BackupError(tr("{path} was changed or is damaged", path=path), hint)


def in_words(error: OSError, path: Path) -> BackupError:
    """A disk's error as one of ours."""
    why = tr("{path}: {reason}", path=path, reason=error.strerror or error)
    what = tr("{why}: {file}", why=why, file=error.filename) if error.filename else why
    return BackupError(what, tr("look at the disk: full, read-only, gone?"))


def write_whole(path: Path, data: bytes) -> None:
    """A small file that is there whole or not at all, also after a power cut.

    Raises:
        OSError: it cannot be written; nothing of it stays.
    """
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 (it is a descriptor)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut.

    Raises:
        OSError: it cannot be synced.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sum(fields: dict[str, Any]) -> str:
    return sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
