"""What the station commanded and what became of it: append-only, each line with the hash of the last.

One JSON object a line: `n` counts over all files, `prev` is the SHA-256 of the line before, without its end.
Who takes a line out, or changes one, breaks the chain at that place; who cuts lines off at the end is found by
the `n` that the station was told with each ack. A line is on disk when `write` returns. Files are rotated.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import structlog

log = structlog.get_logger(__name__)

MAX_FILE_BYTES: Final = 1 << 20
KEPT_FILES: Final = 4
"""Beside the one that is written: about twenty thousand lines in all."""
FIRST: Final = "0" * 64


class Audit:
    """Writes one log. A disk that cannot be written is told once, and stops nothing."""

    def __init__(self, path: Path, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self._path = path
        self._max_file_bytes = max_file_bytes
        self._lock = threading.Lock()
        self._failing = False
        self._n, self._prev = _last(path)

    def write(self, entry: dict[str, Any]) -> int | None:
        """Add one line; its number, or None if the disk would not take it."""
        with self._lock:
            line = json.dumps(
                {"n": self._n + 1, "prev": self._prev, **entry}, ensure_ascii=True, separators=(",", ":")
            ).encode()
            try:
                self._rotate(len(line) + 1)
                self._append(line)
            except OSError as error:
                if not self._failing:
                    log.warning("audit_unwritten", why=str(error), hint="full, read-only, or dying?")
                self._failing = True
                return None
            self._failing = False
            self._n, self._prev = self._n + 1, sha256(line).hexdigest()
            return self._n

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


def _opened(path: Path, mode: str, flags: int) -> BinaryIO:
    """A file, and nothing that stands in its place: a pipe would wait for ever, a link lead elsewhere."""
    handle = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is not a file")
    return cast(BinaryIO, os.fdopen(handle, mode))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
