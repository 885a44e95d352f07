"""One statement for many rows, handed to the driver as they are.

SQLAlchemy looks at each value of each row before the driver does: of a station's time 41 % went into keeping
events, and 7 % into that (2.1, SQLite). Here it writes the statement, once for each set of columns, and
the rows go by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

_STATEMENTS = 256
"""With their columns: a station has some thirty."""


def execute_many(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an insert, an update or a delete for each of these rows, all of which have the same names.

    Values are those that the driver takes for the column. The statement is remembered: build it once. Columns
    for which Python has a default, and values that are SQL, are not for this.

    Raises:
        SQLAlchemyError: as `connection.execute`.
        KeyError: a row lacks a name that the first one has.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    words, order = _written(statement, connection.dialect, columns)
    if order is None:
        connection.exec_driver_sql(words, [{name: row[name] for name in columns} for row in rows])
    else:
        connection.exec_driver_sql(words, [tuple([row[name] for name in order]) for row in rows])


@lru_cache(_STATEMENTS)
def _written(
    statement: Executable, dialect: Dialect, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    """The words of the statement, and in which order its values come; None: by their names."""
    compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(columns))  # type: ignore[attr-defined]
    fixed = {name for name, bound in compiled.binds.items() if name not in columns and not bound.required}
    if fixed:
        raise ValueError(f"values of its own in a statement for many rows: {', '.join(sorted(fixed))}")
    order = compiled.positiontup
    return str(compiled), None if order is None else tuple(order)
