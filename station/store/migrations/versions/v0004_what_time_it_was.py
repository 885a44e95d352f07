"""What time it was: clock maps, and events that were stamped while nobody vouched for the clock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the columns and the table; what is there already keeps its own times."""
    op.add_column("event", sa.Column("boot_id", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("mono_ms", sa.BigInteger(), nullable=True))
    op.add_column("event", sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True))
    op.create_index("ix_event_boot_id", "event", ["boot_id"])
    op.create_table(
        "clock_map",
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("mono_ms", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_clock_map_box_id"),
        sa.PrimaryKeyConstraint("box_id", "boot_id", "mono_ms", name="pk_clock_map"),
    )
