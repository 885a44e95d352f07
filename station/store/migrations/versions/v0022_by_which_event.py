"""Keys begin with the event, whose id begins with its time: new rows come in order, whatever their box."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_KEYS = {
    "event": ("event_id", "box_id"),
    "event_revision": ("event_id", "box_id", "revision"),
    "picture": ("event_id", "box_id", "kind", "sha256"),
}
_BEFORE, _NOW = "PRIMARY KEY (box_id, event_id", "PRIMARY KEY (event_id, box_id"


def upgrade() -> None:
    """No row changes; the index of events by their id alone is no longer needed."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _rekey_in_place(connection)
    else:
        for table, key in _KEYS.items():
            name, columns = f"pk_{table}", ", ".join(key)
            op.execute(
                f"alter table {table} drop constraint {name}, add constraint {name} primary key ({columns})"
            )
    # Also tells other programs that have the file open that its schema is another one.
    op.drop_index("ix_event_event_id", table_name="event")


def _rekey_in_place(connection: sa.Connection) -> None:
    """Change the words of the keys and build their indexes anew: no row hangs on the order in its table's key.

    SQLite alters no key, and the way that it offers, a copy of each table, would need the room of all events.
    All is in the transaction of this step.
    """
    connection.exec_driver_sql("pragma writable_schema = on")
    try:
        for table in _KEYS:
            connection.exec_driver_sql(
                "update sqlite_schema set sql = replace(sql, ?, ?) where type = 'table' and name = ?",
                (_BEFORE, _NOW, table),
            )
    finally:
        connection.exec_driver_sql("pragma writable_schema = reset")  # and read the schema again
    for table, key in _KEYS.items():
        index = f"sqlite_autoindex_{table}_1"
        found = tuple(row.name for row in connection.exec_driver_sql(f"pragma index_info({index})"))
        if found != key:
            raise sa.exc.InvalidRequestError(f"{index} is by {found}, and not by {key}")
        connection.exec_driver_sql(f"reindex {index}")
