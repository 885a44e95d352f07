"""Pictures say when their file came: so they are found by it, and a new one is written at an index's end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_CAME = (
    "update picture set blob_received_ms = (select received_ms from blob where blob.sha256 = picture.sha256)"
)
_WORDS = {
    "CONSTRAINT fk_picture_sha256 FOREIGN KEY(sha256) REFERENCES blob (sha256)": (
        "CONSTRAINT fk_picture_blob_received_ms FOREIGN KEY(blob_received_ms, sha256) "
        "REFERENCES blob (received_ms, sha256)"
    ),
    "blob_received_ms BIGINT DEFAULT 0 NOT NULL": "blob_received_ms BIGINT NOT NULL",
}


def upgrade() -> None:
    """No picture is without its file: each row that there is refers to one."""
    connection = op.get_bind()
    op.drop_index("ix_picture_sha256", table_name="picture")
    op.create_index("uq_blob_received_ms", "blob", ["received_ms", "sha256"], unique=True)
    none_yet = sa.text("0")
    op.add_column(
        "picture", sa.Column("blob_received_ms", sa.BigInteger(), server_default=none_yet, nullable=False)
    )
    if connection.dialect.name == "sqlite":
        op.execute(_CAME)
        _reword(connection)
    else:
        op.drop_constraint("fk_picture_sha256", "picture")
        op.execute(_CAME)
        op.alter_column("picture", "blob_received_ms", server_default=None)
    op.create_index("ix_picture_blob_received_ms", "picture", ["blob_received_ms", "sha256"])
    if connection.dialect.name != "sqlite":
        op.create_foreign_key(
            "fk_picture_blob_received_ms",
            "picture",
            "blob",
            ["blob_received_ms", "sha256"],
            ["received_ms", "sha256"],
        )


def _reword(connection: sa.Connection) -> None:
    """What a column refers to is nowhere but in the words of its table; SQLite alters none, as in 0022."""
    connection.exec_driver_sql("pragma writable_schema = on")
    try:
        for before, now in _WORDS.items():
            changed = connection.exec_driver_sql(
                "update sqlite_schema set sql = replace(sql, ?, ?) "
                "where type = 'table' and name = 'picture' and instr(sql, ?)",
                (before, now, before),
            ).rowcount
            if changed != 1:
                raise sa.exc.InvalidRequestError(f"the table picture is not said to have: {before}")
    finally:
        connection.exec_driver_sql("pragma writable_schema = reset")  # and read the schema again
    refers = [tuple(row[2:5]) for row in connection.exec_driver_sql("pragma foreign_key_list(picture)")]
    wanted = {("blob", "blob_received_ms", "received_ms"), ("blob", "sha256", "sha256")}
    if not wanted <= set(refers):
        raise sa.exc.InvalidRequestError(f"the table picture refers to {refers}")
