"""Inserts that know what to do with a row that is there already, in the words of either database."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table) -> Any:
    """An insert that knows `on_conflict_…`, in the words of this database."""
    return _upsert(connection.dialect.name, table)


def insert_once(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row alone that is there already."""
    return _insert_once(connection.dialect.name, table)


def put_latest(connection: Connection, table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    """An insert that replaces these columns of a row that is there already under this key."""
    return _put_latest(connection.dialect.name, table, key, columns)


def _upsert(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


@cache  # to build a statement takes longer than to execute it
def _insert_once(dialect: str, table: Table) -> Insert:
    statement: Insert = _upsert(dialect, table).on_conflict_do_nothing()
    return statement


@cache
def _put_latest(dialect: str, table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    put = _upsert(dialect, table)
    latest = {name: put.excluded[name] for name in columns}
    statement: Insert = put.on_conflict_do_update(index_elements=key, set_=latest)
    return statement
