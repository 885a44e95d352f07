"""The index of the frames for training: opened, made, begun anew where it is damaged."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from agent.evidence import database

log = structlog.get_logger(__name__)

FILE: Final = "samples.db"
APPLICATION_ID: Final = 0x6E67736D
VERSION: Final = 1
_SCHEMA: Final = f"""
create table sample (
    id        text    primary key,
    camera    text    not null,
    taken_ms  integer not null,      -- wall time as it was believed, milliseconds since 1970
    reason    text    not null,
    place     text    not null,
    hour      integer not null,      -- of the day, local time
    worth     real    not null,      -- how much it teaches, 0..1
    bytes     integer not null,      -- of its file, in whole blocks of the disk
    file      text    not null unique
) strict;
create index sample_worth on sample (worth, taken_ms);
create index sample_camera on sample (camera, taken_ms);
pragma application_id = {APPLICATION_ID:d};
pragma user_version = {VERSION:d};
"""


def connect(path: Path) -> sqlite3.Connection:
    """The database; a new one where there is none.

    Raises:
        sqlite3.OperationalError: the disk will not have it, or it is not ours.
        sqlite3.DatabaseError: it is damaged.
    """
    return database.connect(path, database.OwnDatabase(APPLICATION_ID, VERSION, _SCHEMA, "sample"))


def begin_anew(path: Path, why: Exception) -> sqlite3.Connection:
    """A new index in the place of a damaged one; what lies in the folder is listed by its names again.

    Raises:
        sqlite3.Error, OSError: the disk will not have it.
    """
    log.error("samples_index_damaged", path=str(path), why=str(why), hint="it is read from the files again")
    for each in (path, path.with_name(path.name + "-journal")):
        with suppress(FileNotFoundError):
            each.unlink()
    return connect(path)
