"""The files of a package, in a folder or in a ZIP file, read as something that an enemy may have made.

Invariants
1. Nothing is written, nothing unpacked, and no name leads anywhere: names are compared, never followed.
2. Links, pipes, devices and folders are never opened; they are told.
3. Nobody gets more bytes of a file than he asked for: a file that grows while it is unpacked stops there.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from agent.errors import NgatuError, UsageError
from agent.printable import printable
from agent.translatable import tr
from verifier.layout.zip_file import directory_bytes, loose_ranges

BLOCK_BYTES: Final = 1 << 20
MAX_FILES: Final = 200_000
"""A day of footage in fragments of two seconds has 43,200 parts."""
MAX_DIRECTORY_BYTES: Final = 32 << 20
"""Of a ZIP file: so many bytes of names are read into memory."""
_READ_ERRORS: Final = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
"""All that a damaged or a made-up ZIP file raises."""


class Unreadable(NgatuError):
    """A package, or a file of it, cannot be read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is there, by names alone."""

    sizes: Mapping[str, int]
    """Of the files that can be read, in bytes."""
    others: Mapping[str, str] = field(default_factory=dict)
    """What is there beside them, and what it is: links, folders, pipes, names outside of the package."""
    loose: tuple[tuple[int, int], ...] = ()
    """Of a ZIP file: its bytes that belong to none of its files, first and after the last."""
    archive: str = ""
    """Of a ZIP file: its name."""


class PackageSource(Protocol):
    """A package as it lies."""

    listing: Listing

    def open(self, name: str) -> BinaryIO:
        """A file of `listing.sizes`.

        Raises:
            Unreadable: it cannot be read.
        """
        ...


def read(source: PackageSource, name: str, most: int) -> bytes:
    """A whole file, or its first `most` + 1 bytes: then it is too long.

    Raises:
        Unreadable: it cannot be read.
    """
    with reading(source, name) as blocks:
        found = b""
        while len(found) <= most and (block := blocks(most + 1 - len(found))):
            found += block
    return found


@contextmanager
def reading(source: PackageSource, name: str) -> Iterator[_Read]:
    """Gives a function that gives at most so many bytes more; none at the end.

    Raises:
        Unreadable: in the block, too.
    """
    with source.open(name) as file:
        try:
            yield lambda most: file.read(min(most, BLOCK_BYTES))
        except _READ_ERRORS as error:
            raise _fails(name, error) from None


class _Read(Protocol):
    def __call__(self, most: int, /) -> bytes: ...


@contextmanager
def opened(path: Path) -> Iterator[PackageSource]:
    """The package at a path.

    Raises:
        UsageError: there is nothing.
        Unreadable: it is neither a folder nor a ZIP file, or cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            yield _Folder(path)
        elif stat.S_ISREG(mode):
            with _zip(path) as (file, loose):
                yield _Zip(file, path.name, loose)
        else:
            raise Unreadable(tr("{path}: is neither a folder nor a ZIP file", path=path))
    except FileNotFoundError:
        raise UsageError(tr("{path}: No such file or directory", path=path), _NAME_IT) from None
    except OSError as error:
        raise Unreadable(tr("{path}: cannot be read: {error}", path=path, error=_why(error))) from None


_NAME_IT: Final = tr("name the folder of the package, or its ZIP file")


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        sizes: dict[str, int] = {}
        others: dict[str, str] = {}
        with os.scandir(path) as entries:
            for number, entry in enumerate(entries):
                if number >= MAX_FILES:
                    raise Unreadable(tr("more than {number:,} files", number=MAX_FILES), _NAME_IT)
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    sizes[entry.name] = status.st_size
                else:
                    others[entry.name] = _KINDS.get(stat.S_IFMT(status.st_mode), tr("no file"))
        self.listing = Listing(sizes, others)

    def open(self, name: str) -> BinaryIO:
        try:
            handle = os.open(self._path / name, _FLAGS)
        except OSError as error:
            raise _fails(name, error) from None
        file = os.fdopen(handle, "rb", buffering=0)
        if not stat.S_ISREG(os.fstat(handle).st_mode):  # it was exchanged since
            file.close()
            raise Unreadable(tr("{name}: is no file", name=printable(name)))
        return cast(BinaryIO, file)


_KINDS: Final = {stat.S_IFLNK: tr("a link"), stat.S_IFDIR: tr("a folder"), stat.S_IFIFO: tr("a pipe")}


_FLAGS: Final = os.O_RDONLY | sum(
    int(getattr(os, name, 0)) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
)
"""Windows lacks some of them, and needs another."""


class _Zip:
    def __init__(self, file: zipfile.ZipFile, archive: str, loose: tuple[tuple[int, int], ...]) -> None:
        self._file, self._members = file, dict[str, zipfile.ZipInfo]()
        sizes: dict[str, int] = {}
        others: dict[str, str] = {}
        members = file.infolist()
        top = _common_folder([member.filename for member in members])
        for member in members:
            name = member.filename.removeprefix(top)
            if not name:
                continue
            if name in sizes or name in others:
                sizes.pop(name, None)
                others[name] = tr("two files of one name")
            elif what := _no_file(name, member):
                others[name] = what
            else:
                sizes[name], self._members[name] = member.file_size, member
        self.listing = Listing(sizes, others, loose, archive)

    def open(self, name: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._file.open(self._members[name]))
        except (*_READ_ERRORS, KeyError) as error:
            raise _fails(name, error) from None


def _no_file(name: str, member: zipfile.ZipInfo) -> str | None:
    if stat.S_ISLNK(member.external_attr >> 16):
        return tr("a link")
    if member.is_dir():
        return tr("a folder")
    if "/" in name or "\\" in name or name in (".", ".."):
        return tr("a file in another folder")
    if member.flag_bits & 0x1:
        return tr("a file with a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return tr("a file compressed in a way that is not read")
    return None


def _common_folder(names: list[str]) -> str:
    """The folder in which all of a ZIP file lies, with its slash; empty: there is none."""
    tops = {name.partition("/")[0] for name in names}
    folder = next(iter(tops), "")
    plain = folder not in ("", ".", "..") and len(tops) == 1 and all("/" in name for name in names)
    return f"{folder}/" if plain else ""


@contextmanager
def _zip(path: Path) -> Iterator[tuple[zipfile.ZipFile, tuple[tuple[int, int], ...]]]:
    with path.open("rb") as file:
        if directory_bytes(file) > MAX_DIRECTORY_BYTES:
            raise Unreadable(tr("{path}: a ZIP file with too many names", path=path), _NAME_IT)
        try:
            opened_file = zipfile.ZipFile(file)
        except _READ_ERRORS:
            raise Unreadable(tr("{path}: is neither a folder nor a ZIP file", path=path), _NAME_IT) from None
        with opened_file:
            if len(opened_file.infolist()) > MAX_FILES:
                raise Unreadable(tr("{path}: a ZIP file with too many names", path=path), _NAME_IT)
            yield opened_file, loose_ranges(file, opened_file)


def _fails(name: str, error: BaseException) -> Unreadable:
    return Unreadable(tr("{name}: cannot be read: {error}", name=printable(name), error=_why(error)))


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or printable(str(error) or type(error).__name__)[:200]
