"""What the duty room made of each event, which alerts are open, and by which clock counts are stamped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BEGAN = sa.text("coalesce(start_ms + clock_offset_ms, start_ms)")
IS_UNSETTLED = sa.text("severity = 'alert' AND settled_ms IS NULL")
IS_UNTRUSTED = sa.text("(clock_state NOT IN ('ntp', 'rtc'))")


def upgrade() -> None:
    """Make tables, columns and indexes."""
    op.create_table(
        "review",
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("rule_kind", sa.Text(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("box_id", "event_id", name="pk_review"),
    )
    op.create_index("ix_review_changed_ms", "review", ["changed_ms"])
    op.create_index("ix_review_state", "review", ["state", "changed_ms"])
    op.create_table(
        "review_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review_change"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_review_change_event_id", "review_change", ["event_id"])
    op.add_column("event", sa.Column("settled_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_event_unsettled",
        "event",
        [BEGAN, "box_id", "event_id", "camera", "rule_id", "severity", "settled_ms"],
        sqlite_where=IS_UNSETTLED,
        postgresql_where=IS_UNSETTLED,
    )
    for column in (
        sa.Column("received_ms", sa.BigInteger(), nullable=True),
        sa.Column("clock_state", sa.Text(), nullable=True),
        sa.Column("boot_id", sa.Text(), nullable=True),
        sa.Column("mono_ms", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
    ):
        op.add_column("count_interval", column)
    op.create_index("ix_count_interval_boot_id", "count_interval", ["box_id", "boot_id"])
    op.create_index(
        "ix_count_interval_untrusted",
        "count_interval",
        ["box_id", "camera", "rule", "received_ms"],
        sqlite_where=IS_UNTRUSTED,
        postgresql_where=IS_UNTRUSTED,
    )
