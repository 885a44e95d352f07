"""Counts: the intervals as they came, and their sums by the hour."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, literal_column

from station.store.schema.naming import metadata, reference

count_interval = Table(
    "count_interval",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    reference("box_id", "box"),
    Column("camera", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_ms", BigInteger),  # null here and below: it came before the station wrote this down
    Column("clock_state", Text),
    Column("boot_id", Text),  # of the box's clock that never steps …
    Column("mono_ms", BigInteger),  # … and what it said at end_ms
    Column("clock_offset_ms", BigInteger),  # to be added to the box's times; null: nobody knows better
    Index("ix_count_interval_start_ms", "start_ms"),
    Index("ix_count_interval_box_id", "box_id", "camera", "rule", "start_ms"),
    Index("ix_count_interval_boot_id", "box_id", "boot_id"),
)

count_is_untrusted = count_interval.c.clock_state.not_in([literal_column("'ntp'"), literal_column("'rtc'")])
"""Nobody vouched for the clock by which it is stamped."""
Index(
    "ix_count_interval_untrusted",
    count_interval.c.box_id,
    count_interval.c.camera,
    count_interval.c.rule,
    count_interval.c.received_ms,
    sqlite_where=count_is_untrusted,
    postgresql_where=count_is_untrusted,
)

count_hour = Table(  # intervals of trusted clocks summed up by hours of UTC: nothing that they do not say, too
    "count_hour",
    metadata,
    Column("box_id", Integer, ForeignKey("box.id"), primary_key=True),
    Column("camera", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("body", Text),  # station/counting/hours.py; null: only the intervals themselves say it
    Column("due_ms", BigInteger),  # since when it is to be summed up anew; null: it is as the intervals are
    sqlite_with_rowid=False,
)
_IS_DUE = count_hour.c.due_ms.is_not(None)
Index("ix_count_hour_due", count_hour.c.hour_ms, sqlite_where=_IS_DUE, postgresql_where=_IS_DUE)
