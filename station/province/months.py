"""Partitions by months: which one a key belongs to, made when the first row of it comes, dropped whole.

Event ids are UUIDv7 (RFC 9562, section 5.7): their first 48 bits are milliseconds since 1970, so a range of ids
in their text form is a range of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, text

BY_ID: Final = ("event", "event_revision")
BY_MOMENT: Final = ("seal", "count_interval", "count_hour")
TABLES: Final = (*BY_ID, *BY_MOMENT)
_UUID_7: Final = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_FIRST: Final = 2020 * 12
"""Month of which the first row may be: what is older says a clock that nobody set."""
_AHEAD: Final = 2
_LOCK: Final = 0x6E676174755F6D6F
"""One worker at a time makes or drops partitions."""

Month = int
"""Months since the year 0."""


def month_of(at_ms: int) -> Month:
    """The month of a moment, in UTC."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.year * 12 + at.month - 1


def begin_ms(month: Month) -> int:
    """When it begins."""
    return round(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)


def month_of_id(event_id: str, now_ms: int) -> Month | None:
    """The month in whose partition an event lies; None: the id is no UUIDv7, or of no such month."""
    found = _UUID_7.fullmatch(event_id)
    return month_within(int(found[1] + found[2], 16), now_ms) if found else None


def month_within(at_ms: int, now_ms: int) -> Month | None:
    """The month of a moment; None: the moment is one that a clock which is right does not say."""
    newest = month_of(now_ms) + _AHEAD
    if not begin_ms(_FIRST) <= at_ms < begin_ms(newest + 1):
        return None
    return month_of(at_ms)


def ahead(now_ms: int) -> range:
    """This month and the next."""
    return range(month_of(now_ms), month_of(now_ms) + 2)


def make(connection: Connection, months: Iterable[Month]) -> None:
    """Have partitions for these months, in a transaction of their own: no other lock is held meanwhile."""
    _take_turn(connection)
    for month in sorted(set(months)):
        for table in TABLES:
            first, last = (_bound(table, each) for each in (month, month + 1))
            connection.execute(
                text(
                    f"create table if not exists {_name(table, month)} partition of {table} "
                    f"for values from ({first}) to ({last})"
                )
            )


def made(connection: Connection) -> set[Month]:
    """Months that have all their partitions."""
    named = set(connection.scalars(_NAMES))
    months = {_month_in(name) for name in named if name.startswith("count_hour_2")}
    return {month for month in months if all(_name(table, month) in named for table in TABLES)}


def drop(connection: Connection, before: Month) -> list[Month]:
    """Let go of whole months before one; which."""
    _take_turn(connection)
    gone = sorted(month for month in made(connection) if month < before)
    for month in gone:
        for table in TABLES:
            connection.execute(text(f"drop table {_name(table, month)}"))
    return gone


_NAMES: Final = text(
    "select child.relname from pg_inherits join pg_class child on child.oid = inhrelid "
    "join pg_class parent on parent.oid = inhparent "
    "where parent.relname in ('event', 'event_revision', 'seal', 'count_interval', 'count_hour')"
    " and pg_table_is_visible(parent.oid)"
)


def _take_turn(connection: Connection) -> None:
    """Whoever reads for long holds it up for seconds at most: it is tried again."""
    connection.execute(text("set local lock_timeout = '5s'"))
    connection.execute(text(f"select pg_advisory_xact_lock({_LOCK})"))


def _name(table: str, month: Month) -> str:
    return f"{table}_{month // 12}_{month % 12 + 1:02d}"


def _month_in(name: str) -> Month:
    year, month = name.rsplit("_", 2)[1:]
    return int(year) * 12 + int(month) - 1


def _bound(table: str, month: Month) -> str:
    if table in BY_MOMENT:
        return str(begin_ms(month))
    digits = f"{begin_ms(month):012x}"
    return f"'{digits[:8]}-{digits[8:]}'"
