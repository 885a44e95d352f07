"""What a folder and all below it may hold after a power cut, from a record of a real program's system calls.

As tests/acceptance/faults/crash_disk.py does it for the folder of a database, with the same model (ALICE:
Pillai et al., "All file systems are not created equal", OSDI 2014), for a tree of folders, files and symbolic
links. What was synced is there; each change of a folder since its last sync has happened or has not, in any
mixture; a file not synced holds its old content, its new one, or the beginning of it. A rename is one change,
of both names.

Known limit: a file's mode and owner are taken as they are; media that lie about a sync are beyond it.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

CALLS = (
    "openat,write,pwrite64,writev,ftruncate,truncate,fsync,fdatasync,sync,rename,renameat,renameat2,link,linkat,"
    "symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,sendfile,copy_file_range"
)


@dataclass(frozen=True, slots=True)
class Op:
    """One successful call on something below the folder; paths are relative to it."""

    kind: str
    path: PurePosixPath
    data: bytes = b""
    """What was written; for a rename and a symbolic link, where to."""


@dataclass(slots=True, eq=False)
class File:
    """A plain file."""

    mode: int
    durable: bytes = b""
    now: bytes = b""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link: there as a whole, or not at all."""

    target: str


@dataclass(slots=True, eq=False)
class Folder:
    """A folder, as it was at its last sync, as it is, and the changes between."""

    durable: dict[str, Node] = field(default_factory=dict)
    now: dict[str, Node] = field(default_factory=dict)
    loose: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, **names: Node | None) -> None:
        """One change, of one name or of two."""
        self.loose.append(names)
        _apply(self.now, names)

    def sync(self) -> None:
        """All of it is on the disk."""
        self.durable, self.loose = dict(self.now), []


Node = File | Link | Folder


