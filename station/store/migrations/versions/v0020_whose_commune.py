"""Which communes are open to an account, at the console of the province; a station has one, and asks nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """None, until an administrator says which."""
    op.add_column("account", sa.Column("communes", sa.Text(), nullable=False, server_default=""))
