"""Indexes that nobody asks go, and two become shorter: each is another page to write for an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_IS_PICTURE = sa.text("kind IN ('image', 'snapshot')")
_IS_UNTRUSTED = sa.text("(clock_state NOT IN ('ntp', 'rtc'))")


def upgrade() -> None:
    """No row changes."""
    op.drop_index("ix_event_start_ms", table_name="event")
    op.drop_index("ix_event_boot_id", table_name="event")
    op.create_index(
        "ix_event_untrusted_boot_id",
        "event",
        ["boot_id"],
        sqlite_where=_IS_UNTRUSTED,
        postgresql_where=_IS_UNTRUSTED,
    )
    op.drop_index("ix_message_picture", table_name="message")
    op.create_index(
        "ix_message_picture_suffix",
        "message",
        ["suffix"],
        sqlite_where=_IS_PICTURE,
        postgresql_where=_IS_PICTURE,
    )
