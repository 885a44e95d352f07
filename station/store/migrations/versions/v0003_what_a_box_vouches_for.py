"""What a box vouches for: the newest seal of each stream, and what it gave up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the columns and the table."""
    op.add_column("stream", sa.Column("seal_number", sa.BigInteger(), nullable=True))
    op.add_column("stream", sa.Column("seal_sha256", sa.Text(), nullable=True))
    op.create_table(
        "given_up",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_given_up_stream_id"),
        sa.PrimaryKeyConstraint("stream_id", "first", "last", name="pk_given_up"),
    )
