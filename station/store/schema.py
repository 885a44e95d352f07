"""The tables of the station's store. `migrations/` makes them; a test holds the two together.

Moments are whole milliseconds since 1970 in UTC (`…_ms`): they compare alike in SQLite and PostgreSQL, and need
no reader of dates. `received_ms` is by the station's clock, everything else by the box's.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    or_,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def _key(name: str, of: str) -> Column[int]:
    return Column(name, Integer, ForeignKey(f"{of}.id"), nullable=False)


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
    _key("box_id", "box"),
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
    _key("box_id", "box"),
    Column("camera", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("reason", Text),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "camera", "state", "since_ms"),
)

stream = Table(  # one life of a box's outbox
    "stream",
    metadata,
    Column("id", Integer, primary_key=True),
    _key("box_id", "box"),
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

event_revision = Table(  # every message of every event
    "event_revision",
    metadata,
    _key("box_id", "box"),
    Column("event_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    _key("stream_id", "stream"),
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
    _key("box_id", "box"),
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
    _key("box_id", "box"),
    Column("event_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number is never given again, so whoever was away misses none
)

count_interval = Table(
    "count_interval",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    _key("box_id", "box"),
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
    _key("box_id", "box"),
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

other_message = Table(  # answers to commands, and footage: kept as they came
    "other_message",
    metadata,
    Column("stream_id", Integer, ForeignKey("stream.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    _key("box_id", "box"),
    Column("kind", Text, nullable=False),
    Column("suffix", Text, nullable=False),
    Column("body", Text),  # JSON …
    Column("sha256", Text, ForeignKey("blob.sha256")),  # … or bytes
    Column("received_ms", BigInteger, nullable=False),
)

message_is_answer = other_message.c.kind == literal_column("'ack'")
"""An answer to an order."""
Index(
    "ix_other_message_answer",
    other_message.c.received_ms,
    sqlite_where=message_is_answer,
    postgresql_where=message_is_answer,
)
_IN_FILE = other_message.c.sha256.is_not(None)
Index(  # so that a file which nothing else needs is known at once
    "ix_other_message_sha256", other_message.c.sha256, sqlite_where=_IN_FILE, postgresql_where=_IN_FILE
)

quarantine = Table(  # what could not be read
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    _key("box_id", "box"),
    Column("suffix", Text, nullable=False),
    Column("digest", Text, nullable=False),  # sha256 of all its bytes
    Column("reason", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # its bytes, at most writer.MAX_KEPT_BYTES of them
    Column("stream", Text),
    Column("seq", BigInteger),
    Column("received_count", Integer, nullable=False),
    Column("first_received_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "suffix", "digest"),
)

conflict = Table(  # the same id with other content: the first is kept in its place, the other here
    "conflict",
    metadata,
    Column("id", Integer, primary_key=True),
    _key("box_id", "box"),
    Column("key_kind", Text, nullable=False),  # seq, or revision (of an event)
    Column("key", Text, nullable=False),  # stream/seq, or event id/revision
    Column("kept_digest", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("suffix", Text, nullable=False),
    Column("body", LargeBinary),  # JSON, or the first bytes of what could not be read …
    Column("sha256", Text, ForeignKey("blob.sha256")),  # … or a picture
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("box_id", "key_kind", "key", "digest"),
)
_BESIDE_IN_FILE = conflict.c.sha256.is_not(None)
Index("ix_conflict_sha256", conflict.c.sha256, sqlite_where=_BESIDE_IN_FILE, postgresql_where=_BESIDE_IN_FILE)

gap = Table(  # numbers of a stream that did not come while later ones did
    "gap",
    metadata,
    Column("id", Integer, primary_key=True),
    _key("stream_id", "stream"),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),  # how many of them are missing still
    Column("state", Text, nullable=False),  # open: may come; gone: the box has it no more; filled
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("cause", Text),  # second_station: that one was at work when it was found; null: not known
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

daily_usage = Table(  # what was taken of a box on a day of UTC, and what was refused: quota.py
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

account = Table(  # who may use the duty room's screen
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False),  # lower case
    Column("name", Text, nullable=False),  # as it stands in logs and reports
    Column("role", Text, nullable=False),  # officer, supervisor, administrator
    Column("password_hash", Text, nullable=False),  # argon2id
    Column("must_change", Boolean, nullable=False),  # the password was given by somebody else
    Column("disabled", Boolean, nullable=False),
    Column("language", Text),  # null: the console's
    Column("failed", Integer, nullable=False),  # wrong passwords in a row
    Column("locked_until_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),  # of the password; sessions of before are over
    Column("login_ms", BigInteger),  # the latest
    Column("communes", Text, nullable=False, server_default=""),  # at the province: whose; names, or *
    UniqueConstraint("login"),
)

web_session = Table(  # who is logged in
    "web_session",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    _key("account_id", "account"),
    Column("csrf", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("ix_web_session_account_id", "account_id"),
)

known_browser = (
    Table(  # in which an account was logged in; it gives no right, but a count of wrong passwords of its own
        "known_browser",
        metadata,
        Column("token_sha256", Text, primary_key=True),
        _key("account_id", "account"),
        Column("seen_ms", BigInteger, nullable=False),  # the latest log-in
        Column("failed", Integer, nullable=False),  # wrong passwords in a row
        Column("locked_until_ms", BigInteger),
        Index("ix_known_browser_account_id", "account_id"),
    )
)

audit_entry = Table(  # what was done at the console, by whom: it only grows, each line bound to the one before
    "audit_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("login", Text, nullable=False),  # '' where nobody was logged in
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("verb", Text, nullable=False),  # of station.access.audit_log
    Column("subject", Text, nullable=False),  # box/camera, event id, request id, login, …
    Column("detail", Text, nullable=False),  # JSON
    Column("previous_sha256", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Index("ix_audit_entry_time_ms", "time_ms"),
    Index("ix_audit_entry_login", "login", "time_ms"),
    Index("ix_audit_entry_verb", "verb", "time_ms"),
    sqlite_autoincrement=True,
)

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

webhook = Table(  # how far each of the webhooks of the configuration is
    "webhook",
    metadata,
    Column("name", Text, primary_key=True),
    Column("begun_ms", BigInteger, nullable=False),
    Column("feed_id", BigInteger, nullable=False),  # of event_feed: all up to it was delivered, or given up
    Column("delivered", BigInteger, nullable=False),
    Column("given_up", BigInteger, nullable=False),  # after days, or gone out of the feed before
    Column("delivered_ms", BigInteger),  # the latest
    Column("failing_ms", BigInteger),  # since when the next one has not been taken; null: it goes on
    Column("trouble", Text),  # why, in words
)

api_token = Table(  # programs that may ask the console's interface
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_sha256", Text, nullable=False),
    Column("name", Text, nullable=False),  # of the program
    Column("role", Text, nullable=False),
    Column("made_by", Text, nullable=False),  # login
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),  # the latest, to the minute
    Column("revoked_ms", BigInteger),
    UniqueConstraint("token_sha256"),
    sqlite_autoincrement=True,
)

deletion = Table(  # what went by its age: a row for each class and run, and for each package of footage
    "deletion",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", Text, nullable=False),  # of station.retention.settings: KeptClass
    Column("subject", Text, nullable=False),  # box/request of a package; '' for all else
    Column("days", Integer, nullable=False),  # the rule
    Column("until_ms", BigInteger, nullable=False),  # what came before this moment was due
    Column("begun_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # null: it was cut off, or goes on
    Column("item_count", BigInteger, nullable=False),  # events, pictures, intervals, packages, answers
    Column("messages", BigInteger, nullable=False),  # so many rows of `message` name it
    Column("size_bytes", BigInteger, nullable=False),  # bodies, and files that nothing else needed
    Column("is_noted", Boolean, nullable=False),  # in the console's log
    Index("ix_deletion_begun_ms", "begun_ms"),
    sqlite_autoincrement=True,
)

blob_removal = Table(  # files whose row went, until they have gone, too
    "blob_removal",
    metadata,
    Column("sha256", Text, primary_key=True),
)

picture_removal = Table(  # records of segments whose row went, until they have gone, too
    "picture_removal",
    metadata,
    Column("segment", Integer, primary_key=True, autoincrement=False),
    Column("segment_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
)

event_hold = Table(  # what supervisors said of an event's age: keep it, or the case is closed; it only grows
    "event_hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("box_id", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("act", Text, nullable=False),  # hold; closing: what was confirmed may go by its age
    Column("case_number", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("change_id", Integer, nullable=False),  # of a closing: the step of `review` that it is about; else 0
    Column("released_ms", BigInteger),
    Column("released_login", Text),
    Column("released_name", Text),
    Column("released_reason", Text),
    Index("ix_event_hold_event_id", "event_id"),
    sqlite_autoincrement=True,
)
