"""What went by its age and why, which messages lack their content since, and what is held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_IS_PICTURE = sa.text("kind IN ('image', 'snapshot')")
_IN_FILE = sa.text("sha256 IS NOT NULL")
_IS_ANSWER = sa.text("kind = 'ack'")


def upgrade() -> None:
    """Make the tables, and the indexes by which retention finds what is due."""
    op.create_table(
        "deletion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("is_noted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletion"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deletion_begun_ms", "deletion", ["begun_ms"])
    op.create_table(
        "blob_removal",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob_removal"),
    )
    op.create_table(
        "event_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("released_ms", sa.BigInteger(), nullable=True),
        sa.Column("released_login", sa.Text(), nullable=True),
        sa.Column("released_name", sa.Text(), nullable=True),
        sa.Column("released_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_event_hold"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_hold_event_id", "event_hold", ["event_id"])
    op.add_column("message", sa.Column("deletion_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_picture_received_ms", "picture", ["received_ms"])
    op.create_index(
        "ix_message_picture", "message", ["digest"], sqlite_where=_IS_PICTURE, postgresql_where=_IS_PICTURE
    )
    op.create_index(
        "ix_other_message_answer",
        "other_message",
        ["received_ms"],
        sqlite_where=_IS_ANSWER,
        postgresql_where=_IS_ANSWER,
    )
    for table in ("other_message", "conflict"):
        name = f"ix_{table}_sha256"
        op.create_index(name, table, ["sha256"], sqlite_where=_IN_FILE, postgresql_where=_IN_FILE)
