"""Events: every message of them, how each stands, by what they are found, and in which order they came."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    literal_column,
    or_,
)

from station.store.schema.naming import metadata, reference

event_revision = Table(  # every message of every event
    "event_revision",
    metadata,
    reference("box_id", "box"),
    Column("event_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    reference("stream_id", "stream"),
    Column("seq", BigInteger, nullable=False),
    Column("phase", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("replayed", Boolean, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", Text, nullable=False),  # the JSON as it came
    Column("received_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("event_id", "box_id", "revision"),  # see `event`
    Index("ix_event_revision_stream_id", "stream_id", "seq"),
)

event = Table(  # how each event stands: its highest revision, and the best pictures of all of them
    "event",
    metadata,
    reference("box_id", "box"),
    Column("event_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("camera", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("rule_kind", Text, nullable=False),
    Column("label", Text),
    Column("riders", BigInteger),
    Column("top_score_permille", Integer),
    Column("zones", Text),  # those that its road user has been in, in order, as ",gate,crossing,"; null: none
    Column("track_id", Text),
    Column("direction", Text),
    Column("end_reason", Text),
    Column("detail", Text),
    Column("replayed", Boolean, nullable=False),
    Column("clock_state", Text, nullable=False),
    Column("boot_id", Text),  # of the box's clock that never steps …
    Column("mono_ms", BigInteger),  # … and what it said at time_ms
    Column("clock_offset_ms", BigInteger),  # to be added to the box's times; null: nobody knows better
    Column("thumbnail_sha256", Text),  # may be told before the picture comes: look it up in `picture`
    Column("thumbnail_revision", BigInteger),
    Column("scene_sha256", Text),
    Column("scene_revision", BigInteger),
    Column("first_received_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("settled_ms", BigInteger),  # when the duty room was done with it (`review`); null: it is open
    Column("vehicle_colour", Text),  # a word of the wire; null: not told, or not known
    Column("clothes_colour", Text),  # of whoever walks or rides
    PrimaryKeyConstraint("event_id", "box_id"),  # an id begins with its time: rows come in order
    Index("ix_event_first_received_ms", "first_received_ms"),
    Index("ix_event_track_id", "track_id"),
)

event_is_untrusted = event.c.clock_state.not_in([literal_column("'ntp'"), literal_column("'rtc'")])
"""Nobody vouched for the clock by which it is stamped."""
Index(
    "ix_event_untrusted_boot_id",
    event.c.boot_id,
    sqlite_where=event_is_untrusted,
    postgresql_where=event_is_untrusted,
)

event_began_ms = func.coalesce(event.c.start_ms + event.c.clock_offset_ms, event.c.start_ms)
"""When an event began, by all that is known of its box's clock."""
event_latest_ms = func.coalesce(event.c.time_ms + event.c.clock_offset_ms, event.c.time_ms)
"""Of when its newest message tells, by the same; its end, if it has one."""
event_is_lasting = or_(
    event.c.phase != literal_column("'end'"), event.c.time_ms - event.c.start_ms >= literal_column("3600000")
)
"""It goes on, or lasted an hour: one of the few that may have begun long before a time that is asked for."""
LATE_MS = 60_000
"""What came so long after it began is no news any more."""
event_is_alert = event.c.severity == literal_column("'alert'")
event_is_late = or_(event.c.first_received_ms - event_began_ms > literal_column(str(LATE_MS)), event.c.replayed)
"""It came late, or its newest word did."""
event_is_crowded = event.c.riders >= literal_column("3")
"""More on a two-wheeler than the law allows."""
_PLACE = (event_began_ms, event.c.box_id, event.c.event_id)
Index("ix_event_began_ms", *_PLACE)
Index(  # with what a look-up asks of each of them, so that it reads none of their rows: they lie apart
    "ix_event_lasting",
    *_PLACE,
    event.c.camera,
    event.c.phase,
    event.c.start_ms,
    event.c.time_ms,
    event.c.clock_offset_ms,
    sqlite_where=event_is_lasting,
    postgresql_where=event_is_lasting,
)
Index("ix_event_box_camera_began_ms", event.c.box_id, event.c.camera, event_began_ms, event.c.event_id)
Index("ix_event_label_began_ms", event.c.label, *_PLACE)
Index("ix_event_kind_label_began_ms", event.c.kind, event.c.label, *_PLACE)
Index("ix_event_rule_began_ms", event.c.rule_id, *_PLACE)
ZONES_LONGEST = 200
event_zones_head = func.substr(event.c.zones, literal_column("1"), literal_column(str(ZONES_LONGEST)))
"""So much of the zones as an index takes."""
_HAS_ZONES = event.c.zones.is_not(None)
Index(
    "ix_event_zones_began_ms", event_zones_head, *_PLACE, sqlite_where=_HAS_ZONES, postgresql_where=_HAS_ZONES
)
event_has_detail = event.c.detail.is_not(None)
Index("ix_event_detail_began_ms", *_PLACE, sqlite_where=event_has_detail, postgresql_where=event_has_detail)
_HAS_DIRECTION = event.c.direction.is_not(None)
Index(
    "ix_event_direction_began_ms",
    event.c.direction,
    *_PLACE,
    sqlite_where=_HAS_DIRECTION,
    postgresql_where=_HAS_DIRECTION,
)
for _colour in (event.c.vehicle_colour, event.c.clothes_colour):
    _is_told = _colour.is_not(None)
    _name = f"ix_event_{_colour.name}_began_ms"
    Index(_name, _colour, *_PLACE, sqlite_where=_is_told, postgresql_where=_is_told)
Index("ix_event_alert_began_ms", *_PLACE, sqlite_where=event_is_alert, postgresql_where=event_is_alert)
Index(
    "ix_event_alert_box_camera_began_ms",
    event.c.box_id,
    event.c.camera,
    event.c.severity,  # always the same: with one more equality than another index, SQLite prefers this one
    event_began_ms,
    event.c.event_id,
    # PostgreSQL answers from an index alone only where what a moment is computed of is in it, too.
    postgresql_include=["start_ms", "clock_offset_ms"],
    sqlite_where=event_is_alert,
    postgresql_where=event_is_alert,
)
Index("ix_event_late_began_ms", *_PLACE, sqlite_where=event_is_late, postgresql_where=event_is_late)
Index("ix_event_crowded_began_ms", *_PLACE, sqlite_where=event_is_crowded, postgresql_where=event_is_crowded)
_IS_UNSETTLED = event_is_alert & event.c.settled_ms.is_(None)
Index(  # what the queue of a shift reads and counts: as long as it is, however much the store holds
    "ix_event_unsettled",
    *_PLACE,
    event.c.camera,
    event.c.rule_id,
    event.c.severity,  # the last two are always the same: with all that is asked in it, SQLite prefers it
    event.c.settled_ms,
    sqlite_where=_IS_UNSETTLED,
    postgresql_where=_IS_UNSETTLED,
)
_IS_OPEN = event.c.phase != literal_column("'end'")
Index("ix_event_open", event.c.severity, event.c.phase, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)

event_feed = Table(  # each revision of an event in the order in which it was kept: what a screen follows
    "event_feed",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # 150 a second for years
    reference("box_id", "box"),
    Column("event_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number is never given again, so whoever was away misses none
)
