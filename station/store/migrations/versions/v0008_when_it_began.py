"""When an event began: indexes for whoever asks what happened between two moments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BEGAN_MS = "coalesce(start_ms + clock_offset_ms, start_ms)"
LASTING = sa.text("phase != 'end' OR time_ms - start_ms >= 3600000")


def upgrade() -> None:
    """Make the indexes."""
    columns: list[str | sa.TextClause] = [sa.text(BEGAN_MS), "box_id", "event_id"]
    op.create_index("ix_event_began_ms", "event", columns)
    op.create_index("ix_event_lasting", "event", columns, sqlite_where=LASTING, postgresql_where=LASTING)
