"""Where the console's audit log ends, kept beside the database: so an end that was cut off shows.

The file is replaced whole and synced after each entry, and never goes back: who writes holds the folder's
lock, and leaves a later end alone. After a power cut it may be behind the log by what was appended last.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Final

from station.access.audit_entry import HEAD, LogEnd
from station.footage.folder import locked, write_whole

_MAX_BYTES: Final = 1_000


class LogHead:
    """The file; for many threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._folder, self._path = state_dir, state_dir / HEAD
        self._lock = threading.Lock()
        self._written = 0

    def read(self) -> LogEnd | None:
        """The end that was written last; None: there is no such file.

        Raises:
            ValueError: it is there, and says no end.
            OSError: it cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.read(_MAX_BYTES))
        except FileNotFoundError:
            return None
        try:
            end = LogEnd(int(found["id"]), str(found["sha256"]))
        except (TypeError, LookupError) as error:
            raise ValueError(str(error)) from None
        if end.id < 1 or len(end.sha256) != 64:
            raise ValueError("no end")
        return end

    def advance(self, end: LogEnd) -> None:
        """Have the file say this end, unless it says a later one.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock:
            if self._written >= end.id:  # another thread wrote a later one while this one waited
                return
            with locked(self._folder):
                if self._written_last() < end.id:
                    self._write(end)
            self._written = end.id

    def replace(self, end: LogEnd | None) -> None:
        """Have the file say this end whatever it says: after a restore.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock, locked(self._folder):
            if end is None:
                self._path.unlink(missing_ok=True)
            else:
                self._write(end)
            self._written = end.id if end is not None else 0

    def _written_last(self) -> int:
        try:
            end = self.read()
        except ValueError:  # the log has gone on from another end: `AuditLog` saw to it that it shows
            return 0
        return end.id if end is not None else 0

    def _write(self, end: LogEnd) -> None:
        text = json.dumps({"id": end.id, "sha256": end.sha256}, separators=(",", ":"))
        write_whole(self._path, f"{text}\n".encode(), like=self._folder)
