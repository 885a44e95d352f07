"""By which clock and keys a box is believed, how much is taken of it, and what is wrong and lasts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from station.store.schema.naming import metadata

clock_map = Table(  # which wall time belongs to which moment of a boot
    "clock_map",
    metadata,
    Column("box_id", Integer, ForeignKey("box.id"), primary_key=True),
    Column("boot_id", Text, primary_key=True),
    Column("mono_ms", BigInteger, primary_key=True),
    Column("wall_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)

box_key = Table(  # by which keys a box said that it signs packages of footage
    "box_key",
    metadata,
    Column("box_id", Integer, ForeignKey("box.id"), primary_key=True),
    Column("key", Text, primary_key=True),  # Ed25519, base64 of 32 bytes
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("accepted_ms", BigInteger),  # since when packages are judged by it; the latest counts
)

alarm = Table(  # what is wrong and lasts; one row each, from its opening to its close
    "alarm",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),  # of station.ingest.alarms
    Column("box_id", Integer, ForeignKey("box.id")),  # null: it is about no single box
    Column("standing", Text),  # kind/box while it is not over, so that there is one; then null
    Column("opened_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),  # when it was raised last
    Column("count", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("detail", Text, nullable=False),
    UniqueConstraint("standing"),
)

daily_usage = Table(  # what was taken of a box on a day of UTC, and what was refused: station/store/quota.py
    "daily_usage",
    metadata,
    Column("box_id", Integer, ForeignKey("box.id"), primary_key=True),
    Column("day", Integer, primary_key=True),  # since 1970
    Column("messages", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("unreadable_bytes", BigInteger, nullable=False),
    Column("streams", BigInteger, nullable=False),  # new ones
    Column("refused", BigInteger, nullable=False),  # messages; one that came again is counted again
    Column("refused_bytes", BigInteger, nullable=False),
)
