"""Everything that is to be kept, written to the folder of a backup before it is kept.

Invariants
1. What the store commits, and so what a box is told to forget, is on the journal's disk before; only while that
   is away and the station is to go on without it (`backup.journal_away: go_on`) it is not, and that is told.
2. Where something was kept that is in no journal the next file joins none: what a backup covers is known.
3. A store that was copied, and whose other copy has written since, writes nothing here.
4. The folder must be a backup of this store already: where its disk is not mounted nothing is written.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import structlog

from agent.translatable import tr
from station.backup.folder import BackupError, BackupFolder, in_words, store_id, sync_folder, write_whole
from station.backup.segments import SUFFIX, Segment, SegmentEnd, SegmentHead, frame, head_line, paths
from station.ingest.alarms import AlarmKind
from station.ingest.handler import RaisesAlarms
from station.ingest.inbound import InboundMessage
from station.store.database import StoreError

log = structlog.get_logger("station.backup.journal")

SEGMENT_BYTES = 16 * 2**20
"""The file that is open at a backup is needed beside it; smaller files make a restore shorter."""
RUN = "journal.run"
AGAIN_S = 5.0
_RUNS = 1_000


class BackupJournal:
    """Appends to one folder; used by one thread."""

    def __init__(
        self, folder: Path, state_dir: Path, *, goes_on: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        """With `goes_on` the store keeps what the journal cannot take; otherwise `append` raises."""
        self._folder = BackupFolder(folder)
        self._state_dir = state_dir
        self._goes_on = goes_on
        self._now = now
        self._file: BinaryIO | None = None
        self._lock: BinaryIO | None = None
        self._head: SegmentHead | None = None
        self._digest = ""
        self._at = 0
        self._confirmed = (0, 0)
        """Number of the file and length up to which everything was synced in this life."""
        self._has_hole = False
        """Something was kept since that is in no file, and a run was begun for what comes then."""
        self._trouble: BackupError | None = None
        self._shown: str | None = None
        self._tried_s = 0.0

    @property
    def run(self) -> str | None:
        """Of the file that is open."""
        return self._head.run if self._head is not None else None

    def append(self, messages: Sequence[InboundMessage]) -> None:
        """Write what a box may be told to forget (invariant 1); the rest comes anew from the box.

        Raises:
            StoreError: it cannot be written, and the station is to wait.
        """
        batch = [each for each in messages if each.seq is not None or each.image_sha256 is not None]
        if not batch:
            return
        try:
            self._write(batch)
        except BackupError as error:
            self._trouble = error
            if not self._goes_on:
                raise StoreError(tr("the journal of the backup: {what}", what=error.what), error.hint) from None
            if not self._has_hole:
                self._begin_run()
                self._has_hole = True
        else:
            self._trouble = None

    def tell(self, alarms: RaisesAlarms) -> None:
        """In the station's turn: look whether a journal that was away is back; raise the alarm, or end it.

        Raises:
            StoreError: it is still away, and the station is to wait.
        """
        if (self._file is None or self._trouble) and time.monotonic() - self._tried_s >= AGAIN_S:
            self._tried_s = time.monotonic()
            try:
                self._open()
            except BackupError as error:
                self._trouble = error
            else:
                self._trouble = None
        shown = self._trouble.what if self._trouble else ""
        if shown != self._shown:
            self._shown = shown
            if shown:
                goes_on = "goes on without it" if self._goes_on else "gives no receipts until it is back"
                alarms.raise_alarm(AlarmKind.JOURNAL_AWAY, None, f"{shown}; the station {goes_on}")
            else:
                alarms.close_alarm(AlarmKind.JOURNAL_AWAY, None)
        if self._trouble and not self._goes_on:
            raise StoreError(
                tr("the journal of the backup: {what}", what=self._trouble.what), self._trouble.hint
            )

    def close(self) -> None:
        """Let go of the folder."""
        self._drop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # --------------------------------------------------------------------------------------------- the inside

    def _write(self, batch: Sequence[InboundMessage]) -> None:
        if self._file is None or self._at >= SEGMENT_BYTES:
            self._open()
        assert self._file is not None and self._head is not None
        data, digest = frame(self._digest, round(self._now() * 1000), batch)
        try:
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        except (OSError, ValueError) as error:
            self._drop()
            raise _worded(error, self._folder.path) from error
        self._digest, self._at = digest, self._at + len(data)
        self._confirmed = self._head.number, self._at

    def _open(self) -> None:
        """Begin a file after the last one.

        Raises:
            BackupError: the folder is not there, not this store's, or not to be written.
        """
        self._drop()
        try:
            own = store_id(self._state_dir)
            self._folder.refuse_other(own)
            self._folder.refuse_links()
            self._claim()
            last = self._last()
            run, joins = self._run_after(last)
            number = last.head.number + 1 if last else 1
            before = (last.digest, last.whole_bytes) if last else ("", 0)
            self._head = SegmentHead(own, run, joins, number, *before)
            line = head_line(self._head)
            path = self._folder.journal / f"{number:08d}{SUFFIX}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file = open(descriptor, "wb")  # noqa: PTH123, SIM115 (it is a descriptor, and stays open)
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            sync_folder(self._folder.journal)
        except OSError as error:
            self._drop()
            raise in_words(error, self._folder.path) from error
        from_line = Segment(path).end()
        self._digest, self._at = from_line.digest, from_line.whole_bytes
        self._confirmed = number, self._at
        self._has_hole = False
        log.info("journal_opened", number=number, run=run)

    def _claim(self) -> None:
        if self._lock is not None:
            return
        self._folder.journal.mkdir(mode=0o700, exist_ok=True)
        lock = (self._folder.journal / "journal.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise BackupError(
                tr("{journal} is written by another station", journal=self._folder.journal), tr("stop one")
            ) from None
        self._lock = lock

    def _last(self) -> SegmentEnd | None:
        """The last file; one without a whole first line holds nothing, and goes."""
        for path in reversed(paths(self._folder.journal)):
            try:
                return Segment(path).end()
            except BackupError:
                if b"\n" in path.read_bytes():
                    raise
                path.unlink()
        return None

    def _run_after(self, last: SegmentEnd | None) -> tuple[str, bool]:
        """The run of the next file, and whether it joins the last one (invariants 2 and 3)."""
        noted = _noted(self._state_dir)
        if noted is None or last is None or self._lacks(last):
            return self._begin_run(), False
        if last.head.run not in noted.runs:
            raise BackupError(
                tr("{journal} was written by another copy of this store since", journal=self._folder.journal),
                tr("is this an old station whose backup was restored elsewhere? Then stop it for good"),
            )
        return noted.runs[-1], noted.joins or last.head.run == noted.runs[-1]

    def _lacks(self, last: SegmentEnd) -> bool:
        """Whether the disk has less than it has confirmed: another one is mounted, or it lied."""
        return (last.head.number, last.whole_bytes) < self._confirmed

    def _begin_run(self) -> str:
        """Note that the next file joins none, durably, before anything is kept that is in no journal."""
        noted = _noted(self._state_dir)
        run = begin_after(noted.runs if noted else (), self._state_dir, joins=False)
        log.warning("journal_begins_anew", run=run, hint="make a backup: only then the journal joins one")
        return run

    def _drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None


@dataclass(frozen=True, slots=True)
class _Noted:
    """What the store knows of its journal."""

    runs: tuple[str, ...]
    """All that it began or was restored from, its own present one last."""
    joins: bool
    """Whether the first file of the present one joins the file before."""


def _noted(state_dir: Path) -> _Noted | None:
    try:
        fields = json.loads((state_dir / RUN).read_bytes())
        return _Noted(tuple(map(str, fields["runs"])), bool(fields["joins"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def begin_after(runs: Sequence[str], state_dir: Path, *, joins: bool) -> str:
    """Note a run after these: the store is another copy than the one that wrote them, or has a hole.

    Raises:
        StoreError: it cannot be noted.
    """
    run = uuid4().hex
    fields = {"runs": [*dict.fromkeys(runs), run][-_RUNS:], "joins": joins}
    try:
        write_whole(state_dir / RUN, json.dumps(fields).encode())
    except OSError as error:
        raise StoreError(
            tr("{path}: {reason}", path=state_dir / RUN, reason=error.strerror), tr("look at the disk")
        ) from error
    return run


def forget_run(state_dir: Path) -> None:
    """A station that begins without a journal keeps what is in none (invariant 2).

    Raises:
        StoreError: it cannot be noted.
    """
    noted = _noted(state_dir)
    if noted is not None:
        begin_after(noted.runs, state_dir, joins=False)


def _worded(error: Exception, path: Path) -> BackupError:
    if isinstance(error, OSError):
        return in_words(error, path)
    return BackupError(tr("{path}: {error}", path=path, error=error), tr("the journal's file was closed"))
