"""The one metadata of all tables, by which constraints get their names, and references to a row of another."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def reference(name: str, of: str) -> Column[int]:
    """A column that always names a row of another table, by its id."""
    return Column(name, Integer, ForeignKey(f"{of}.id"), nullable=False)
