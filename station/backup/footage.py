"""Requests for footage and their packages, copied from one folder to another: only what is not there as it is.

    BOX/REQUEST/            who asked and why, how far it is, what has come so far (station/footage/folder.py)
    BOX/REQUEST/package/    the package, once it is whole

Invariants
1. A file has its name only when it is whole on disk; one of the same size and time is not copied again.
2. What is copied of a request is of one stage: one that goes on meanwhile is copied again, or left for later.
   A package has its name only when all of it is there.
3. What is gone from the source stays in the copy, but for what the package made needless: pieces, and encrypted
   parts of what is there decrypted.
4. Nothing behind a link below the two folders is read or written.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from agent.errors import NgatuError
from agent.translatable import tr
from agent.wire.pieces import FILE_PATTERN
from agent.wire.signature import public_key
from station.backup.folder import BackupError, sync_folder
from station.backup.pictures import Progress
from station.footage.folder import PACKAGE, FootageFolder, FootageStage, RequestFolder
from verifier.findings import PackageVerdict
from verifier.judge import judge

STATE: Final = "state.json"
OWN: Final = ("box.pub", "pieces", "verdict.txt", "request.json")
"""Files of a request beside its package and its state, which is copied last."""
TRIES: Final = 3
_NAME: Final = re.compile(FILE_PATTERN)
_BLOCK_BYTES: Final = 1 << 20
_SOUND: Final = (PackageVerdict.AUTHENTIC, PackageVerdict.MISSING)


@dataclass(slots=True)
class CopiedFootage:
    """What became of it."""

    packages: int = 0
    """Whole ones that are in the copy now."""
    fresh: int = 0
    """Of these, those of which something was copied."""
    fresh_bytes: int = 0
    """Of all files that were copied."""
    left: list[str] = field(default_factory=list)
    """Requests that went on while they were copied: the next backup has them."""


def lacking_bytes(source: Path, target: Path) -> int:
    """How much is to be copied.

    Raises:
        OSError: a folder cannot be read.
    """
    return sum(
        path.stat().st_size
        for folder in FootageFolder(source).every()
        for path in _files(folder)
        if not _is_same(path.lstat(), target / path.relative_to(source))
    )


def copy_footage(
    source: Path, target: Path, progress: Progress, *, mode: int = 0o600, live: bool = False
) -> CopiedFootage:
    """Copy what the target lacks; it is on its disk afterwards. Files get `mode`, for their owner and group.

    `live`: a station is at work in the source.

    Raises:
        BackupError: a folder in one of them is a link.
        OSError: a folder cannot be read or written; what was copied so far stays, and is not copied again.
    """
    copied, folders = CopiedFootage(), list(FootageFolder(source).every())
    for number, folder in enumerate(folders, 1):
        to = target / folder.path.relative_to(source)
        _refuse_links(folder, to)
        _make(target, to, mode)
        for left in range(TRIES, 0, -1):
            size = _copy_request(folder, to, mode, live)
            if size is not None:
                break
            if left > 1:
                time.sleep(0.2)
        else:
            copied.left.append(folder.request.id)
            continue
        copied.fresh_bytes += size
        if (to / PACKAGE).exists():
            copied.packages += 1
            copied.fresh += size > 0
        progress("footage", number, len(folders))
    return copied


def altered(root: Path) -> list[str]:
    """Requests whose package was authentic, or had only parts missing, and is not as it was judged any more.

    Raises:
        OSError: a folder cannot be read.
    """
    return [folder.request.id for folder in FootageFolder(root).every() if _is_altered(folder)]


def _is_altered(folder: RequestFolder) -> bool:
    before = folder.state()
    if before.stage is not FootageStage.COMPLETE or before.verdict not in _SOUND or not folder.key.exists():
        return False
    try:
        return judge(folder.package, public_key(folder.key)).verdict != before.verdict
    except NgatuError:  # it is not there, or not to be read
        return True


def _copy_request(folder: RequestFolder, to: Path, mode: int, live: bool) -> int | None:
    """Bytes that were copied; None: it went on meanwhile (invariant 2)."""
    before, size = folder.state(), 0
    with _opened(folder.path / STATE) as state:  # as it is now, also where another one takes its name
        package = to / PACKAGE if (to / PACKAGE).exists() else to / f"{PACKAGE}.new"
        if folder.package.is_dir():
            _folder(package, mode)
        for path in _files(folder):
            with _opened(path) as file:
                size += _copy(file, (package if path.parent == folder.package else to) / path.name, mode)
        done = before.stage is FootageStage.COMPLETE
        if folder.state().stage is not before.stage or (live and done and folder.pieces.exists()):
            return None
        if package.is_dir():
            sync_folder(package)
            package.rename(to / PACKAGE)
        sync_folder(to)
        size += _copy(state, to / STATE, mode)
        sync_folder(to)
    if done:  # once that is on disk, as the station itself does it
        _remove_needless(folder, to)
    return size


def _files(folder: RequestFolder) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        for entry in sorted(os.scandir(folder.package), key=lambda each: each.name):
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                yield folder.package / entry.name
    yield from (path for name in OWN if (path := folder.path / name).is_file())


def _remove_needless(folder: RequestFolder, to: Path) -> None:
    (to / "pieces").unlink(missing_ok=True)
    if any(folder.package.glob("*.mp4")):
        for path in (to / PACKAGE).glob("*.age"):
            if not (folder.package / path.name).exists():
                path.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """The file; None: it is none, or gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    with os.fdopen(handle, "rb") as file:
        yield file if stat.S_ISREG(os.fstat(handle).st_mode) else None


def _copy(file: BinaryIO | None, to: Path, mode: int) -> int:
    """Bytes that were copied: none if it is there (invariant 1), or there is nothing."""
    if file is None or _is_same(info := os.fstat(file.fileno()), to):
        return 0
    part = to.with_name(f".{to.name}.part")
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, flags, mode), "wb") as out:
        shutil.copyfileobj(file, out, _BLOCK_BYTES)
        out.flush()
        os.utime(out.fileno(), ns=(info.st_atime_ns, info.st_mtime_ns))
        os.fsync(out.fileno())
    part.replace(to)
    return info.st_size


def _is_same(here: os.stat_result, to: Path) -> bool:
    try:
        there = to.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(there.st_mode) and (there.st_size, there.st_mtime_ns) == (
        here.st_size,
        here.st_mtime_ns,
    )


def _make(root: Path, request: Path, mode: int) -> None:
    """The folders of a request in the copy; that of the package only once there is one (invariant 2)."""
    for folder in (root, request.parent, request):
        _folder(folder, mode)


def _folder(folder: Path, mode: int) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=mode | (mode & 0o444) >> 2)  # who may read may look into it
        sync_folder(folder.parent)


def _refuse_links(folder: RequestFolder, to: Path) -> None:
    here = (folder.path.parent, folder.path, folder.package)
    for each in (*here, to.parent, to, to / PACKAGE, to / f"{PACKAGE}.new"):
        if each.is_symlink():  # invariant 4
            raise BackupError(
                tr("{folder} is a link to elsewhere", folder=each),
                tr("put the folder itself there; if none of yours made the link, look who may write there"),
            )
