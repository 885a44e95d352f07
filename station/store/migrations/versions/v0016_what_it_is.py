"""What a road user is that was taken for something else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns; of what was judged before nobody has said it."""
    for table in ("review", "review_change"):
        op.add_column(table, sa.Column("right_label", sa.Text(), nullable=True))
