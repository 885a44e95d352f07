"""Counts summed up by the hour; each hour of what is here already is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_IS_DUE = sa.text("due_ms IS NOT NULL")
_FILL = """
    insert into count_hour (box_id, camera, rule, hour_ms, due_ms)
    select box_id, camera, rule, start_ms - start_ms % 3600000, 0 from count_interval where start_ms >= 0
    union
    select box_id, camera, rule, end_ms - 1 - (end_ms - 1) % 3600000, 0 from count_interval
    where start_ms >= 0 and end_ms > start_ms
"""


def upgrade() -> None:
    """Make the table; the station fills it while it works."""
    op.create_table(
        "count_hour",
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_count_hour_box_id"),
        sa.PrimaryKeyConstraint("box_id", "camera", "rule", "hour_ms", name="pk_count_hour"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_count_hour_due", "count_hour", ["hour_ms"], sqlite_where=_IS_DUE, postgresql_where=_IS_DUE
    )
    op.execute(sa.text(_FILL))
