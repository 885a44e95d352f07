"""Whether the console's audit log is whole, for a page: read beside it, so that a long log holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from agent.errors import NgatuError
from station.access.audit_log import AuditLog
from station.access.audit_proof import LogVerdict

log = structlog.get_logger("station.access.audit_watch")

FRESH_S: Final = 600.0
WAIT_S: Final = 1.0
"""So long a page waits for a reading; some 50,000 entries."""


@dataclass(frozen=True, slots=True)
class LogStanding:
    """What the latest reading found."""

    verdict: LogVerdict
    at_ms: int


class AuditWatch:
    """One reader of one log; for many threads."""

    def __init__(self, audit: AuditLog, now: Callable[[], float] = time.time) -> None:
        self._audit, self._now = audit, now
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._found: LogStanding | None = None

    def standing(self, wait_s: float = WAIT_S) -> LogStanding | None:
        """The latest reading, at most FRESH_S old or with another one under way; None: the first is."""
        with self._lock:
            fresh_ms = round((self._now() - FRESH_S) * 1000)
            if self._reader is None and (self._found is None or self._found.at_ms < fresh_ms):
                self._reader = threading.Thread(target=self._read, name="audit", daemon=True)
                self._reader.start()
            reader = self._reader
        if reader is not None:
            reader.join(wait_s)
        return self._found

    def _read(self) -> None:
        at_ms = round(self._now() * 1000)
        try:
            self._found = LogStanding(self._audit.verify(), at_ms)
        except NgatuError as error:
            log.warning("audit_not_read", why=error.what, hint=error.hint)
        finally:
            with self._lock:
                self._reader = None
