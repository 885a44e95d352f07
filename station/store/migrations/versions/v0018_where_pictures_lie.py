"""Where in which segment a picture lies, which are still to be removed there, and the alerts of a camera."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_IN_SEGMENT = sa.text("segment IS NOT NULL")
_IS_ALERT = sa.text("severity = 'alert'")


def upgrade() -> None:
    """Add the place of a picture; those that are here already lie in files of their own, and stay there."""
    op.add_column("blob", sa.Column("segment", sa.Integer(), nullable=True))
    op.add_column("blob", sa.Column("segment_offset", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_blob_segment",
        "blob",
        ["segment", "segment_offset"],
        sqlite_where=_IN_SEGMENT,
        postgresql_where=_IN_SEGMENT,
    )
    op.create_table(
        "picture_removal",
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("segment_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "segment_offset", name="pk_picture_removal"),
    )
    op.create_index(
        "ix_event_alert_box_camera_began_ms",
        "event",
        ["box_id", "camera", "severity", sa.text("coalesce(start_ms + clock_offset_ms, start_ms)"), "event_id"],
        sqlite_where=_IS_ALERT,
        postgresql_where=_IS_ALERT,
    )
