"""Opens the journal's file: a new one, one of ours, an older one brought up to date, or said why not."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from agent.errors import OutboxError
from agent.outbox.erase import zero
from agent.translatable import tr

log = structlog.get_logger(__name__)

IN_MEMORY: Final = Path(":memory:")
"""For a disk that will not have it: then each command is done once in one life of the agent only."""
APPLICATION_ID: Final = 0x6E676A6E
VERSION: Final = 2
FORMER_NAME: Final = "orders.db"
"""What the file was called in version 1."""

_SCHEMA: Final = f"""
create table command (
    id        text primary key,
    verb      text not null,
    args      text not null,
    issuer    text not null,
    issued_s  real not null,
    expires_s real not null,
    sha256    text not null,
    state     text not null,               -- CommandState
    ack       blob,                        -- its body; null: the command has not ended
    picture   blob,                        -- until the outbox has it
    topic     text,                        -- where the picture goes
    in_outbox integer not null default 0   -- 1: the outbox has the ack
) strict;
create index by_issue on command (issued_s);
create index ack_waits on command (in_outbox) where in_outbox = 0;
create table pause (
    camera       text not null,
    rule         text not null,
    until_s      real not null,
    boot_id      text not null,
    until_mono_s real not null,
    issuer       text not null,
    primary key (camera, rule)
) strict;
create table memory (forgotten_s real not null) strict;
pragma application_id = {APPLICATION_ID:d};
pragma user_version = {VERSION:d};
"""
_FROM_1: Final = f"""
drop index untold;
alter table command rename column answer to ack;
alter table command rename column told to in_outbox;
create index ack_waits on command (in_outbox) where in_outbox = 0;
pragma application_id = {APPLICATION_ID:d};
pragma user_version = {VERSION:d};
"""


def connect(path: Path, forgotten_s: float) -> sqlite3.Connection:
    """The journal's database; a new one takes nothing that was issued at `forgotten_s` or before.

    Raises:
        sqlite3.OperationalError: the disk will not have it.
        sqlite3.DatabaseError: it is damaged, or no journal.
        OutboxError: it is of a newer version.
    """
    if path != IN_MEMORY:
        _rename_former(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        # No write-ahead log: touching its map of memory, on a disk without room, would kill the process.
        # The file of the rollback journal stays, for what is deleted keeps its bytes on the card (`erase`).
        db.execute("pragma journal_mode = persist")
        db.execute("pragma secure_delete = on")
        db.execute(
            "pragma synchronous = extra"
        )  # that it is on disk, and also that the rollback journal is gone
        _bring_up_to_date(db, path, forgotten_s)
        db.execute("select * from command limit 1").fetchall()
    except BaseException:
        db.close()
        raise
    return db


def _bring_up_to_date(db: sqlite3.Connection, path: Path, forgotten_s: float) -> None:
    columns = {name for _, name, *_ in db.execute("pragma table_info(command)")}
    (ours,) = db.execute("pragma application_id").fetchone()
    (version,) = db.execute("pragma user_version").fetchone()
    if not columns and not ours:
        db.executescript(f"begin immediate; {_SCHEMA}")
        db.execute("insert into memory values (?)", (forgotten_s,))
        db.execute("commit")
    elif not ours and "told" in columns:
        db.executescript(f"begin immediate; {_FROM_1} commit;")
        log.info("journal_upgraded", path=str(path), version=VERSION)
    elif ours != APPLICATION_ID:
        raise sqlite3.DatabaseError("it is no journal of commands")
    elif version > VERSION:
        raise OutboxError(
            tr(
                "command journal {path} has version {version}, this agent knows {known}",
                path=path,
                version=version,
                known=VERSION,
            ),
            tr("install the newer agent again, or move the file away"),
        )


def erase(path: Path) -> None:
    """Overwrite what the rollback journal holds of pages that were changed; nobody may be in a transaction."""
    with suppress(OSError):  # a disk that fails is told by whoever writes there next
        handle = os.open(path.with_name(path.name + "-journal"), os.O_WRONLY | os.O_CLOEXEC)
        try:
            zero(handle)
        finally:
            os.close(handle)


def set_aside(path: Path) -> None:
    """Keep a damaged file beside the one that takes its place."""
    kept = path.with_name(path.name + ".damaged")
    with suppress(OSError):
        path.replace(kept)
    for end in ("-journal", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + end).unlink()
    log.error("journal_damaged", kept_as=str(kept))


def _rename_former(path: Path) -> None:
    """Take over the file of version 1 under its name of today, with what waits in it.

    Its rollback journal goes first: between the two no file can be taken for whole that is not.
    """
    former = path.with_name(FORMER_NAME)
    if path.exists() or not former.exists():
        return
    try:
        for end in ("-journal", ""):
            with suppress(FileNotFoundError):
                former.with_name(former.name + end).rename(path.with_name(path.name + end))
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OutboxError(
            tr("command journal {path}: {reason}", path=path, reason=error.strerror or error),
            tr("look at the disk"),
        ) from error
