"""Boxes and their cameras: how each stands, and every change of it."""

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
