"""Pictures: what lies in files, by its hash, and which event each is of."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    literal_column,
)

from station.store.schema.naming import metadata, reference

blob = Table(  # what lies in the folder `blobs`, once, by its hash
    "blob",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("segment", Integer),  # in which it lies; null: in a file of its own
    Column("segment_offset", BigInteger),  # where its record begins there
)
Index("uq_blob_received_ms", blob.c.received_ms, blob.c.sha256, unique=True)  # what `picture` refers to
_IN_SEGMENT = blob.c.segment.is_not(None)
Index(  # so that a start need not read them all, and a segment that nothing needs is known at once
    "ix_blob_segment",
    blob.c.segment,
    blob.c.segment_offset,
    sqlite_where=_IN_SEGMENT,
    postgresql_where=_IN_SEGMENT,
)
_APART = blob.c.segment.is_(None)
Index("ix_blob_apart", blob.c.sha256, sqlite_where=_APART, postgresql_where=_APART)

# A blob's pictures are found by when it came, and by its hash then: in that order the index grows at its end,
# and by hashes alone it would be written at another place for each.
picture = Table(  # which event a blob is the picture of; event_id is '' for a snapshot
    "picture",
    metadata,
    reference("box_id", "box"),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("blob_received_ms", BigInteger, nullable=False),  # earlier where another event had it first
    PrimaryKeyConstraint("event_id", "box_id", "kind", "sha256"),  # see `event`
    ForeignKeyConstraint(["blob_received_ms", "sha256"], ["blob.received_ms", "blob.sha256"]),
    Index("ix_picture_blob_received_ms", "blob_received_ms", "sha256"),
    Index("ix_picture_received_ms", "received_ms"),
)

picture_shows_blob = (picture.c.blob_received_ms == blob.c.received_ms) & (picture.c.sha256 == blob.c.sha256)
"""To join the two: by hashes alone every picture would be read."""

picture_is_snapshot = picture.c.kind == literal_column("'snapshot'")
"""It was ordered; by a literal, for no partial index serves a bound value."""
Index(
    "ix_picture_snapshot",
    picture.c.box_id,
    picture.c.camera,
    picture.c.received_ms,
    sqlite_where=picture_is_snapshot,
    postgresql_where=picture_is_snapshot,
)
