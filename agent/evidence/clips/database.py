"""The file of requests for clips: opened, made, set aside where it is damaged."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from agent.evidence import database

log = structlog.get_logger(__name__)

APPLICATION_ID: Final = 0x6E67636C
VERSION: Final = 1
_SCHEMA: Final = f"""
create table request (
    id          text primary key,
    camera      text not null,
    from_s      real not null,             -- wall time, seconds since 1970
    to_s        real not null,
    case_number text not null,
    purpose     text not null,
    officer     text not null,
    issuer      text not null,             -- who sent the command
    asked_s     real not null,
    command_sha256 text,                   -- of the command as it came; null: asked for at the box itself
    audit_line  integer,                   -- of the box's audit log, in which it stands
    state       text not null,             -- ClipState
    detail      text,
    announced   text not null default '',  -- the state that the outbox has a word of
    sent        text not null default '[]',-- ranges of pieces that the station has receipted
    bytes       integer,                   -- of its package, once it is cut
    parts       integer                    -- pieces of it
) strict;
create table file (
    request   text not null references request (id),
    place     integer not null,            -- their order; pieces are counted over all of them
    name      text not null,
    bytes     integer not null,
    body      blob,                        -- null: it lies in the ring
    stored    text,                        -- where, as JSON: a StoredFragment, or the file of a frame
    primary key (request, place)
) strict;
pragma application_id = {APPLICATION_ID:d};
pragma user_version = {VERSION:d};
"""


def connect(path: Path) -> sqlite3.Connection:
    """The database; a new one where there is none.

    Raises:
        sqlite3.OperationalError: the disk will not have it, or it is not ours.
        sqlite3.DatabaseError: it is damaged.
    """
    return database.connect(path, database.OwnDatabase(APPLICATION_ID, VERSION, _SCHEMA, "request"))


def set_aside(path: Path) -> None:
    """Keep a damaged file beside the one that takes its place."""
    kept = path.with_name(path.name + ".damaged")
    with suppress(OSError):
        path.replace(kept)
    with suppress(OSError):
        path.with_name(path.name + "-journal").unlink()
    log.error("clips_damaged", kept_as=str(kept))
