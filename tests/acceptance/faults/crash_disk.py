"""What a disk may hold after a power cut, from a record of everything a real program wrote and synced.

The program runs under strace, unchanged: its own SQLite, its own calls. From the record, disks are made that a
cut at some moment may leave behind: what was synced is there; each later write is there, is not, or is there in
part, in pieces of 512 bytes (sectors are written whole, their order is the drive's own business). A file or a
folder that was made or removed is as the last sync of its folder left it, or as it was after. This is the model
of ALICE (Pillai et al., "All file systems are not created equal", OSDI 2014), re-ordered over the whole
unsynced tail.
Names are paths below the folder that is watched; that folder itself is "".
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SECTOR = 512
CALLS = "openat,close,pwrite64,write,lseek,fsync,fdatasync,ftruncate,unlink,rename,fallocate,mkdir"

Kind = Literal["create", "make folder", "write", "truncate", "unlink", "rename", "sync", "sync folder", "say"]


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that the program did to the disk, or said."""

    kind: Kind
    name: str
    offset: int = 0
    data: bytes = b""


def record(words: Sequence[str], folder: Path, trace: Path) -> list[Op]:
    """Run a program of one thread to its end; what it did to the folder's files, and said on standard output.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run(
        ["strace", "-xx", "-s", str(1 << 24), "-o", str(trace), "-e", f"trace={CALLS}", *words],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return list(_ops(trace.read_text(encoding="ascii", errors="replace").splitlines(), folder))


_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)")


def _ops(lines: Sequence[str], folder: Path) -> Iterator[Op]:
    seen = _Seen(folder)
    for line in lines:
        if (call := _CALL.match(line)) and int(call[3]) >= 0:
            yield from seen.ops(call[1], call[2].split(", "), int(call[3]))


class _Seen:
    """What a program has open, and which files it has made so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[int, str] = {}
        """Of each descriptor that is a file of the folder."""
        self._folders: dict[int, str] = {}
        self._at: dict[int, int] = {}
        """Where the next plain write of a descriptor goes."""
        self._made: set[str] = set()

    def ops(self, what: str, words: Sequence[str], result: int) -> Iterator[Op]:
        """What one call did."""
        if what == "openat":
            yield from self._opened(words, result)
        elif what in ("unlink", "rename", "mkdir"):
            yield from self._named(what, words)
        elif what == "write" and int(words[0]) == 1:
            yield Op("say", "", data=_text(words[1])[:result])
        else:
            yield from self._on_open(what, int(words[0]), words, result)

    def _opened(self, words: Sequence[str], fd: int) -> Iterator[Op]:
        for known in (self._names, self._folders, self._at):
            known.pop(fd, None)
        name = self._name(words[1])
        if name is None:
            return
        if "O_DIRECTORY" in words[2] or not name:
            self._folders[fd] = name
            return
        assert "O_APPEND" not in words[2], f"{name} is written at its end, wherever that is: not modelled"
        self._names[fd], self._at[fd] = name, 0
        if "O_CREAT" in words[2] and name not in self._made:
            self._made.add(name)
            yield Op("create", name)

    def _named(self, what: str, words: Sequence[str]) -> Iterator[Op]:
        name = self._name(words[0])
        if name is None:
            return
        if what == "mkdir":
            yield Op("make folder", name)
            return
        self._made.discard(name)
        if what == "unlink":
            yield Op("unlink", name)
            return
        other = self._name(words[1])
        assert other is not None, f"{name} is moved out of the folder: not modelled"
        self._made.add(other)
        yield Op("rename", name, data=other.encode())

    def _on_open(self, what: str, fd: int, words: Sequence[str], result: int) -> Iterator[Op]:
        if what == "close":
            for known in (self._names, self._folders, self._at):
                known.pop(fd, None)
        elif what in ("fsync", "fdatasync") and fd in self._folders:
            yield Op("sync folder", self._folders[fd])
        elif fd not in self._names:
            return
        elif what == "lseek":
            self._at[fd] = result
        elif what == "pwrite64":
            yield Op("write", self._names[fd], int(words[3]), _text(words[1])[:result])
        elif what == "write":
            yield Op("write", self._names[fd], self._at[fd], _text(words[1])[:result])
            self._at[fd] += result
        elif what == "ftruncate":
            yield Op("truncate", self._names[fd], int(words[1]))
        elif what in ("fsync", "fdatasync"):
            yield Op("sync", self._names[fd])

    def _name(self, word: str) -> str | None:
        path = Path(_text(word).decode())
        if path != self._folder and self._folder not in path.parents:
            return None
        return "" if path == self._folder else str(path.relative_to(self._folder))


def _text(word: str) -> bytes:
    return bytes.fromhex(word.strip('"').replace("\\x", ""))


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    loose: list[Op] = field(default_factory=list)
    """Since its last sync, oldest first."""
    linked: bool = False
    """The folder's entry is on the disk."""


def after_a_cut(ops: Sequence[Op], chance: random.Random) -> dict[str, bytes]:
    """The files on a disk of which the power was cut after these operations."""
    files: dict[str, _File] = {}
    removed: dict[str, _File] = {}
    """Their entries may still be on the disk."""
    folders: dict[str, bool] = {}
    """Those that were made: whether their entry is on the disk."""
    for op in ops:
        if op.kind == "create":
            files[op.name] = _File()
        elif op.kind == "make folder":
            folders[op.name] = False
        elif op.kind in ("write", "truncate"):
            if op.name in files:  # not what was removed while it was open
                files[op.name].loose.append(op)
        elif op.kind == "sync":
            if op.name in files:
                _sync(files[op.name])
        elif op.kind == "sync folder":
            _sync_folder(op.name, files, removed, folders)
        elif op.kind == "unlink" and op.name in files:
            removed[op.name] = files.pop(op.name)
        elif op.kind == "rename":
            files[op.data.decode()] = files.pop(op.name)
    undead = {name: file for name, file in removed.items() if name not in files and chance.random() < 0.5}
    files |= undead
    gone = {name for name, linked in folders.items() if not linked and chance.random() < 0.5}
    return {
        name: _left(file, chance)
        for name, file in files.items()
        if (file.linked or chance.random() < 0.5) and not gone & {str(each) for each in Path(name).parents}
    }


def _sync(file: _File) -> None:
    for loose in file.loose:
        _apply(file.durable, loose)
    file.loose.clear()


def _sync_folder(
    folder: str, files: dict[str, _File], removed: dict[str, _File], folders: dict[str, bool]
) -> None:
    for name, file in files.items():
        if _folder_of(name) == folder:
            file.linked = True
    for name in [name for name in removed if _folder_of(name) == folder]:
        del removed[name]
    for name in folders:
        folders[name] |= _folder_of(name) == folder


def _folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def _left(file: _File, chance: random.Random) -> bytes:
    content = bytearray(file.durable)
    for op in file.loose:
        fate = chance.random()
        if fate < 0.4:
            continue
        if fate < 0.7 or op.kind == "truncate":
            _apply(content, op)
            continue
        for start in range(0, len(op.data), SECTOR):
            if chance.random() < 0.5:
                piece = op.data[start : start + SECTOR]
                _apply(content, Op("write", op.name, op.offset + start, piece))
    return bytes(content)


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        content[op.offset :] = bytes(max(0, op.offset - len(content)))
        return
    end = op.offset + len(op.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[op.offset : end] = op.data
