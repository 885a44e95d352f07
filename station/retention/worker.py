"""Does what retention has to do, once or every hour: in a thread of its own, which harms nobody if it fails.

A run goes on with what the last one left, takes out what is due class by class, removes the files, and notes
each deletion in the console's log. It goes in small steps with pauses as long as the steps, so that the intake
has its turns, and stops between any two.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Executable, func, select, update
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import NgatuError
from agent.translatable import tr
from station.access.audit_entry import AT_THE_MACHINE, Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.footage.folder import PackageFolder
from station.ingest.alarms import AlarmKind
from station.ingest.handler import RaisesAlarms
from station.retention.clock_votes import ClockVote, ClockVotes, clock_votes
from station.retention.deletion import (
    AT_ONCE,
    DeletionRecord,
    TakenOut,
    sweep_feed,
    take_out,
)
from station.retention.due import SOURCES, DueSource, Shields, due, until
from station.retention.packages import (
    due_packages,
    due_samples,
    end_records,
    folders_of,
    half_removed,
    held_ranges,
    name_of,
    note_package,
    remove_package,
    samples_of,
)
from station.retention.picture_removal import drop_segments, remove_pictures
from station.retention.settings import KeptClass, RetentionSettings
from station.store.blobs import BLOBS, removal_turn
from station.store.database import engine_of, in_words
from station.store.pictures.shelf import PictureShelf
from station.store.schema import deletion, event_feed

log = structlog.get_logger("station.retention.worker")

EVERY_S: Final = 3_600.0
AGAIN_S: Final = 300.0
"""After a run that failed, or that left files because a backup was copying them."""
SOUND_S: Final = 2.0
"""Between two questions whether the store was found whole."""
FIRST_S: Final = 30.0
"""After the start: the boxes come first."""
_SHORTEST_PAUSE_S: Final = 0.02
LOCK: Final = "retention.lock"
"""In the station's state_dir: one run at a time."""
ITSELF: Final = Actor("", "ngatu", "", AT_THE_MACHINE)
"""Who deletes by age, in the console's log."""
T = TypeVar("T")


class ClockDoubted(NgatuError):
    """The station's clock may be wrong, and with it every age: nothing was deleted."""


class RetentionBusy(NgatuError):
    """Somebody else does what is to be done."""


@dataclass(slots=True)
class RetentionResult:
    """What one run did."""

    taken: dict[KeptClass, TakenOut] = field(default_factory=dict)
    left: bool = False
    """A backup was at work: files and packages are left for the next run."""
    stopped: bool = False

    def add(self, kept: KeptClass, taken: TakenOut) -> None:
        """One step."""
        sums = self.taken.setdefault(kept, TakenOut())
        sums.items += taken.items
        sums.messages += taken.messages
        sums.size_bytes += taken.size_bytes


