"""How the database learns what its columns hold, by which it chooses between indexes.

PostgreSQL learns it beside whoever writes, and most of it by itself. SQLite learns it when it is told to, while
writers wait: so it is told part by part, and of each again only once its table has twice the rows.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select, literal_column, select, text
from sqlalchemy import table as sql_table

from station.store.schema import event

_LOOKED_AT_ROWS: Final = 200
"""Of each value of an index's first column (100 to 1,000: https://sqlite.org/pragma.html#pragma_analysis_limit).
Over a million events the plans are those of 1,000, and the longest look takes a third of its time."""
FEW_ROWS: Final = 1_000
"""With fewer, whatever plan is a good one."""
_PARTS = """
    select name, tbl_name from sqlite_schema as it
    where name not like 'sqlite!_s%' escape '!' and rootpage > 0 and (
        type = 'index'
        or not exists (select 1 from sqlite_schema where type = 'index' and tbl_name = it.name)
        or exists (select 1 from pragma_table_list where name = it.name and wr)
    )
    order by name
"""
_PAGES = "select count(*) from dbstat where name = ?"
_HAS_PAGES = "select 1 from pragma_module_list where name = 'dbstat'"
_HAS_NOTED = "select 1 from sqlite_schema where name = 'sqlite_stat1'"
_NOTED = "select tbl, max(cast(stat as integer)) from sqlite_stat1 group by tbl"
_NUMBERED = """
    select name from pragma_table_list
    where schema = 'main' and type = 'table' and not wr and name not like 'sqlite!_%' escape '!'
"""


def outgrown_parts(connection: Connection) -> tuple[str, ...]:
    """Of SQLite, what is to be looked at: the indexes of tables that have twice the rows of the last look.

    How many a table has is told by its first and its last number: what was deleted in between counts still. One
    that numbers no rows goes with the events. Whatever has few rows waits.
    """
    noted: dict[str, int] = {}
    if connection.exec_driver_sql(_HAS_NOTED).first():
        noted = {row[0]: row[1] for row in connection.exec_driver_sql(_NOTED)}
    rows = {name: _rows(connection, name) for (name,) in connection.exec_driver_sql(_NUMBERED).all()}
    due = {name for name, count in rows.items() if count >= max(FEW_ROWS, 2 * noted.get(name, 0))}
    parts = connection.exec_driver_sql(_PARTS).all()
    return tuple(name for name, table in parts if table in due or (table not in rows and event.name in due))


def analyze(connection: Connection, part: str | None = None) -> None:
    """Have the database look at what its columns hold: the whole store, or a part of it.

    SQLite looks at some rows of each index, and counts all of it: with a million events that takes 10 ms for
    one, 0.2 s at most, and up to 10 s where it comes from the disk (measured). Other writers wait until the
    transaction ends, so whoever is not alone gives one `part` at a time, and calls `read_through` before.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"pragma analysis_limit = {_LOOKED_AT_ROWS}")
    connection.exec_driver_sql("analyze" if part is None else f'analyze "{part}"')


def read_through(connection: Connection, part: str) -> None:
    """Bring what `analyze` reads of SQLite's file into memory while others write: what took 3 s takes 0.1 s.

    Nothing of it where this SQLite cannot go through the pages of a part (dbstat), as those of Debian and of
    Python's own builds can.
    """
    if connection.exec_driver_sql(_HAS_PAGES).first():
        connection.exec_driver_sql(_PAGES, (part,)).all()


def _rows(connection: Connection, table: str) -> int:
    """From its first number to its last, each asked for by itself: of both at once SQLite reads all rows."""
    by_number: Select[Any] = select(literal_column("rowid")).select_from(sql_table(table)).limit(1)
    first, last = (connection.scalar(by_number.order_by(text(f"rowid {way}"))) for way in ("asc", "desc"))
    return 0 if first is None or last is None else int(last - first) + 1
