"""A technician's view of an outbox: what waits, what is in quarantine, and what to do about it by hand.

Reading is read-only and disturbs no agent at work. Writing moves or drops quarantined messages only; an agent
at work notices within ten seconds.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from agent.clock import Clock
from agent.errors import OutboxError
from agent.outbox import database
from agent.outbox import queries as rows
from agent.outbox.file import OutboxFile, OutboxInUse, transact
from agent.outbox.transaction import sums
from agent.wire import codec
from agent.wire.message import Priority, Stored

_ANY_BOOT: Final = -1


@dataclass(frozen=True, slots=True)
class Sum:
    """What waits of one class."""

    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Status:
    """An outbox at one glance."""

    stream: str
    at_work: bool
    """An agent has it open."""
    waiting: dict[str, Sum]
    """By class."""
    oldest_s: float | None
    """Age of the oldest that waits, by the wall clock, as well as that can tell."""
    quarantined: int
    dropped: dict[str, int]
    """Class -> evicted or dropped by hand since the stream began."""
    newest_seq: int
    seals: int
    unsealed: int
    damaged: tuple[str, ...]
    """Files that were set aside."""
    file_bytes: int
    ballast_bytes: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message, without its body."""

    seq: int
    priority: str
    topic: str
    event_id: str | None
    bytes: int
    put_wall_s: float
    reason: str | None
    """Why it is in quarantine; None: it waits to be sent."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The outbox, read-only, as it is at this moment.

    Raises:
        OutboxError: it is not there, or cannot be read.
    """
    if not path.is_file():
        raise OutboxError(f"there is no outbox at {path}", "is state_dir right, and has the agent ever run?")
    try:
        with closing(_read_only(path)) as db:
            db.execute("begin")
            if db.execute("pragma application_id").fetchone()[0] != database.APPLICATION_ID:
                raise OutboxError(f"{path} is the database of another program", "name the agent's outbox.db")
            yield db
    except sqlite3.Error as error:
        raise OutboxError(
            f"outbox {path} cannot be read: {error}",
            "is it yours to read? A damaged one is set aside at the agent's next start",
        ) from error


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even an empty log beside a file that nobody has open.

    Such a log would belong to whoever looks, and the agent's user could not write it.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    alone = not database.log_of(path).exists() and not at_work(path)
    return sqlite3.connect(f"{uri}&immutable=1" if alone else uri, uri=True, timeout=5.0, isolation_level=None)


def status(path: Path, clock: Clock) -> Status:
    """The outbox at one glance.

    Raises:
        OutboxError: it cannot be read.
    """
    with reading(path) as db:
        stream, _, counters = sums(db)
        waiting = {
            Priority(priority).name.lower(): Sum(number, size)
            for priority, number, size in db.execute(
                "select priority, count(*), sum(cost_bytes) from message group by priority order by priority"
            )
        }
        oldest = db.execute("select put_wall_s from message order by seq limit 1").fetchone()
        ballast = path.with_name(path.name + ".ballast")
        return Status(
            stream=stream,
            at_work=at_work(path),
            waiting=waiting,
            oldest_s=None if oldest is None else max(0.0, clock.now().wall_s - oldest[0]),
            quarantined=counters.quarantined,
            dropped={priority.name.lower(): number for priority, number in counters.dropped.items()},
            newest_seq=counters.next_seq - 1,
            seals=counters.seal[1] if counters.seal is not None and counters.seal[0] == stream else 0,
            unsealed=counters.unsealed,
            damaged=tuple(
                sorted(p.name for p in path.parent.glob(f"{path.name}.damaged.*") if p.suffix[1:].isdigit())
            ),
            file_bytes=sum(p.stat().st_size for p in (path, database.log_of(path)) if p.exists()),
            ballast_bytes=ballast.stat().st_size if ballast.exists() else 0,
        )


def at_work(path: Path) -> bool:
    """Whether an agent has the outbox open."""
    return OutboxFile.is_locked(path)


