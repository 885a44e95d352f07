"""How much a day: what the store took of each box."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    figures = ("messages", "size_bytes", "unreadable_bytes", "streams", "refused", "refused_bytes")
    op.create_table(
        "daily_usage",
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in figures),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_daily_usage_box_id"),
        sa.PrimaryKeyConstraint("box_id", "day", name="pk_daily_usage"),
    )
