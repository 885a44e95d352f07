"""Pictures that lie in files of their own are found without a look at all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_APART = sa.text("segment IS NULL")


def upgrade() -> None:
    """A station of now writes none, so it costs no event anything."""
    op.create_index("ix_blob_apart", "blob", ["sha256"], sqlite_where=_APART, postgresql_where=_APART)