class RetentionRun:
    """Retention over one store; for one thread.

    Raises:
        StoreError: the store cannot be read or written; what was taken out so far is written down.
        OSError: a file or a package cannot be removed; it is tried again.
        ClockDoubted, RetentionBusy: as they say.
    """

    def __init__(
        self,
        url: Any,
        state_dir: Path,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], bool] = lambda _: False,
    ) -> None:
        """`pause` waits for so many seconds and says whether it is to stop."""
        self._state_dir, self._now, self._pause = state_dir, now, pause
        self._reads, self._writes = engine_of(url, writes=False), engine_of(url)
        _overwrites(self._writes)
        self._folders = folders_of(state_dir)
        self._log = AuditLog(self._writes, state_dir, self._reads, now)

    def close(self) -> None:
        """Let go of the store."""
        self._reads.dispose()
        self._writes.dispose()

    def finish_left(self) -> RetentionResult:
        """What an earlier run began: files whose rows went, packages with a record, entries of the log."""
        result = RetentionResult()
        with self._alone():
            self._finish(result)
        return result

    def run(self, settings: RetentionSettings) -> RetentionResult:
        """All that is due now."""
        result = RetentionResult()
        with self._alone():
            self._finish(result)
            self._take_all(settings, result)
            self._finish(result)
        return result

    def votes(self) -> ClockVotes:
        """What the boxes' clocks say of this machine's."""
        now_ms = round(self._now() * 1000)
        return self._read(lambda connection: clock_votes(connection, now_ms))

    def _take_all(self, settings: RetentionSettings, result: RetentionResult) -> None:
        now_ms = round(self._now() * 1000)
        if doubt := self.votes().doubt:
            hint = tr(
                "look which clock is right, and set the other: this machine's, or those of these boxes; "
                "retention goes on when most of them agree with it"
            )
            raise ClockDoubted(doubt, hint)
        for source in SOURCES:
            until_ms = until(settings, source.kept, now_ms)
            if until_ms is not None and not result.stopped:
                record = DeletionRecord(source.kept, settings.days(source.kept) or 0, until_ms, now_ms)
                self._take_class(source, record, result)
        for kept in (KeptClass.FOOTAGE, KeptClass.SAMPLES):
            until_ms = until(settings, kept, now_ms)
            if until_ms is not None and not result.stopped:
                self._take_packages(kept, settings.days(kept) or 0, until_ms, now_ms, result)

    def _take_class(self, source: DueSource, record: DeletionRecord, result: RetentionResult) -> None:
        """Found by a reader, taken out by a writer: nobody waits while the next ones are looked for."""
        shields = Shields(self._read(lambda connection: held_ranges(connection, self._folders)))
        for rows in due(self._read, source, record.until_ms, shields, AT_ONCE):
            keys = [source.key_of(row) for row in rows]
            taken = self._step(partial(take_out, source=source, keys=keys, record=record), result)
            result.add(source.kept, taken)
            if source.what in ("event", "picture"):
                self._remove_files(result)
            if result.stopped:
                return
        if source.what == "event" and record.id is not None:
            self._sweep(result)

    def _take_packages(
        self, kept: KeptClass, days: int, until_ms: int, now_ms: int, result: RetentionResult
    ) -> None:
        for folder in self._due_folders(kept, until_ms):
            with removal_turn(self._state_dir, shared=False) as mine:
                if not mine:
                    result.left = True
                    return
                record = DeletionRecord(kept, days, until_ms, now_ms, name_of(folder))
                size = self._write(partial(note_package, folder=folder, record=record))
                remove_package(folder)
            result.add(kept, TakenOut(1, 0, size))
            if self._pause(_SHORTEST_PAUSE_S):
                result.stopped = True
                return

    def _due_folders(self, kept: KeptClass, until_ms: int) -> list[PackageFolder]:
        if kept is KeptClass.SAMPLES:
            return [folder for folder, _ in due_samples(samples_of(self._state_dir), until_ms)]
        found = self._read(lambda connection: list(due_packages(connection, self._folders, until_ms)))
        return [folder for folder, _ in found]

    def _finish(self, result: RetentionResult) -> None:
        """Files, packages, records and entries of the log."""
        self._remove_files(result)
        with removal_turn(self._state_dir, shared=False) as mine:
            result.left = result.left or not mine
            for folder in self._read(lambda it: list(half_removed(it, self._state_dir))) if mine else ():
                if folder.package.is_dir():
                    remove_package(folder)
        if not mine:
            return
        now_ms = round(self._now() * 1000)
        ended = select(deletion.c.id).where(deletion.c.ended_ms.is_(None))
        ids = self._read(lambda connection: list(connection.scalars(ended)))
        if ids:
            self._write(lambda connection: end_records(connection, ids, now_ms))
        self._note()

    def _note(self) -> None:
        """Each deletion that has ended stands in the console's log, once, or after a crash twice."""
        query = select(deletion).where(deletion.c.is_noted.is_(False), deletion.c.ended_ms.is_not(None))
        for row in self._read(lambda connection: connection.execute(query.order_by(deletion.c.id)).all()):
            detail = {
                "class": row.kind, "days": row.days, "deletion": row.id, "count": row.item_count,
                "messages": row.messages, "bytes": row.size_bytes, "until_ms": row.until_ms,
            }  # fmt: skip
            self._log.note(ITSELF, AuditVerb.DELETED, row.subject, detail)
            noted = update(deletion).where(deletion.c.id == row.id).values(is_noted=True)
            self._write(partial(_execute, statement=noted))

    def _remove_files(self, result: RetentionResult) -> None:
        shelf = PictureShelf(self._state_dir / BLOBS)
        while not result.stopped and shelf.folder.is_dir():
            count = remove_pictures(self._read, self._write, shelf)
            result.left = result.left or count is None
            if not count:
                drop_segments(self._read, shelf)
                return
            result.stopped = self._pause(_SHORTEST_PAUSE_S)

    def _sweep(self, result: RetentionResult) -> None:
        at = self._read(lambda connection: connection.scalar(select(func.min(event_feed.c.id))))
        while at is not None and not result.stopped:
            at = self._step(partial(sweep_feed, from_id=at), result)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The command and the service's thread would end each other's records."""
        with removal_turn(self._state_dir, shared=False, file=LOCK) as mine:
            if not mine:
                raise RetentionBusy(tr("retention is at work already"), tr("wait until it is done"))
            yield

    def _step(self, job: Callable[[Connection], T], result: RetentionResult) -> T:
        """One transaction, and a pause as long as it took."""
        begun_s = time.monotonic()
        done = self._write(job)
        result.stopped = self._pause(max(_SHORTEST_PAUSE_S, time.monotonic() - begun_s))
        return done

    def _read(self, job: Callable[[Connection], T]) -> T:
        try:
            with self._reads.connect() as connection, connection.begin():
                return job(connection)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error

    def _write(self, job: Callable[[Connection], T]) -> T:
        try:
            with self._writes.begin() as connection:
                return job(connection)
        except SQLAlchemyError as error:
            raise in_words(error, self._writes.url) from error


class RetentionWatch:
    """One thread beside the service; `tell` is called in the station's own turn, and raises the alarm there."""

    def __init__(
        self,
        settings: RetentionSettings | None,
        url: Any,
        state_dir: Path,
        is_sound: Callable[[], bool | None] = lambda: True,
        first_s: float | None = None,
    ) -> None:
        """`is_sound`: whether the store is whole, None while nobody knows: holds are read out of it.

        `first_s`: when the first run begins, after the start; None: FIRST_S.
        """
        self._is_sound = is_sound
        self._settings, self._first_s = settings, FIRST_S if first_s is None else first_s
        self._stop = threading.Event()
        self._run = RetentionRun(url, state_dir, pause=self._stop.wait)
        self._thread = threading.Thread(target=self._work, name="retention", daemon=True)
        self._trouble: str | None = None
        """Why the last run failed; '': it did not; None: there was none."""
        self._shown: str | None = None
        self._apart: Sequence[ClockVote] = ()
        """Boxes whose clock the last run found wrong, until the station's turn has told them."""

    def start(self) -> None:
        """Begin; the store must have its tables."""
        self._thread.start()

    def tell(self, alarms: RaisesAlarms) -> None:
        """Raise the alarm where the last run failed, end it where not; and that of each box's wrong clock."""
        apart, self._apart = self._apart, ()
        for vote in apart:
            alarms.raise_alarm(AlarmKind.CLOCK_APART, vote.box, vote.detail)
        trouble = self._trouble
        if trouble is None or trouble == self._shown:
            return
        if trouble:
            alarms.raise_alarm(AlarmKind.RETENTION_FAILED, None, trouble)
        else:
            alarms.close_alarm(AlarmKind.RETENTION_FAILED, None)
        self._shown = trouble

    def close(self) -> None:
        """End within a step."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._run.close()

    def _work(self) -> None:
        wait_s = self._first_s
        while not self._stop.wait(wait_s):
            wait_s = EVERY_S
            if self._is_sound() is None:
                wait_s = SOUND_S
                continue
            with suppress(RetentionBusy):
                if not self.once():
                    wait_s = AGAIN_S

    def once(self) -> bool:
        """One run; whether all was done. Whatever fails is told, and harms nobody else."""
        if not self._is_sound():
            self._trouble = tr("the file of the database is damaged: nothing is deleted")
            return False
        try:
            self._apart = self._run.votes().wrong
            result = self._run.finish_left() if self._settings is None else self._run.run(self._settings)
        except RetentionBusy:
            raise
        except NgatuError as error:
            self._trouble = f"{error.what}; {error.hint}" if error.hint else error.what
            return False
        except OSError as error:
            self._trouble = f"{error.strerror or error}: {error.filename}"
            return False
        except Exception as error:  # a mistake of ours must not end the thread
            log.exception("retention_failed")
            self._trouble = tr("a fault of ngatu: {error}", error=repr(error)[:200])
            return False
        self._trouble = ""
        for kept, taken in result.taken.items():
            if taken.items:
                log.info("deleted_by_age", of=str(kept), count=taken.items, size_bytes=taken.size_bytes)
        return not result.left


def _execute(connection: Connection, statement: Executable) -> None:
    connection.execute(statement)


def _overwrites(engine: Engine) -> None:
    """What is deleted is overwritten in SQLite's file; PostgreSQL's pages are written anew by its vacuum."""
    if engine.dialect.name == "sqlite":

        @sqlalchemy_event.listens_for(engine, "connect")
        def set_up(connection: Any, _record: object) -> None:
            connection.execute("pragma secure_delete = on")
