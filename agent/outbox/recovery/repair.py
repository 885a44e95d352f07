"""What an outbox does when its disk is full or its file damaged: makes room, saves, moves.

The invariants that the comments name stand at the head of outbox.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.outbox import queries as rows
from agent.outbox.encryption import OutboxKey
from agent.outbox.erase import erase_log
from agent.outbox.file import transact
from agent.outbox.recovery.intact import IntactFile
from agent.outbox.recovery.salvage import DamagedFile, OutboxLife, Saved
from agent.outbox.seals import Reinserted
from agent.outbox.store import OutboxStore
from agent.outbox.transaction import WriteBatch
from agent.wire.message import Message

__all__ = [
    "OutboxLife",
    "Salvaged",
    "Saved",
    "fold_log",
    "log_pages",
    "move",
    "reinsert",
    "sacrifice",
    "salvage",
]

REINSERT_BATCH: Final = 100
"""Messages in one transaction and under one seal when they are saved from elsewhere."""
FULL_LOG_PAGES: Final = 400
"""On a full disk the log may not take the ballast's place."""
SACRIFICE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of one file that was set aside."""

    kept_as: str
    messages: int
    """Saved: they come again in the new stream."""
    quarantined: int
    """Of which in quarantine."""
    spoiled: int
    """Recognised, but no longer what was put."""
    unreadable_pages: int
    """That the disk does not give."""
    stream: str | None
    """Of the file that was set aside, if that could be read."""
    forked: bool = False
    """It was not damaged: the station has other messages under its numbers (invariant 16)."""
    locked: int = 0
    """Pictures that stay in it, because their key is not here (invariant 18)."""

    @property
    def whole(self) -> bool:
        """Whether all that it held came again, as far as can be seen."""
        return self.stream is not None and not self.spoiled and not self.unreadable_pages and not self.locked

    def __str__(self) -> str:
        without = f", {self.locked} pictures left in it whose key is not here" if self.locked else ""
        if self.forked:
            return (
                f"{self.messages} messages go on under new numbers{without}: the station has others under"
                " theirs; the card was put back to an older state, or another box runs on a copy of it"
            )
        messages = f"{self.messages} messages saved, {self.spoiled} spoiled{without}"
        kept = "is erased, for all of it came again" if self.whole else "is kept"
        return f"{messages}, {self.unreadable_pages} pages unreadable; the file {self.kept_as} {kept}"


def salvage(
    path: Path,
    keep: Callable[[Sequence[Saved], OutboxLife], None],
    reopen: Callable[[Sequence[Message]], None],
    *,
    forked: bool = False,
    key: OutboxKey | None = None,
) -> Salvaged:
    """Save what a file that was set aside still holds: `keep` puts some messages of its life."""
    if not forked:
        return _salvage(DamagedFile(path, key), keep, reopen, forked=False)
    try:
        return _salvage(IntactFile(path, key), keep, reopen, forked=True)
    except (sqlite3.Error, ValueError, TypeError):  # it is damaged, too, or was never ours
        return _salvage(DamagedFile(path, key), keep, reopen, forked=False)


def _salvage(
    aside: DamagedFile | IntactFile,
    keep: Callable[[Sequence[Saved], OutboxLife], None],
    reopen: Callable[[Sequence[Message]], None],
    *,
    forked: bool,
) -> Salvaged:
    try:
        life = replace(aside.life(), forked=forked)
        found = apart = 0
        aside.search()
        some: list[Saved] = []
        for saved in aside.messages():
            found += 1
            apart += saved.reason is not None
            some.append(saved)
            if len(some) == REINSERT_BATCH:
                keep(some, life)
                some = []
        if some or (forked and not found):  # that it was forked is told also where nothing comes again
            keep(some, life)
        reopen(aside.open_events)
        return Salvaged(
            aside.path.name, found, apart, aside.spoiled, aside.unreadable, life.stream, forked, aside.locked
        )
    finally:
        aside.close()


def reinsert(batch: WriteBatch, saved: Sequence[Saved], life: OutboxLife, most_bytes: int) -> None:
    """Put what was saved from that life under new numbers, and the seal that tells so."""
    for each in saved:
        seq = batch.reinsert(each.message)
        if each.reason is not None and rows.set_apart(batch.db, seq, each.reason):
            batch.counters.pending -= 1
            batch.counters.quarantined += 1
    batch.seal(Reinserted(life.stream, life.newest, [each.seq for each in saved], life.forked))
    batch.finish(most_bytes)


def move(memory: OutboxStore, batch: WriteBatch, most_bytes: int) -> None:
    """Invariant 12: what an outbox in memory still holds goes into a file, with what it lost and left open."""
    life = OutboxLife(memory.stream, memory.counters.next_seq)
    store = _everything(memory)
    for at in range(0, max(len(store), min(life.newest or 0, 1)), REINSERT_BATCH):
        some = [
            Saved(seq, rows.read(memory.db, seq, memory.boot, memory.stream, table).message, reason)
            for seq, table, reason in store[at : at + REINSERT_BATCH]
        ]
        reinsert(batch, some, life, most_bytes)
    for priority, number in memory.counters.dropped.items():
        rows.count_losses(batch.db, priority, number)
        batch.counters.dropped[priority] = batch.counters.dropped.get(priority, 0) + number
    batch.db.executemany("delete from open_event where event_id = ?", [(event,) for event in memory.ended])
    rows.replace_open(batch.db, rows.open_events(memory.db))


def _everything(memory: OutboxStore) -> list[tuple[int, str, str | None]]:
    """Seq, table and reason of all that waits, by seq."""
    places = [
        (seq, table, reason)
        for table, what in (("message", "null"), ("quarantine", "reason"))
        for seq, reason in memory.db.execute(f"select seq, {what} from {table}")  # noqa: S608
    ]
    return sorted(places, key=lambda place: place[0])


def sacrifice(batch: WriteBatch) -> bool:
    """Invariant 14: drop the oldest pictures and updates for the sake of events; whether there were any."""
    before = batch.counters.cost_bytes

    def work() -> None:
        batch.finish(1 << 62, max(0, before - SACRIFICE_BYTES))

    try:
        transact(batch.db, work)
    except sqlite3.Error:
        return False
    return batch.counters.cost_bytes < before


def fold_log(db: sqlite3.Connection) -> bool:
    """Fold the log into the file and keep it short; whether that gave room back."""
    log_pages(db, FULL_LOG_PAGES)
    log = Path(db.execute("pragma database_list").fetchone()[2] + "-wal")
    try:
        before = log.stat().st_size
        erase_log(db, log, whole=True)
        db.execute("pragma wal_checkpoint(truncate)")
        return log.stat().st_size < before
    except (sqlite3.Error, OSError):
        return False


def log_pages(db: sqlite3.Connection, pages: int) -> None:
    """After how many pages the log is folded into the file."""
    with suppress(sqlite3.Error):
        db.execute(f"pragma wal_autocheckpoint = {pages:d}")
