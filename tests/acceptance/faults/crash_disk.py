"""What a disk may hold after a power cut, from a record of everything a real program wrote and synced.

The program runs under strace, unchanged: its own SQLite, its own calls. From the record, disks are made that a
cut at some moment may leave behind: what was synced is there; each later write is there, is not, or is there in
part, in pieces of 512 bytes (sectors are written whole, their order is the drive's own business). A file that
was made or removed is as the last sync of its folder left it, or as it was after. This is the model of ALICE
(Pillai et al., "All file systems are not created equal", OSDI 2014), re-ordered over the whole unsynced tail.
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
CALLS = "openat,close,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,fallocate"

Kind = Literal["create", "write", "truncate", "unlink", "rename", "sync", "sync folder", "say"]


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
    names: dict[int, str] = {}
    seen: set[str] = set()
    for line in lines:
        if not (call := _CALL.match(line)) or int(call[3]) < 0:
            continue
        what, arguments, result = call[1], call[2], int(call[3])
        words = arguments.split(", ")
        if what == "openat":
            path = Path(_text(words[1]).decode())
            inside = path.parent == folder or path == folder
            names.pop(result, None)
            if inside:
                names[result] = "" if path == folder else path.name
                if "O_CREAT" in words[2] and path.name not in seen:
                    seen.add(path.name)
                    yield Op("create", path.name)
            continue
        if what in ("unlink", "rename"):
            path = Path(_text(words[0]).decode())
            if path.parent == folder:
                seen.discard(path.name)
                other = Path(_text(words[1]).decode()).name.encode() if what == "rename" else b""
                yield Op("rename" if other else "unlink", path.name, data=other)
            continue
        fd = int(words[0])
        if what == "close":
            names.pop(fd, None)
        elif what == "write" and fd == 1:
            yield Op("say", "", data=_text(words[1])[:result])
        elif fd in names:
            yield from _on_file(what, names[fd], words, result)


def _on_file(what: str, name: str, words: Sequence[str], result: int) -> Iterator[Op]:
    if what == "pwrite64":
        yield Op("write", name, int(words[3]), _text(words[1])[:result])
    elif what == "ftruncate":
        yield Op("truncate", name, int(words[1]))
    elif what in ("fsync", "fdatasync"):
        yield Op("sync", name) if name else Op("sync folder", "")
    elif what == "write":
        raise AssertionError(f"{name} is written at the place where the last write ended: not modelled")


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
    for op in ops:
        if op.kind == "create":
            files[op.name] = _File()
        elif op.kind in ("write", "truncate"):
            files[op.name].loose.append(op)
        elif op.kind == "sync":
            file = files[op.name]
            for loose in file.loose:
                _apply(file.durable, loose)
            file.loose.clear()
        elif op.kind == "sync folder":
            for file in files.values():
                file.linked = True
            removed.clear()
        elif op.kind == "unlink" and op.name in files:
            removed[op.name] = files.pop(op.name)
        elif op.kind == "rename":
            files[op.data.decode()] = files.pop(op.name)
    undead = {name: file for name, file in removed.items() if name not in files and chance.random() < 0.5}
    files |= undead
    return {name: _left(file, chance) for name, file in files.items() if file.linked or chance.random() < 0.5}


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
