"""What a screen follows and looks for: events in the order in which they were kept, riders, score, zones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BEGAN = sa.text("coalesce(start_ms + clock_offset_ms, start_ms)")
PLACE: list[str | sa.TextClause] = [BEGAN, "box_id", "event_id"]
IS_ALERT = sa.text("severity = 'alert'")
IS_OPEN = sa.text("phase != 'end'")


def upgrade() -> None:
    """Make table, columns and indexes."""
    op.create_table(
        "event_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_event_feed_box_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event_feed"),
        sqlite_autoincrement=True,
    )
    for column in (
        sa.Column("riders", sa.Integer(), nullable=True),
        sa.Column("top_score_permille", sa.Integer(), nullable=True),
        sa.Column("zones", sa.Text(), nullable=True),
    ):
        op.add_column("event", column)
    op.create_index("ix_event_event_id", "event", ["event_id"])
    op.create_index("ix_event_box_camera_began_ms", "event", ["box_id", "camera", BEGAN, "event_id"])
    op.create_index("ix_event_label_began_ms", "event", ["label", *PLACE])
    op.create_index("ix_event_kind_label_began_ms", "event", ["kind", "label", *PLACE])
    op.create_index("ix_event_alert_began_ms", "event", PLACE, sqlite_where=IS_ALERT, postgresql_where=IS_ALERT)
    op.create_index(
        "ix_event_open", "event", ["severity", "phase"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )
    op.create_index("ix_count_interval_box_id", "count_interval", ["box_id", "camera", "rule", "start_ms"])
