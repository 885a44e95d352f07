"""By which key each box signs its packages of footage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "box_key",
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_box_key_box_id"),
        sa.PrimaryKeyConstraint("box_id", "key", name="pk_box_key"),
    )
