"""What is wrong and lasts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from station.store.schema.naming import metadata

alarm = Table(  # one row each, from its opening to its close
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
