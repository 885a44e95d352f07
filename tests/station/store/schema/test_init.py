"""station.store.schema: what holds for all tables"""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.sql.elements import ClauseElement

from station.store import schema
from station.store.schema import blob, metadata, naming

TABLES = list(metadata.tables.values())
COLUMNS = [column for table in TABLES for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_key_of_its_own_and_refers_to_keys_only(table: Table) -> None:
    assert list(table.primary_key.columns)
    for key in table.foreign_key_constraints:
        columns, of = {each.column for each in key.elements}, key.referred_table
        unique = [set(index.columns) for index in of.indexes if index.unique]
        assert columns in [set(of.primary_key.columns), *unique], f"{table.name}.{key.name}"


REFERRING = [key for table in TABLES for key in table.foreign_key_constraints if key.referred_table is blob]


@pytest.mark.parametrize("key", REFERRING, ids=lambda key: str(key.name))
def test_who_refers_to_a_file_is_found_by_an_index_when_it_is_let_go(key: ForeignKeyConstraint) -> None:
    """Both databases look at each removal, and would read the whole table."""
    columns = [column.name for column in key.columns]
    heads = [[getattr(each, "name", "") for each in index.expressions] for index in key.table.indexes]

    assert any(head[: len(columns)] == columns for head in heads), heads


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


def areas() -> list[ModuleType]:
    return [import_module(f"{schema.__name__}.{each.name}") for each in iter_modules(schema.__path__)]


def test_whoever_reads_tables_finds_them_all_at_one_door() -> None:
    public = {
        name
        for area in areas()
        for name, value in vars(area).items()
        if not name.startswith("_") and isinstance(value, ClauseElement | int | MetaData)
    }

    assert public == set(schema.__all__)


def test_no_area_of_the_tables_imports_another() -> None:
    """A key is referred to by its table's name; what all need stands in `naming`."""
    for area in areas():
        assert {each for each in imported(area) if each.startswith(schema.__name__)} <= {naming.__name__}, area


def imported(module: ModuleType) -> set[str]:
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    return {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
