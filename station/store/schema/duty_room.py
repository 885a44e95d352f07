"""What the duty room makes of events, and where it hangs its boxes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from station.store.schema.naming import metadata

review = Table(  # what the duty room made of an event; no row: nobody has looked yet
    "review",
    metadata,
    Column("box_id", Integer, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("state", Text, nullable=False),  # seen, confirmed, false, passed_on
    Column("reason", Text),  # of a false alarm
    Column("right_label", Text),  # of what was taken for something else: what it is; none: no road user
    Column("note", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("change_id", Integer, nullable=False),  # the row of review_change that says so
    Column("camera", Text, nullable=False),  # to began_ms: of the event, as it was then
    Column("rule_id", Text, nullable=False),
    Column("rule_kind", Text, nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Index("ix_review_changed_ms", "changed_ms"),
    Index("ix_review_state", "state", "changed_ms"),
)

review_change = Table(  # every step of it, in order; it only grows
    "review_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("box_id", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("state", Text, nullable=False),  # new: taken back
    Column("reason", Text),
    Column("right_label", Text),
    Column("note", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("ix_review_change_event_id", "event_id"),
    sqlite_autoincrement=True,
)

plan = Table(  # a picture of the commune, on which boxes have their places
    "plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("image", LargeBinary, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

plan_place = Table(
    "plan_place",
    metadata,
    Column("plan_id", Integer, ForeignKey("plan.id"), primary_key=True),
    Column("box_id", Integer, ForeignKey("box.id"), primary_key=True),
    Column("x_permille", Integer, nullable=False),  # from the left
    Column("y_permille", Integer, nullable=False),  # from the top
)
