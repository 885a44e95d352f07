"""What was asked of the box and what left it: append-only, each line with the hash of the last.

One JSON object a line: `n` counts over all files, `prev` is the SHA-256 of the line before, without its end.
Who takes a line out, or changes one, breaks the chain at that place. Who writes the whole chain anew, or cuts
lines off at its end, is found at the station: it has number and hash of a line with each ack. A line is on disk
when `write` returns. Files are rotated.

The agent writes it, and so do commands that somebody gives at the box: who writes holds the folder's lock, and
goes on from the last line that is there, whoever wrote it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import structlog

log = structlog.get_logger(__name__)

MAX_FILE_BYTES: Final = 1 << 20
KEPT_FILES: Final = 4
"""Beside the one that is written: about twenty thousand lines in all."""
AUDIT_LOG: Final = "audit.log"
"""In the folder of the box's state."""
FIRST: Final = "0" * 64
LOCK_S: Final = 2.0
"""So long another writer is waited for; none needs a tenth of it, and one that hangs must stop nobody."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line that is on disk."""

    n: int
    sha256: str
    """Of its bytes without their end; `prev` of the next one."""
    text: str
    """ASCII."""


class Audit:
    """Writes one log. A disk that cannot be written is told once, and stops nothing."""

    def __init__(self, path: Path, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self._path = path
        self._max_file_bytes = max_file_bytes
        self._lock = threading.Lock()
        self._failing = False
        self._end: tuple[int, int] | None = None
        """Inode and length of the file after our last line."""
        self._n, self._prev = 0, FIRST

    def write(self, entry: dict[str, Any]) -> AuditLine | None:
        """Add one line, or None if the disk would not take it."""
        with self._lock:
            try:
                with _folder_lock(self._path.parent):
                    line = self._next(entry)
            except OSError as error:
                if not self._failing:
                    log.warning("audit_unwritten", why=str(error), hint="full, read-only, or dying?")
                self._failing = True
                return None
            self._failing = False
            return line

    def _next(self, entry: dict[str, Any]) -> AuditLine:
        if self._end is None or self._end != _end_of(self._path):
            self._n, self._prev = _last(self._path)
        numbered = {"n": self._n + 1, "prev": self._prev, **entry}
        text = json.dumps(numbered, ensure_ascii=True, separators=(",", ":"))
        self._rotate(len(text) + 1)
        self._append(text.encode())
        self._n, self._prev = self._n + 1, sha256(text.encode()).hexdigest()
        self._end = _end_of(self._path)
        return AuditLine(self._n, self._prev, text)

    def _append(self, line: bytes) -> None:
        at: int | None = None
        try:
            with _opened(self._path, "ab", os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
                at = file.seek(0, os.SEEK_END)
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            if at is not None:
                with suppress(OSError):  # half a line would hide the next one, and closing still wrote of it
                    os.truncate(self._path, at)
            raise

    def _rotate(self, more_bytes: int) -> None:
        with suppress(FileNotFoundError):
            if self._path.stat().st_size + more_bytes <= self._max_file_bytes:
                return
            for number in range(KEPT_FILES, 0, -1):
                older = self._path if number == 1 else _numbered(self._path, number - 1)
                with suppress(FileNotFoundError):
                    older.replace(_numbered(self._path, number))


def lines_after(path: Path, n: int) -> Iterator[AuditLine]:
    """The lines that follow on number `n`, oldest first; what is no line of ours is left out."""
    files = [path]
    for number in range(1, KEPT_FILES + 1):
        if _first_number(files[0]) <= n + 1:
            break
        files.insert(0, _numbered(path, number))
    for file in files:
        with suppress(FileNotFoundError):
            for line in file.read_bytes().splitlines():
                with suppress(ValueError, TypeError, LookupError):
                    if (at := int(json.loads(line)["n"])) > n:
                        yield AuditLine(at, sha256(line).hexdigest(), line.decode("ascii"))


def _first_number(file: Path) -> int:
    with suppress(OSError, ValueError, TypeError, LookupError), _opened(file, "rb", os.O_RDONLY) as lines:
        return int(json.loads(lines.readline())["n"])
    return 1 << 62


def read_whole(path: Path) -> tuple[list[AuditLine], str | None]:
    """All lines, oldest first, and what is wrong with them (`verify`), while nobody writes.

    Without the lock a line that is being written is half a line, and files that move up are read twice.

    Raises:
        OSError: it cannot be read, or another program holds it.
    """
    if not path.parent.is_dir():
        return [], None
    with _folder_lock(path.parent):
        return list(lines_after(path, 0)), verify(path)


def verify(path: Path) -> str | None:
    """What is wrong with the log and its older files, and where; None: each line follows from the last."""
    n, prev = None, None
    for file, number, line in _lines(path):
        where = f"{file.name}:{number}"
        try:
            entry = json.loads(line)
            at, before = int(entry["n"]), str(entry["prev"])
        except (ValueError, TypeError, LookupError):
            return f"{where}: cannot be read"
        if n is None or prev is None:
            if at == 1 and before != FIRST:
                return f"{where}: the first line does not begin the chain"
        elif at != n + 1:
            return f"{where}: line {n + 1} is missing"
        elif before != prev:
            return f"{where}: line {n} is not what it was"
        n, prev = at, sha256(line).hexdigest()
    return None


def _lines(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """Oldest first."""
    for file in [*(_numbered(path, number) for number in range(KEPT_FILES, 0, -1)), path]:
        with suppress(FileNotFoundError):
            for number, line in enumerate(file.read_bytes().splitlines(), 1):
                yield file, number, line


def _last(path: Path) -> tuple[int, str]:
    """Number and hash of the last whole line; what a power cut left of another is cut off."""
    for file in (path, _numbered(path, 1)):
        with suppress(OSError):
            with _opened(file, "rb", os.O_RDONLY) as log_file:
                data = log_file.read()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                os.truncate(file, len(whole))
            for line in reversed(whole.splitlines()):
                with suppress(ValueError, TypeError, LookupError):
                    return int(json.loads(line)["n"]), sha256(line).hexdigest()
    return 0, FIRST


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """One writer at a time, of whatever process; the kernel lets go when it dies."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        ends_s = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends_s:
                    raise OSError(errno.EAGAIN, "another program holds the log", str(folder)) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def _end_of(path: Path) -> tuple[int, int]:
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_ino, found.st_size
    return 0, 0


def _opened(path: Path, mode: str, flags: int) -> BinaryIO:
    """A file, and nothing that stands in its place: a pipe would wait for ever, a link lead elsewhere."""
    handle = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is not a file")
    return cast(BinaryIO, os.fdopen(handle, mode))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
