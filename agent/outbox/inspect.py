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
from agent.outbox.encryption import Locked, OutboxKey
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
    """In the file, where an encrypted picture is a little longer."""
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
    with reading(path) as db:
        return _entries(db, "quarantine" if quarantined else "message", "order by seq limit ?", limit)


def _entries(db: sqlite3.Connection, table: str, which: str, number: int) -> list[OutboxEntry]:
    reason = "reason" if table == "quarantine" else "null"
    found = db.execute(
        f"select seq, priority, topic, event_id, length(body), put_wall_s, {reason} from {table} {which}",  # noqa: S608
        (number,),
    )
    return [OutboxEntry(seq, Priority(priority).name.lower(), *rest) for seq, priority, *rest in found]


def export(path: Path, folder: Path, clock: Clock, key: OutboxKey | None = None) -> tuple[int, int]:
    """Copy everything, quarantined too, into an empty folder: a file each, and one line each in messages.jsonl.

    Returns how many there are, and how many of these are pictures whose key is not `key`: these have no file.

    Raises:
        OutboxError: it cannot be read, or the folder is not empty or cannot be written.
    """
    number = locked = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutboxError(f"{folder} is not empty", "name a new folder")
        with reading(path) as db, (folder / "messages.jsonl").open("w", encoding="utf-8") as index:
            stream, *_ = sums(db)
            for entry, stored in _everything(db, key):
                name = None
                if stored is not None:
                    name = f"{stored.seq:08}.{'json' if stored.message.content_type == codec.JSON else 'jpg'}"
                    (folder / name).write_bytes(codec.finish(stored, stored.stream, clock.now()))
                digest = rows.digest_of(db, entry.seq) or b""
                line = asdict(entry) | {"file": name, "stream": stream, "sha256": digest.hex()}
                index.write(json.dumps(line, ensure_ascii=False) + "\n")
                number, locked = number + 1, locked + (name is None)
    except OSError as error:
        raise OutboxError(
            f"{folder}: {error.strerror or error}", "name a folder that can be written"
        ) from error
    return number, locked


def _everything(db: sqlite3.Connection, key: OutboxKey | None) -> Iterator[tuple[OutboxEntry, Stored | None]]:
    """None: its key is not here."""
    stream, *_ = sums(db)
    places = [
        (seq, table)
        for table in ("message", "quarantine")
        for (seq,) in db.execute(f"select seq from {table}")  # noqa: S608
    ]
    for seq, table in sorted(places):
        try:
            stored = rows.read(db, seq, _ANY_BOOT, stream, table, key)
        except Locked:
            stored = None
        (entry,) = _entries(db, table, "where seq = ?", seq)
        yield entry, stored


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
