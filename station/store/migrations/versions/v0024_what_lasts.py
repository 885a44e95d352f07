"""The index of events that last has all that a look-up asks of each of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_LASTING = sa.text("phase != 'end' OR time_ms - start_ms >= 3600000")
_BEGAN = sa.text("coalesce(start_ms + clock_offset_ms, start_ms)")


def upgrade() -> None:
    """They are few, so the index stays small."""
    op.drop_index("ix_event_lasting", table_name="event")
    asked = ("camera", "phase", "start_ms", "time_ms", "clock_offset_ms")
    op.create_index(
        "ix_event_lasting",
        "event",
        [_BEGAN, "box_id", "event_id", *asked],
        sqlite_where=_LASTING,
        postgresql_where=_LASTING,
    )
