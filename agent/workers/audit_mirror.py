"""Sends each line of the audit log to the station, where the box cannot rewrite it.

The main loop calls `tick`. Lines go into the outbox in their order, and a small file beside the log says which
was the last. Where that file is lost, or a power cut fell between the two, lines are sent again, word for word,
which the station bears. A log that is not the one that was sent before is told, and sent whole: the station
compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from agent.clock import Clock
from agent.commands.audit import FIRST, AuditLine, lines_after
from agent.errors import OutboxError
from agent.outbox.outbox import Outbox
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.payloads import AuditBody

log = structlog.get_logger(__name__)

SENT: Final = "audit.sent"
"""Beside the log: number and hash of the last line that the outbox was given."""
BATCH_BYTES: Final = 24_000
BATCH_LINES: Final = 400


class AuditMirror:
    """Of one log."""

    def __init__(self, path: Path, outbox: Outbox, clock: Clock) -> None:
        self._path, self._outbox, self._clock = path, outbox, clock
        self._seen: tuple[int, int] | None = None
        """Inode and length of the log at the last look."""
        self._n, self._sha256 = _noted(path.with_name(SENT))

    def tick(self) -> None:
        """Send what is new; a disk that takes nothing is asked again at the next call."""
        try:
            found = self._path.stat()
        except OSError:
            return  # nothing was written yet, or the disk fails, which others tell
        end = found.st_ino, found.st_size
        if end == self._seen:
            return
        with suppress(OSError, OutboxError):
            for batch in _batches(self._unsent()):
                body = codec.encode(AuditBody(lines=tuple(line.text for line in batch)))
                self._outbox.put([codec.message(MessageKind.AUDIT, body, self._clock.now())])
                self._note(batch[-1])
            self._seen = end

    def _unsent(self) -> Iterator[AuditLine]:
        lines = lines_after(self._path, self._n - 1) if self._n else lines_after(self._path, 0)
        first = next(lines, None)
        if self._n == 0 or (first is not None and first.n > self._n):
            yield from () if first is None else (first,)
        elif first is None or first.sha256 != self._sha256:
            hint = "was the card changed or put back? if not, look who was at the box"
            log.warning("audit_log_replaced", sent=self._n, hint=hint)
            lines = lines_after(self._path, 0)
        yield from lines

    def _note(self, line: AuditLine) -> None:
        self._n, self._sha256 = line.n, line.sha256
        path = self._path.with_name(SENT)
        with suppress(OSError):  # then they are sent again by the next life
            unfinished = path.with_name(f"{SENT}.new")
            unfinished.write_text(json.dumps({"n": line.n, "sha256": line.sha256}), encoding="ascii")
            unfinished.replace(path)


def _noted(path: Path) -> tuple[int, str]:
    with suppress(OSError, ValueError, TypeError, LookupError):
        noted = json.loads(path.read_text(encoding="ascii"))
        return int(noted["n"]), str(noted["sha256"])
    return 0, FIRST


def _batches(lines: Iterable[AuditLine]) -> Iterator[list[AuditLine]]:
    batch: list[AuditLine] = []
    size_bytes = 0
    for line in lines:
        if batch and (size_bytes + len(line.text) > BATCH_BYTES or len(batch) == BATCH_LINES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(line)
        size_bytes += len(line.text)
    if batch:
        yield batch
