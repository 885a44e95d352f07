"""Columns named by what they hold: the kind of a message, the reason for a loss, how often something came."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

RENAMED = (
    ("message", "sort", "kind"),
    ("other_message", "sort", "kind"),
    ("quarantine", "times", "received_count"),
    ("conflict", "what", "key_kind"),
    ("given_up", "why", "reason"),
)


def upgrade() -> None:
    """Rename them where they are: SQLite and PostgreSQL both do so without touching a row."""
    for table, old, new in RENAMED:
        op.execute(f"alter table {table} rename column {old} to {new}")
