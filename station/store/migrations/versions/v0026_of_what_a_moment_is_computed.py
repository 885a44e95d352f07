"""On PostgreSQL the alerts of a camera are found and counted in their index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_IS_ALERT = sa.text("severity = 'alert'")
_BEGAN = sa.text("coalesce(start_ms + clock_offset_ms, start_ms)")


def upgrade() -> None:
    """SQLite does so already; alerts are few, so the index stays small."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_index("ix_event_alert_box_camera_began_ms", table_name="event")
    op.create_index(
        "ix_event_alert_box_camera_began_ms",
        "event",
        ["box_id", "camera", "severity", _BEGAN, "event_id"],
        postgresql_include=["start_ms", "clock_offset_ms"],
        postgresql_where=_IS_ALERT,
    )
