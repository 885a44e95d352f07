"""The streams of the boxes, what is committed of them, and every message by its number."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from station.store.schema.naming import metadata, reference

stream = Table(  # one life of a box's outbox
    "stream",
    metadata,
    Column("id", Integer, primary_key=True),
    reference("box_id", "box"),
    Column("name", Text, nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("hello_ms", BigInteger),
    Column("oldest", BigInteger),  # by the latest hello: the lowest seq that the box still holds
    Column("newest", BigInteger),  # by the latest hello: the highest seq ever given
    Column("unnumbered", Integer, nullable=False),  # pictures whose seq MQTT 3.1.1 did not carry
    Column("seal_number", BigInteger),  # by hello: the newest seal of its hash chain …
    Column("seal_sha256", Text),  # … kept apart from the messages, so that a cut-off end shows
    UniqueConstraint("box_id", "name"),
)

span = Table(  # what is committed of a stream, for ever: it outlives the messages
    "span",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

message = Table(  # everything with a number, once
    "message",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("suffix", Text, nullable=False),  # the topic below the device
    Column("digest", Text, nullable=False),  # sha256 of what does not change when it is sent again
    Column("received_ms", BigInteger, nullable=False),
    Column("deletion_id", BigInteger),  # the deletion that took its content out; null: it is here
    sqlite_with_rowid=False,
)

message_is_picture = message.c.kind.in_([literal_column("'image'"), literal_column("'snapshot'")])
"""Its digest is that of a file; the row of `picture` does not say under which number it came."""
Index(  # by topic, which names the event: they come one after the other there, and hashes in no order
    "ix_message_picture_suffix",
    message.c.suffix,
    sqlite_where=message_is_picture,
    postgresql_where=message_is_picture,
)
