"""All that there is to say of one package: what was asked for, what it is worth, its files, keys and custody.

Judging reads every byte of the footage. Who shows the same package again and again asks `Dossiers`, which
judges it anew only when one of its files has changed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from agent.errors import NgatuError
from agent.evidence.package.manifest import PackageManifest, fingerprint
from agent.translatable import tr
from agent.wire.signature import public_key
from station.footage.custody import CustodyBook
from station.footage.desk import UNJUDGED
from station.footage.folder import FootageRequest, FootageStage, RequestFolder
from verifier.findings import Judgement
from verifier.judge import judge

BLOCK_BYTES: Final = 1 << 20
KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class PlaceNames:
    """Box and camera as people call them; where nobody has named them, as their topics do."""

    box: str
    camera: str


@dataclass(frozen=True, slots=True)
class DossierFile:
    """One file of a package."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Film:
    """One file that can be played, and which time it shows."""

    number: int
    """Of the run in the package, from 1."""
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """A package that was judged."""

    request: FootageRequest
    names: PlaceNames
    judgement: Judgement
    files: tuple[DossierFile, ...]
    box_key_sha256: str
    station_key_sha256: str

    @property
    def films(self) -> tuple[Film, ...]:
        """What can be played, in the order in which it was recorded; of footage that is not decrypted none."""
        manifest, there = self.judgement.manifest, {file.name for file in self.files}
        return () if manifest is None else tuple(film for film in films(manifest) if film.name in there)


class NotJudged(NgatuError):
    """A package is not here yet, or nobody could judge it."""


def dossier_of(folder: RequestFolder, custody: CustodyBook, names: PlaceNames) -> Dossier:
    """Judge a package that is whole, as it lies there now.

    Raises:
        NotJudged: it is not here yet, or the box had told no key to judge it by.
        NgatuError: a key or a file cannot be read.
    """
    refuse_unjudged(folder)
    own, of_box = custody.public(), public_key(folder.key)
    try:
        return Dossier(
            request=folder.request,
            names=names,
            judgement=judge(folder.package, of_box, own, at_station=True),
            files=tuple(_files(folder.package)),
            box_key_sha256=fingerprint(of_box),
            station_key_sha256=fingerprint(own),
        )
    except OSError as error:
        raise NgatuError(
            tr("{path}: {reason}", path=folder.package, reason=error.strerror or error),
            tr("look at the disk: full, read-only, or dying?"),
        ) from error


def refuse_unjudged(folder: RequestFolder) -> None:
    """Whether there is something to be called good or not.

    Raises:
        NotJudged: there is not.
    """
    state = folder.state()
    if state.stage is not FootageStage.COMPLETE:
        raise NotJudged(tr("the package is not here yet"), tr("the list of requests says how far it is"))
    if state.verdict in (None, UNJUDGED) or not folder.key.exists():
        raise NotJudged(
            tr("nobody knows what the package is worth: it was not judged"),
            tr("have the box tell its key, accept it at the box, and ask for the footage again"),
        )


class Dossiers:
    """Those that were looked at last; may be used from any thread."""

    def __init__(self, custody: CustodyBook) -> None:
        self._custody = custody
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[object, Dossier]] = OrderedDict()

    def of(self, folder: RequestFolder, names: PlaceNames) -> Dossier:
        """As `dossier_of`; one at a time is judged, for that takes all that the disk gives."""
        with self._lock:
            stand = (names, *_stand(folder))
            kept = self._kept.get(folder.path)
            if kept is None or kept[0] != stand:
                self._kept[folder.path] = kept = (stand, dossier_of(folder, self._custody, names))
            self._kept.move_to_end(folder.path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return kept[1]


def films(manifest: PackageManifest) -> Iterator[Film]:
    """What can be played once it is decrypted: of each run of which there is footage one file."""
    for run in manifest.runs:
        parts = [part for part in manifest.parts if part.run == run.number and part.number]
        if parts:
            start, end = min(part.start for part in parts), max(part.end for part in parts)
            yield Film(run.number, parts[0].plain_file, start, end)


def file_sha256(path: Path) -> str:
    """Of a file of any size.

    Raises:
        OSError: it cannot be read.
    """
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _files(package: Path) -> Iterator[DossierFile]:
    for path in sorted(package.iterdir()):
        if path.is_file() and not path.is_symlink():
            yield DossierFile(path.name, path.stat().st_size, file_sha256(path))


def _stand(folder: RequestFolder) -> Iterator[object]:
    """What is otherwise once a file is: names, sizes, times."""
    yield folder.state()
    for path in (folder.key, *sorted(folder.package.glob("*"))):
        if path.exists():
            found = path.lstat()
            yield path.name, found.st_size, found.st_mtime_ns, found.st_ino
