"""What went by its age, what of it has to leave the disk yet, and what is held."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from station.store.schema.naming import metadata

deletion = Table(  # what went by its age: a row for each class and run, and for each package of footage
    "deletion",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", Text, nullable=False),  # of station.retention.settings: KeptClass
    Column("subject", Text, nullable=False),  # box/request of a package; '' for all else
    Column("days", Integer, nullable=False),  # the rule
    Column("until_ms", BigInteger, nullable=False),  # what came before this moment was due
    Column("begun_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # null: it was cut off, or goes on
    Column("item_count", BigInteger, nullable=False),  # events, pictures, intervals, packages, answers
    Column("messages", BigInteger, nullable=False),  # so many rows of `message` name it
    Column("size_bytes", BigInteger, nullable=False),  # bodies, and files that nothing else needed
    Column("is_noted", Boolean, nullable=False),  # in the console's log
    Index("ix_deletion_begun_ms", "begun_ms"),
    sqlite_autoincrement=True,
)

blob_removal = Table(  # files whose row went, until they have gone, too
    "blob_removal",
    metadata,
    Column("sha256", Text, primary_key=True),
)

picture_removal = Table(  # records of segments whose row went, until they have gone, too
    "picture_removal",
    metadata,
    Column("segment", Integer, primary_key=True, autoincrement=False),
    Column("segment_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
)

event_hold = Table(  # what supervisors said of an event's age: keep it, or the case is closed; it only grows
    "event_hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("box_id", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("act", Text, nullable=False),  # hold; closing: what was confirmed may go by its age
    Column("case_number", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("change_id", Integer, nullable=False),  # of a closing: the step of `review` that it is about; else 0
    Column("released_ms", BigInteger),
    Column("released_login", Text),
    Column("released_name", Text),
    Column("released_reason", Text),
    Index("ix_event_hold_event_id", "event_id"),
    sqlite_autoincrement=True,
)