def record(words: Sequence[str], folder: Path, trace: Path, environment: Mapping[str, str]) -> list[Op]:
    """Run a program to its end; what it did below the folder. What it starts is not followed.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run(
        ["strace", "-y", "-xx", "-s", str(1 << 20), "-o", str(trace), "-e", f"trace={CALLS}", *words],
        check=True, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return ops_in(trace.read_text(encoding="ascii", errors="replace"), folder)


_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)", re.MULTILINE)


def ops_in(trace: str, folder: Path) -> list[Op]:
    """The calls of a trace that succeeded and changed or synced something below the folder."""
    ops = []
    for call in _CALL.finditer(trace):
        what, words, result = call[1], call[2].split(", "), int(call[3])
        if result < 0:
            continue
        if what == "sync":
            ops.append(Op("sync all", PurePosixPath()))
            continue
        for op in _op(what, words):
            try:
                ops.append(Op(op.kind, op.path.relative_to(folder), op.data))
            except ValueError:
                continue
    return ops


def _op(what: str, words: list[str]) -> list[Op]:
    match what:
        case "openat":
            flags = words[2]
            path = _path(words[1], words[0])
            made = [Op("create", path)] if "O_CREAT" in flags else []
            return made + ([Op("empty", path)] if "O_TRUNC" in flags else [])
        case "write":
            return [Op("write", _of(words[0]), _text(words[1]))]
        case "fsync" | "fdatasync":
            return [Op("sync", _of(words[0]))]
        case "rename":
            return [Op("rename", _path(words[0]), os.fsencode(_path(words[1])))]
        case "symlink":
            return [Op("link", _path(words[1]), _text(words[0]))]
        case "unlink" | "rmdir":
            return [Op("remove", _path(words[0]))]
        case "unlinkat":
            return [Op("remove", _path(words[1], words[0]))]
        case "mkdir":
            return [Op("folder", _path(words[0]))]
        case _:
            # Whoever writes in another way must be modelled first: nothing is left out in silence.
            return [Op(f"unknown call {what}", _of(words[0]) if "<" in words[0] else _path(words[0]))]


def _text(word: str) -> bytes:
    return bytes.fromhex(word.strip('"').replace("\\x", ""))


def _of(word: str) -> PurePosixPath:
    """Of a descriptor, 4<…>."""
    return PurePosixPath(os.fsdecode(_text(word.partition("<")[2].removesuffix(">"))))


def _path(word: str, folder: str = "") -> PurePosixPath:
    path = PurePosixPath(os.fsdecode(_text(word)))
    if path.is_absolute():
        return path
    assert "<" in folder, f"{path}, from a folder that nobody knows: not modelled"
    return _of(folder) / path


class Tree:
    """A folder on a disk to which things are done."""

    def __init__(self, folder: Path) -> None:
        """As it is now, all of it on the disk."""
        self.root = _read(folder)

    def do(self, op: Op, top: Path) -> Tree:
        """One more call; `top` is the folder that was recorded."""
        if op.kind == "sync all":
            _settle(self.root)
            return self
        parent, name = self._folder(op.path.parent), op.path.name
        match op.kind:
            case "create":
                if name not in parent.now:
                    parent.change(**{name: File(0o644)})
            case "empty" | "write":
                node = parent.now[name]
                assert isinstance(node, File), op
                node.now = b"" if op.kind == "empty" else node.now + op.data
            case "sync":
                node = self._folder(op.path) if not name else parent.now[name]
                if isinstance(node, Folder):
                    node.sync()
                elif isinstance(node, File):
                    node.durable = node.now
            case "rename":
                to = PurePosixPath(os.fsdecode(op.data)).relative_to(top)
                assert to.parent == op.path.parent, f"{op.path} to another folder: not modelled"
                parent.change(**{name: None, to.name: parent.now[name]})
            case "link":
                parent.change(**{name: Link(os.fsdecode(op.data))})
            case "folder":
                parent.change(**{name: Folder()})
            case "remove":
                parent.change(**{name: None})
            case _:
                raise AssertionError(f"{op.kind}: {op.path}: not modelled")
        return self

    def _folder(self, path: PurePosixPath) -> Folder:
        node = self.root
        for part in path.parts:
            below = node.now[part]
            assert isinstance(below, Folder), path
            node = below
        return node

    def cut(self, into: Path, chance: random.Random) -> None:
        """Write down what may be left of it after a power cut now."""
        _write(self.root, into, chance)


def _read(path: Path) -> Folder:
    folder = Folder()
    for entry in os.scandir(path):
        node: Node
        if entry.is_symlink():
            node = Link(str(Path(entry.path).readlink()))
        elif entry.is_dir():
            node = _read(Path(entry.path))
        else:
            content = Path(entry.path).read_bytes()
            node = File(entry.stat().st_mode & 0o777, content, content)
        folder.now[entry.name] = node
    folder.sync()
    return folder


def _settle(folder: Folder) -> None:
    folder.sync()
    for node in folder.now.values():
        if isinstance(node, Folder):
            _settle(node)
        elif isinstance(node, File):
            node.durable = node.now


def _apply(entries: dict[str, Node], names: Mapping[str, Node | None]) -> None:
    for name, node in names.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


def _write(folder: Folder, into: Path, chance: random.Random) -> None:
    entries = dict(folder.durable)
    for names in folder.loose:
        if chance.random() < 0.5:
            _apply(entries, names)
    into.mkdir(exist_ok=True)
    for name, node in entries.items():
        path = into / name
        if isinstance(node, Folder):
            _write(node, path, chance)
        elif isinstance(node, Link):
            path.symlink_to(node.target)
        else:
            path.write_bytes(_content(node, chance))
            path.chmod(node.mode)


def _content(file: File, chance: random.Random) -> bytes:
    if file.durable == file.now:
        return file.now
    fate = chance.random()
    if fate < 0.4:
        return file.durable
    return file.now if fate < 0.7 else file.now[: chance.randrange(len(file.now) + 1)]
