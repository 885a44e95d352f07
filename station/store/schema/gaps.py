"""Numbers of streams that are missing, or will not come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from station.store.schema.naming import metadata, reference

gap = Table(  # numbers of a stream that did not come while later ones did
    "gap",
    metadata,
    Column("id", Integer, primary_key=True),
    reference("stream_id", "stream"),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),  # how many of them are missing still
    Column("state", Text, nullable=False),  # open: may come; gone: the box has it no more; filled
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("cause", Text),  # the alarm of that time that explains it: second_station, quota; null: not known
    Index("ix_gap_stream_id", "stream_id"),
)

given_up = Table(  # numbers that will not come, as a seal of the box tells
    "given_up",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, primary_key=True),
    Column("reason", Text, nullable=False),  # dropped: no room; carried: came in a later stream
)
