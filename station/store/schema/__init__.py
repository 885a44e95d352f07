"""The tables of the station's store. `migrations/` makes them; a test holds the two together.

Moments are whole milliseconds since 1970 in UTC (`…_ms`): they compare alike in SQLite and PostgreSQL, and need
no reader of dates. `received_ms` is by the station's clock, everything else by the box's.
"""

from __future__ import annotations

from station.store.schema.access import account, audit_entry, known_browser, web_session
from station.store.schema.alarms import alarm
from station.store.schema.boxes import box, box_key, box_status, camera, camera_status, clock_map, daily_usage
from station.store.schema.counts import count_hour, count_interval, count_is_untrusted
from station.store.schema.duty_room import plan, plan_place, review, review_change
from station.store.schema.events import (
    LATE_MS,
    ZONES_LONGEST,
    event,
    event_began_ms,
    event_feed,
    event_has_detail,
    event_is_alert,
    event_is_crowded,
    event_is_lasting,
    event_is_late,
    event_is_untrusted,
    event_latest_ms,
    event_revision,
    event_zones_head,
)
from station.store.schema.gaps import gap, given_up
from station.store.schema.messages import message, message_is_picture, span, stream
from station.store.schema.naming import metadata
from station.store.schema.outward import api_token, webhook
from station.store.schema.pictures import blob, picture, picture_is_snapshot, picture_shows_blob
from station.store.schema.raw_messages import conflict, message_is_answer, other_message, quarantine
from station.store.schema.retention import blob_removal, deletion, event_hold, picture_removal

__all__ = [
    "LATE_MS",
    "ZONES_LONGEST",
    "account",
    "alarm",
    "api_token",
    "audit_entry",
    "blob",
    "blob_removal",
    "box",
    "box_key",
    "box_status",
    "camera",
    "camera_status",
    "clock_map",
    "conflict",
    "count_hour",
    "count_interval",
    "count_is_untrusted",
    "daily_usage",
    "deletion",
    "event",
    "event_began_ms",
    "event_feed",
    "event_has_detail",
    "event_hold",
    "event_is_alert",
    "event_is_crowded",
    "event_is_lasting",
    "event_is_late",
    "event_is_untrusted",
    "event_latest_ms",
    "event_revision",
    "event_zones_head",
    "gap",
    "given_up",
    "known_browser",
    "message",
    "message_is_answer",
    "message_is_picture",
    "metadata",
    "other_message",
    "picture",
    "picture_is_snapshot",
    "picture_removal",
    "picture_shows_blob",
    "plan",
    "plan_place",
    "quarantine",
    "review",
    "review_change",
    "span",
    "stream",
    "web_session",
    "webhook",
]
