"""station.store.schema"""

from __future__ import annotations

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text

from station.store.schema import metadata

TABLES = list(metadata.tables.values())
COLUMNS = [column for table in TABLES for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_key_of_its_own_and_refers_to_keys_only(table: Table) -> None:
    assert list(table.primary_key.columns)
    for key in table.foreign_keys:
        assert key.column.primary_key, f"{table.name}.{key.parent.name}"


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_numbers_that_a_box_gives_and_moments_fit_64_bits(column: Column[object]) -> None:
    """PostgreSQL's integer ends at 2**31: a moment in milliseconds is larger from the first day on."""
    counted = ("seq", "first", "last", "revision", "oldest", "newest", "missing")
    if column.name.endswith(("_ms", "_revision")) or column.name in counted:
        assert isinstance(column.type, BigInteger)


def test_only_types_that_both_databases_store_alike_are_used() -> None:
    assert {type(column.type) for column in COLUMNS} == {BigInteger, Boolean, Integer, LargeBinary, Text}


def test_every_constraint_has_a_name_so_that_a_step_can_change_it() -> None:
    for table in TABLES:
        assert all(constraint.name for constraint in table.constraints), table.name
        assert all(index.name for index in table.indexes), table.name
