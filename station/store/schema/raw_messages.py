"""Messages kept as they came: answers and footage, what could not be read, and what contradicts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from station.store.schema.naming import metadata, reference

other_message = Table(  # answers to commands, and footage: kept as they came
    "other_message",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    reference("box_id", "box"),
    Column("kind", Text, nullable=False),
    Column("suffix", Text, nullable=False),
    Column("body", Text),  # JSON …
    Column("sha256", Text, ForeignKey("blob.sha256")),  # … or bytes
    Column("received_ms", BigInteger, nullable=False),
)

message_is_answer = other_message.c.kind == literal_column("'ack'")
"""An answer to an order."""
Index(
    "ix_other_message_answer",
    other_message.c.received_ms,
    sqlite_where=message_is_answer,
    postgresql_where=message_is_answer,
)
_IN_FILE = other_message.c.sha256.is_not(None)
Index(  # so that a file which nothing else needs is known at once
    "ix_other_message_sha256", other_message.c.sha256, sqlite_where=_IN_FILE, postgresql_where=_IN_FILE
)

quarantine = Table(  # what could not be read
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    reference("box_id", "box"),
    Column("suffix", Text, nullable=False),
    Column("digest", Text, nullable=False),  # sha256 of all its bytes
    Column("reason", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # its bytes, at most writer.MAX_KEPT_BYTES of them
    Column("stream", Text),
    Column("seq", BigInteger),
    Column("received_count", Integer, nullable=False),
    Column("first_received_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "suffix", "digest"),
)

conflict = Table(  # the same id with other content: the first is kept in its place, the other here
    "conflict",
    metadata,
    Column("id", Integer, primary_key=True),
    reference("box_id", "box"),
    Column("key_kind", Text, nullable=False),  # seq, or revision (of an event)
    Column("key", Text, nullable=False),  # stream/seq, or event id/revision
    Column("kept_digest", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("suffix", Text, nullable=False),
    Column("body", LargeBinary),  # JSON, or the first bytes of what could not be read …
    Column("sha256", Text, ForeignKey("blob.sha256")),  # … or a picture
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "key_kind", "key", "digest"),
)
_BESIDE_IN_FILE = conflict.c.sha256.is_not(None)
Index("ix_conflict_sha256", conflict.c.sha256, sqlite_where=_BESIDE_IN_FILE, postgresql_where=_BESIDE_IN_FILE)