def entries(path: Path, *, quarantined: bool, limit: int) -> list[OutboxEntry]:
    """The first messages by seq: those in quarantine, or those that wait.

    Raises:
        OutboxError: it cannot be read.
    """
    table, reason = ("quarantine", "reason") if quarantined else ("message", "null")
    with reading(path) as db:
        found = db.execute(
            f"select seq, priority, topic, event_id, length(body), put_wall_s, {reason}"  # noqa: S608
            f" from {table} order by seq limit ?",
            (limit,),
        )
        return [OutboxEntry(seq, Priority(priority).name.lower(), *rest) for seq, priority, *rest in found]


def export(path: Path, folder: Path, clock: Clock) -> int:
    """Copy everything, quarantined too, into an empty folder: a file each, and one line each in messages.jsonl.

    Raises:
        OutboxError: it cannot be read, or the folder is not empty or cannot be written.
    """
    number = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutboxError(f"{folder} is not empty", "name a new folder")
        with reading(path) as db, (folder / "messages.jsonl").open("w", encoding="utf-8") as index:
            for entry, stored in _everything(db):
                name = f"{stored.seq:08}.{'json' if stored.message.content_type == codec.JSON else 'jpg'}"
                (folder / name).write_bytes(codec.finish(stored, stored.stream, clock.now()))
                line = asdict(entry) | {"file": name, "stream": stored.stream, "sha256": stored.sha256}
                index.write(json.dumps(line, ensure_ascii=False) + "\n")
                number += 1
    except OSError as error:
        raise OutboxError(
            f"{folder}: {error.strerror or error}", "name a folder that can be written"
        ) from error
    return number


def _everything(db: sqlite3.Connection) -> Iterator[tuple[OutboxEntry, Stored]]:
    stream, *_ = sums(db)
    places = [
        (seq, table)
        for table in ("message", "quarantine")
        for (seq,) in db.execute(f"select seq from {table}")  # noqa: S608
    ]
    for seq, table in sorted(places):
        stored = rows.read(db, seq, _ANY_BOOT, stream, table)
        reason = None
        if table == "quarantine":
            (reason,) = db.execute("select reason from quarantine where seq = ?", (seq,)).fetchone()
        message = stored.message
        yield (
            OutboxEntry(
                seq, message.priority.name.lower(), message.topic, message.event_id, len(message.body),
                stored.put_at.wall_s, reason,
            ),
            stored,
        )  # fmt: skip


def requeue(path: Path, seqs: Iterable[int] | None, clock: Clock) -> int:
    """Let quarantined messages (None: all) be sent again; how many there were.

    Raises:
        OutboxError: it cannot be written.
    """
    return _by_hand(path, seqs, rows.set_free, clock)


def drop(path: Path, seqs: Iterable[int] | None, clock: Clock) -> int:
    """Give quarantined messages (None: all) up for good, counted as lost; how many there were.

    Raises:
        OutboxError: it cannot be written.
    """
    return _by_hand(path, seqs, rows.give_up, clock)


def _by_hand(
    path: Path, seqs: Iterable[int] | None, work: Callable[[sqlite3.Connection, int], bool], clock: Clock
) -> int:
    def do(db: sqlite3.Connection) -> int:
        chosen = [seq for (seq,) in db.execute("select seq from quarantine")] if seqs is None else list(seqs)
        return sum(work(db, seq) for seq in chosen)

    with reading(path):  # refuses what is no outbox, before anything is written
        pass
    try:
        try:
            file = OutboxFile(path, clock.now())
        except OutboxInUse:  # an agent is at work: SQLite lets us in between two of its transactions
            with closing(sqlite3.connect(path, isolation_level=None, timeout=10.0)) as db:
                db.execute("pragma synchronous = full")
                return transact(db, lambda: do(db))
        try:
            if file.db is None:
                raise OutboxError(f"outbox {path}: {file.trouble}", "look at the disk's health")
            store = file.db
            return transact(store, lambda: do(store))
        finally:
            file.close()
    except sqlite3.Error as error:
        raise OutboxError(f"outbox {path} cannot be written: {error}", "run it as the agent's user") from error


def age(seconds: float | None) -> str:
    """A time span for people: 3 s, 5 min, 7 h, 2 d."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for unit, length_s in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"
