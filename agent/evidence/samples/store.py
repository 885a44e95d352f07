"""Frames for training on the disk: written whole or not at all, within a budget, deleted by their age.

Invariants
1. A frame is listed once its file is whole on the disk. What lies in the folder and is not listed goes at the
   next start; an index that is lost is read from the files' names again.
2. All files together are within the budget, counted in blocks of 4 KiB, before another one is written.
3. What teaches least makes room, of equals the oldest; what teaches less than all that is there is not kept.
4. A restart breaks no limit of a camera for an hour or a day: what lies there counts.
5. Each frame is in the audit log before it is on the disk; each deletion is before it is done.
6. What is being handed over (`hold`) makes room for no new frame; it still goes by its age.
7. A frame is of no time to come: where the clock that it was taken by has gone back, it is of now.
8. Where the disk has less than RESERVE_BYTES left, frames go, held ones last: events and footage need it more.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agent.errors import FootageError
from agent.evidence.encryption import Recipients
from agent.evidence.samples import database
from agent.evidence.samples.sample import SampleName, SampleNote, name_of, packed
from agent.evidence.samples.settings import SamplesSettings
from agent.evidence.segment import sync_folder
from agent.translatable import tr

log = structlog.get_logger(__name__)

FOLDER: Final = "samples"
"""Below state_dir."""
RESERVE_BYTES: Final = 256_000_000
"""Of the disk; four times what the outbox may want at one time."""
HOUR_S, DAY_S = 3600, 86_400
_BLOCK: Final = 4096
_COLUMNS: Final = "id, camera, taken_ms, reason, place, hour, worth, bytes, file"


@dataclass(frozen=True, slots=True)
class StoredSample:
    """A frame as the index knows it."""

    name: SampleName
    bytes: int
    """Of its file, in whole blocks."""
    file: str
    """Its name in the folder."""


@dataclass(frozen=True, slots=True)
class SampleDeletion:
    """Frames that are about to be deleted, and why."""

    why: str
    """age or room."""
    samples: tuple[StoredSample, ...]


class SampleStore:
    """The frames of one box. Every method may be called from any thread.

    Raises:
        FootageError: the folder or the index cannot be opened, or a method could not read or write.
    """

    def __init__(
        self,
        folder: Path,
        settings: SamplesSettings,
        recipients: Recipients | None,
        note_kept: Callable[[SampleName, SampleNote], bool],
        note_deleted: Callable[[SampleDeletion], bool],
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        """`recipients` can read what is kept; None: it lies there as it is.

        `note_kept` and `note_deleted` write into the audit log, and say whether they could.
        """
        self._folder, self._settings, self._recipients = folder, settings, recipients
        self._note_kept, self._note_deleted = note_kept, note_deleted
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)
        self._lock = threading.RLock()
        self._held: frozenset[str] = frozenset()
        with self._failing():
            folder.mkdir(mode=0o700, exist_ok=True)
            self._db = self._opened(folder.parent / database.FILE)
            self._bring_together()

    def close(self) -> None:
        """Let go of the index; may be called twice."""
        with self._lock, suppress(sqlite3.Error):
            self._db.close()

    # ---------------------------------------------------------------------------------------------- keeping

    def keep(self, name: SampleName, note: SampleNote, jpeg: bytes) -> bool:
        """Write one frame; False: a limit, the budget, the disk or the audit log does not allow it."""
        data = packed(note, jpeg)
        if self._recipients is not None:
            data = self._recipients.encrypt(data)
        with self._lock, self._failing():
            if not self._within_limits(name) or not self._room_for(_blocks(len(data)), name.worth):
                return False
            if not self._note_kept(name, note):
                return False
            file = name.file(sealed=self._recipients is not None)
            _write_whole(self._folder / file, data)
            self._insert(StoredSample(name, _blocks(len(data)), file))
        return True

    def tidy(self, now_s: float | None) -> None:
        """Delete what is too old at this wall time, which is believed, and what the disk has no room for.

        None: nobody vouches for the clock, so nothing is too old.
        """
        with self._lock, self._failing():
            if now_s is not None:
                now_ms = int(now_s * 1000)
                later_ms = now_ms + HOUR_S * 1000
                self._db.execute("update sample set taken_ms = ? where taken_ms > ?", (now_ms, later_ms))
                before_ms = int((now_s - self._settings.max_days * DAY_S) * 1000)
                self._delete("age", self._rows("where taken_ms < ? order by taken_ms", before_ms))
            self._room_for(0, 1.0)

    def hold(self, files: Collection[str]) -> None:
        """From now on exactly these files make room for no other frame (invariant 6)."""
        with self._lock:
            self._held = frozenset(files)

    # ---------------------------------------------------------------------------------------------- looking

    @property
    def sealed(self) -> bool:
        """Whether what is kept now is encrypted, so that the box itself cannot read it."""
        return self._recipients is not None

    def path(self, file: str) -> Path:
        """Where a frame lies."""
        return self._folder / file

    def samples(self, since_s: float = 0.0) -> list[StoredSample]:
        """Those that were taken since then, oldest first."""
        with self._lock, self._failing():
            return self._rows("where taken_ms >= ? order by taken_ms, id", int(since_s * 1000))

    def total_bytes(self) -> int:
        """Of all files, in whole blocks."""
        with self._lock, self._failing():
            return self._total()

    # ---------------------------------------------------------------------------------------------- within

    def _within_limits(self, name: SampleName) -> bool:
        """By the time that is believed: what is of later than now, for that was wrong, counts as well."""
        for seconds, most in ((HOUR_S, self._settings.per_hour), (DAY_S, self._settings.per_day)):
            query = "select count(*) from sample where camera = ? and taken_ms > ?"
            (kept,) = self._db.execute(query, (name.camera, name.taken_ms - seconds * 1000)).fetchone()
            if kept >= most:
                return False
        return True

    def _room_for(self, more_bytes: int, worth: float) -> bool:
        """Delete what teaches no more than this until it fits; False: then it would still not."""
        total, free = self._total(), self._free_bytes(self._folder)
        lacking = max(total + more_bytes - self._settings.max_bytes, RESERVE_BYTES + more_bytes - free)
        if lacking <= 0:
            return True
        going: list[StoredSample] = []
        rows = self._rows("where worth <= ? order by worth, taken_ms, id", worth)
        free_rows, held = ([row for row in rows if (row.file in self._held) is kept] for kept in (False, True))
        for row in free_rows if more_bytes else [*free_rows, *held]:
            if lacking <= 0:
                break
            going.append(row)
            lacking -= row.bytes
        if lacking > 0 and more_bytes:  # it would not fit all the same
            return False
        self._delete("room", going)
        return lacking <= 0

    def _delete(self, why: str, rows: Sequence[StoredSample]) -> None:
        if not rows:
            return
        if not self._note_deleted(SampleDeletion(why, tuple(rows))):
            log.warning("samples_deleted_unnoted", samples=len(rows), hint="the audit log cannot be written")
        for row in rows:
            (self._folder / row.file).unlink(missing_ok=True)
        self._db.executemany("delete from sample where id = ?", [(row.name.id,) for row in rows])

    # ---------------------------------------------------------------------------------------------- the index

    def _opened(self, path: Path) -> sqlite3.Connection:
        try:
            return database.connect(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            return database.begin_anew(path, error)

    def _bring_together(self) -> None:
        """Index and folder after a start: an empty index is filled, and what is not whole goes."""
        files = {each.name: each for each in self._folder.iterdir() if each.is_file()}
        listed = {row.file: row for row in self._rows("order by id")}
        self._db.executemany(
            "delete from sample where id = ?",
            [(row.name.id,) for file, row in listed.items() if file not in files],
        )
        for file, path in files.items():
            name = name_of(file)
            if file in listed or name is None:
                if name is None and file.endswith(_UNFINISHED):
                    path.unlink(missing_ok=True)
            elif listed:
                path.unlink(missing_ok=True)  # its row was not written: a power cut fell between the two
            else:
                self._insert(StoredSample(name, _blocks(path.stat().st_size), file))

    def _insert(self, row: StoredSample) -> None:
        name = row.name
        self._db.execute(
            f"insert or replace into sample ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 – words of our own
            (name.id, name.camera, name.taken_ms, name.reason, name.place, name.hour, name.worth, row.bytes,
             row.file),
        )  # fmt: skip

    def _rows(self, which: str, *given: object) -> list[StoredSample]:
        query = f"select {_COLUMNS} from sample {which}"  # noqa: S608 – words of our own
        return [
            StoredSample(SampleName(taken_ms, camera, reason, place, hour, worth, sample_id), size, file)
            for sample_id, camera, taken_ms, reason, place, hour, worth, size, file in self._db.execute(
                query, given
            )
        ]

    def _total(self) -> int:
        (total,) = self._db.execute("select coalesce(sum(bytes), 0) from sample").fetchone()
        return int(total)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise FootageError(
                tr("frames for training in {folder}: {error}", folder=self._folder, error=error),
                tr("look at the disk: full, read-only, or dying?"),
            ) from error


_UNFINISHED: Final = ".new"


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // _BLOCK) * _BLOCK


def _write_whole(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + _UNFINISHED)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    sync_folder(path.parent)
