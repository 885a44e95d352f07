"""What colour a vehicle has, and what its rider or somebody on foot wears."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the columns, and the indexes by which they are looked up; of what came before no box told it."""
    began_ms = sa.text("coalesce(start_ms + clock_offset_ms, start_ms)")
    for name in ("vehicle_colour", "clothes_colour"):
        op.add_column("event", sa.Column(name, sa.Text(), nullable=True))
        is_told = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_event_{name}_began_ms",
            "event",
            [name, began_ms, "box_id", "event_id"],
            sqlite_where=is_told,
            postgresql_where=is_told,
        )
