"""Where boxes hang: plans of the commune and places on them; and a camera's newest ordered picture."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
    )
    op.create_table(
        "plan_place",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("x_permille", sa.Integer(), nullable=False),
        sa.Column("y_permille", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="fk_plan_place_plan_id"),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_plan_place_box_id"),
        sa.PrimaryKeyConstraint("plan_id", "box_id", name="pk_plan_place"),
    )
    is_snapshot = sa.text("kind = 'snapshot'")
    op.create_index(
        "ix_picture_snapshot",
        "picture",
        ["box_id", "camera", "received_ms"],
        sqlite_where=is_snapshot,
        postgresql_where=is_snapshot,
    )
