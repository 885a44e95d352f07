"""Boxes and their cameras: how each stands, every change, what a box is believed by and what is taken of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from station.store.schema.naming import metadata, reference

box = Table(
    "box",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("commune", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("state", Text),  # online, offline, stopped; null: never told
    Column("state_session", Text),
    Column("state_ms", BigInteger),
    Column("info", Text),  # the latest, as it came
    Column("info_ms", BigInteger),
    Column("health", Text),  # the latest, as it came
    Column("health_ms", BigInteger),
    UniqueConstraint("commune", "device"),
)

box_status = Table(  # each change of box.state
    "box_status",
    metadata,
    Column("id", Integer, primary_key=True),
    reference("box_id", "box"),
    Column("session", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "session", "state", "time_ms"),
)

camera = Table(
    "camera",
    metadata,
    Column("box_id", Integer, ForeignKey("box.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # the latest, as it came
    Column("received_ms", BigInteger, nullable=False),
)

camera_status = Table(  # each change of camera.state
    "camera_status",
    metadata,
    Column("id", Integer, primary_key=True),
    reference("box_id", "box"),
    Column("camera", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("reason", Text),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "camera", "state", "since_ms"),
)

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
