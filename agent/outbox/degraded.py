"""Keeps an outbox at work whatever its disk does: full, failing, read-only, damaged.

Whoever uses it holds the outbox's lock. The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog
from pydantic import Field

from agent.clock import Clock
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox import database
from agent.outbox import queries as rows
from agent.outbox.ballast import Ballast
from agent.outbox.encryption import LOCKED, OutboxKey, read_key
from agent.outbox.erase import erase_log
from agent.outbox.file import DAMAGED, FORKED, DiskFails, OutboxFile, is_forked, transact
from agent.outbox.recovery import repair
from agent.outbox.recovery.repair import OutboxLife, Salvaged, Saved
from agent.outbox.store import OutboxStore
from agent.settings.base import Secret, Settings
from agent.wire.message import Message, Priority

log = structlog.get_logger(__name__)
T = TypeVar("T")

AGAIN_S: Final = 10.0
"""Between two looks whether a disk that was full or failed can be written again."""
ATTEMPTS: Final = 6
MAKES_ROOM: Final = 4
"""Attempts to make room on a full disk before memory must do."""


class OutboxSettings(Settings):
    """How much may wait for the station."""

    max_bytes: int = Field(
        256 << 20, ge=1 << 20, le=1 << 40, description="Disk for waiting messages; beyond it images go first."
    )
    ballast_bytes: int = Field(
        4 << 20, ge=0, le=1 << 30, description="Disk held back for events on a full disk; 0: none."
    )
    erase_after_s: float = Field(
        540.0,
        ge=2,
        le=86_400,
        description="What has left the outbox is overwritten on the disk within so many seconds.",
    )
    memory_bytes: int = Field(
        16 << 20, ge=1 << 20, le=24 << 20, description="Memory for messages while the disk takes nothing."
    )
    key: Secret | None = Field(
        None, description="Where the key lies under which waiting pictures are encrypted; absent: they are not."
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """How the disk is."""

    full: bool = False
    """The ballast was given back, or could not be taken: pictures are dropped, events go on."""
    in_memory: str | None = None
    """Why messages are in memory only; None: they are on the disk."""
    refused: str | None = None
    """Why some messages of late were not even taken into memory; None: all were."""


class Disk:
    """The outbox's database, through `run`.

    Raises:
        OutboxError: the file belongs to someone else, is in use, or its folder cannot be written.
    """

    def __init__(
        self, path: Path, settings: OutboxSettings, clock: Clock, believed: Clock, lock: threading.RLock
    ) -> None:
        """`lock` is the outbox's; saving from a damaged file takes it for moments only.

        By `believed`, whose wall time no step moves at once, damaged files are kept.
        """
        self.path, self._settings, self._clock, self._lock = path, settings, clock, lock
        self._believed = believed
        self._ballast = Ballast(path.with_name(path.name + ".ballast"), settings.ballast_bytes)
        self._tended = self._erased_at = clock.now()
        self._erased = -1
        """How many had left when all of the log was overwritten; at the start nobody knows what is in it."""
        self._full_bytes: int | None = None
        """What waited when the disk was found full; None: it is not."""
        self._in_memory = self._salvaging = self._closed = False
        self._refused: str | None = None
        self._refused_at = self._tended
        self.uncounted: Counter[Priority] = Counter()
        """Lost, and not in the database's own counts yet."""
        self._key = self._read_key()
        self._locked = 0
        self.salvaged: list[Salvaged] = []
        """What became of damaged files, until somebody takes it out."""
        made_way = self._ballast.make_way()
        self._file = OutboxFile(path, clock.now())
        if self._file.db is None:
            self._to_memory(self._file.trouble or "the disk fails", None)
        else:
            self.store = OutboxStore(self._file.db, clock.now(), self._key)
            if made_way:
                self._full_bytes = self.store.counters.cost_bytes
                log.error("disk_full", path=str(path), ballast="dropped")
            self._ballast.take()
            self._salvage_small()

    store: OutboxStore

    def _read_key(self) -> OutboxKey | None:
        if self._settings.key is None:
            return None
        try:
            return read_key(self._settings.key)
        except OutboxError as error:
            # Pictures wait in plain then: a box that forgot them would be worse.
            log.error("outbox_key_missing", why=error.what, hint=error.hint)  # noqa: TRY400
            return None

    @property
    def pictures(self) -> str:
        """How they lie in the file: encrypted, plain, or key_missing."""
        if self._key is not None:
            return "encrypted"
        return "plain" if self._settings.key is None else "key_missing"

    @property
    def locked(self) -> int:
        """Pictures set apart since the start because their key is not here."""
        return self._locked + self.store.locked

    @property
    def condition(self) -> Condition:
        """As far as the last attempt to write has shown."""
        return Condition(
            full=self._full_bytes is not None,
            in_memory=self._file.trouble if self._in_memory else None,
            refused=self._refused,
        )

    def put(self, requests: Sequence[Sequence[Message]]) -> list[list[int]]:
        """Write all of it in one transaction; the seqs.

        Raises:
            OutboxError: it is closed, or neither file nor memory takes it.
        """
        now = self._clock.now()
        try:
            seqs = self.run(lambda store: store.put(requests, now, self._most_bytes, self._bulk_bytes))
        except Exception as error:
            if len(requests) == 1 and not self._closed:  # of several, each is still tried alone
                self._refuse(error)
            if isinstance(error, OutboxError):
                raise
            raise OutboxError(f"outbox {self.path}: {error!r}", "report it with the log") from error
        if not self._in_memory and not self._file.unsaved:
            self.store.ended.clear()  # no other file has their starts
        return seqs

    def _refuse(self, error: Exception) -> None:
        """Invariant 15, told once: until nothing more is refused for a while."""
        if self._refused is None:
            log.exception("outbox_refuses", path=str(self.path), exc_info=error)
        self._refused, self._refused_at = str(error), self._clock.now()

    def count_dropped(self, priorities: Iterable[Priority]) -> None:
        """Count what was never taken, in the database as soon as that can be written. Never raises."""
        self.uncounted.update(priorities)
        if not self._closed:
            self._count()

    def _count(self) -> None:
        losses = dict(self.uncounted)
        try:
            self.run(lambda store: store.count_losses(losses))
        except (OutboxError, sqlite3.Error) as error:
            log.warning("losses_not_counted", why=str(error))
        else:
            self.uncounted.clear()

    def run(self, work: Callable[[OutboxStore], T]) -> T:
        """Do `work`; if the disk is full or fails, or the file is damaged, answer that and do it again.

        Raises:
            OutboxError: there is no answer.
        """
        for attempt in range(ATTEMPTS):
            if self._closed:
                raise OutboxError(f"outbox {self.path} is closed")
            try:
                return work(self.store)
            except sqlite3.Error as error:
                if not self._mend(error, attempt):
                    raise OutboxError(f"outbox {self.path}: {error}", HINT) from error
        raise OutboxError(f"outbox {self.path}: broken again and again", HINT)

    def tend(self) -> None:
        """See whether the ballast can be taken, memory be left, a seal be put. Never raises."""
        now = self._clock.now()
        if self._closed:
            return
        try:
            if now.since(self._tended) >= AGAIN_S:
                self._tended = now
                self._recover(now)
                self._file.erase_some(self._believed.now().wall_s)
            if self.uncounted:
                self._count()
            if self.store.locked:
                log.error("pictures_locked", number=self.store.locked, why=LOCKED)
                self._locked, self.store.locked = self.locked, 0
            if self.store.seal_due(now):
                self.run(lambda store: store.seal(now, self._most_bytes))
            if now.since(self._erased_at) >= self._settings.erase_after_s / 2:
                self._erase(now)
        except (OutboxError, sqlite3.Error, OSError) as error:
            log.warning("outbox_not_tended", why=str(error))

    def _erase(self, now: Instant) -> None:
        """Make unreadable what had left when this was done last; if somebody reads there, the next time."""
        self._erased_at, left = now, self.store.departed
        if (
            not self._in_memory
            and left != self._erased
            and erase_log(self.store.db, database.log_of(self.path))
        ):
            self._erased = left

    def verify(self) -> bool:
        """Read the whole file; a damaged one is set aside. False if it was. Called without the lock.

        Beside the work the file can be set aside, or left for memory, while it is read. Then what was seen was
        half of one file and half of another, and says nothing: what lies there now is read.

        Raises:
            OutboxError: it cannot be read.
        """
        while True:
            with self._lock:
                looked_at = self.store
                if self._in_memory or self._closed:
                    return True
            sound, trouble = self._read_whole()
            with self._lock:
                if self._closed:
                    return True
                if self.store is not looked_at:
                    continue
                if trouble is not None:
                    raise OutboxError(f"outbox {self.path}: {trouble}", HINT) from trouble
                if not sound:
                    self._begin_anew("quick_check finds damage")
                return sound

    def _read_whole(self) -> tuple[bool, sqlite3.Error | None]:
        """Whether the file at the path is sound, or why it cannot be read."""
        try:
            return database.is_sound(self.path), None
        except sqlite3.Error as error:
            return False, error

    def salvage(self) -> None:
        """Save what is whole in damaged files that are too large for the start. Called without the lock."""
        for aside in tuple(self._file.unsaved):
            if not self._closed and not self._in_memory:
                self._salvage(aside)

    @property
    def unsaved(self) -> bool:
        """Whether `salvage` has something to do."""
        return bool(self._file.unsaved) and not (self._in_memory or self._salvaging or self._closed)

    def fork(self, why: str) -> bool:
        """Invariant 16; False for a stream in memory, which nobody can have a copy of."""
        if self._in_memory or self._closed:
            return False
        with suppress(OutboxError):  # then some of what was sent under it stays unproven
            self.run(lambda store: store.seal_everything(self._clock.now(), self._most_bytes))
        self._begin_anew(why, FORKED)
        return True

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        if self._in_memory and not self._closed:
            self._to_disk(self._clock.now())
        self._closed = True
        if self._in_memory:
            self.store.db.close()
        self._file.close()

    # ----------------------------------------------------------------------------------------- when it breaks

    @property
    def _most_bytes(self) -> int:
        most = self._settings.max_bytes
        return min(most, self._settings.memory_bytes) if self._in_memory else most

    @property
    def _bulk_bytes(self) -> int | None:
        return None if self._in_memory else self._full_bytes

    def _mend(self, error: sqlite3.Error, attempt: int) -> bool:
        if self._in_memory or self._closed:
            return False
        if database.is_damage(error):
            self._begin_anew(str(error))
            return True
        full = database.result_code(error) == sqlite3.SQLITE_FULL
        if full and attempt < MAKES_ROOM and self._make_room():
            return True
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
            return False  # a mistake in what was asked: memory would not take it either
        self._to_memory(str(error), self.store)
        return True

    def _make_room(self) -> bool:
        """Invariant 14: give the ballast back, and let some pictures and updates go."""
        self._tended = self._clock.now()
        if self._full_bytes is None:
            self._full_bytes = self.store.counters.cost_bytes
            log.error("disk_full", path=str(self.path), ballast="dropped" if self._ballast.is_held else "none")
        dropped = self._ballast.drop()
        batch = self.store.batch(self._clock.now())
        gone = repair.sacrifice(batch)  # before the log is folded: that may take what the ballast gave
        if gone:
            self.store.written(batch)
            self._full_bytes = self.store.counters.cost_bytes
        return repair.fold_log(self.store.db) or gone or dropped

    def _begin_anew(self, why: str, kind: str = DAMAGED) -> None:
        """Invariants 9 and 16; if the disk does not even take a new file, invariant 12."""
        before = self.store
        try:
            self._file.begin_anew(self._clock.now(), why, kind)
            assert self._file.db is not None
            self.store = OutboxStore(self._file.db, self._clock.now(), self._key)
        except (DiskFails, sqlite3.Error) as error:
            self._to_memory(str(error), before)
            return
        self._salvage_small()

    def _to_memory(self, why: str, before: OutboxStore | None) -> None:
        """Invariant 12."""
        log.error("outbox_in_memory", path=str(self.path), why=why)
        self._tended = now = self._clock.now()
        self._file.let_go()
        self._file.trouble = why
        seal, damaged = (before.counters.seal, before.damaged) if before is not None else (None, 0)
        self.store = OutboxStore(database.in_memory(now, damaged, seal), now)
        self._in_memory = True

    def _to_disk(self, now: Instant) -> None:
        """Open the file again and put there what waits in memory; as before if that fails."""
        memory = self.store
        try:
            store = OutboxStore(self._file.open(now, memory.counters.seal), now, self._key)
            batch = store.batch(now)
            transact(store.db, lambda: repair.move(memory, batch, self._settings.max_bytes))
        except Exception as error:  # whatever it is, what waits is in memory and goes on there
            self._file.let_go()
            self._file.trouble = str(error)
            return
        store.written(batch)
        store.ended |= memory.ended
        self.store, self._in_memory = store, False
        memory.db.close()
        log.warning("outbox_on_disk_again", path=str(self.path), moved=memory.counters.pending)

    def _recover(self, now: Instant) -> None:
        """Leave memory, take the ballast again, and see what was done by hand."""
        if self._refused is not None and now.since(self._refused_at) >= AGAIN_S:
            self._refused = None
            log.warning("outbox_takes_again", path=str(self.path))
        if self._in_memory:
            self._to_disk(now)
        elif self._full_bytes is not None and (self._ballast.take() or self._ballast.room()):
            self._full_bytes = None
            repair.log_pages(self.store.db, database.CHECKPOINT_PAGES)
            log.warning("disk_has_room", path=str(self.path))
        elif self._full_bytes is None and self._ballast.size_bytes and not self._ballast.take():
            self._full_bytes = self.store.counters.cost_bytes
            log.error("disk_full", path=str(self.path), ballast="not to be had")
        if not self._in_memory and self.store.changed_by_hand():
            self.store.count_again()

    # ------------------------------------------------------------------------------------------ damaged files

    def _salvage_small(self) -> None:
        """Those that take no time worth mentioning; but not one that breaks while another is saved."""
        if self._salvaging:
            return
        for aside in tuple(self._file.unsaved):
            if not aside.is_file() or aside.stat().st_size <= database.SMALL_BYTES:
                self._salvage(aside)

    def _salvage(self, aside: Path) -> None:
        """Invariant 9: what is whole comes again, in small transactions between which others may put."""
        self._salvaging = True
        try:
            salvaged = repair.salvage(
                aside, self._reinsert, self._reopen, forked=is_forked(aside), key=self._key
            )
        finally:
            self._salvaging = False
        with self._lock:
            whole = salvaged.whole or (is_forked(aside) and not salvaged.locked)
            self._file.saved(aside, self._believed.now().wall_s, whole)
            self.salvaged.append(salvaged)

    def _reinsert(self, saved: Sequence[Saved], life: OutboxLife) -> None:
        def work(store: OutboxStore) -> None:
            batch = store.batch(self._clock.now())
            transact(store.db, lambda: repair.reinsert(batch, saved, life, self._most_bytes))
            store.written(batch)

        with self._lock:
            self.run(work)

    def _reopen(self, events: Sequence[Message]) -> None:
        with self._lock:
            known = [event for event in events if event.event_id not in self.store.ended]
            self.run(lambda store: transact(store.db, lambda: rows.reopen(store.db, known)))


HINT: Final = "look at the disk: full, read-only, or dying?"
