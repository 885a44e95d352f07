"""What was handed to the uplink's outbox: sets of numbers in a file of their own.

Invariants
1. When note() returns, it is on the disk; when it raises, none of it is.
2. What is noted here was in the outbox before, on its disk. So losing this file, or having an older one, costs
   repetitions and loses nothing.
3. A file that is damaged, or of another program, is set aside, and a new one begins: everything goes up again.
4. It belongs to one life of the outbox's file: where that is another one, everything goes up again, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.wire.ranges import Ranges
from station.store.database import StoreError
from station.uplink.book import fault, open_book

VERSION: Final = 1
_TABLES: Final = """
create table life (outbox text not null) strict;
create table handed (
    device text not null, stream text not null, first integer not null, last integer not null,
    primary key (device, stream, first)
) strict, without rowid;
create table due_hour (
    device text not null, camera text not null, rule text not null, hour_ms integer not null,
    primary key (device, camera, rule, hour_ms)
) strict, without rowid;
"""

Stream = tuple[str, str]
"""Box, and the name of its stream."""


@dataclass(frozen=True, slots=True, order=True)
class LineHour:
    """An hour of one counting line."""

    device: str
    camera: str
    rule: str
    hour_ms: int


@dataclass(frozen=True, slots=True)
class HandedNumbers:
    """What is noted in one step."""

    numbers: Mapping[Stream, Iterable[tuple[int, int]]] = field(default_factory=dict)
    touched: Iterable[LineHour] = ()
    """Hours of which an interval came: to be told once they are summed up."""
    told_hours: Iterable[LineHour] = ()
    """Hours that were handed over."""


class HandedBook:
    """The file; owned by one thread.

    Raises:
        StoreError: it cannot be opened or made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ranges: dict[Stream, Ranges] = {}
        self.outbox: str | None = None
        """The stream of the outbox to which it was handed; None: to none yet."""
        try:
            self._db = open_book(path, _TABLES, VERSION, "handed_damaged")  # invariant 3
            for device, stream, first, last in self._db.execute("select * from handed"):
                self._ranges.setdefault((device, stream), Ranges()).add(first, last)
            self.outbox = next((outbox for (outbox,) in self._db.execute("select outbox from life")), None)
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def handed(self, stream: Stream) -> Ranges:
        """What was handed of a stream; not to be changed."""
        return self._ranges.get(stream) or Ranges()

    def due_hours(self, until_ms: int, limit: int) -> list[LineHour]:
        """Hours to be told that begin before a moment, the newest first.

        Raises:
            StoreError: the file cannot be read.
        """
        query = "select * from due_hour where hour_ms < ? order by hour_ms desc, device, camera, rule limit ?"
        try:
            return [LineHour(*row) for row in self._db.execute(query, (until_ms, limit))]
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def note(self, over: HandedNumbers) -> None:
        """Invariant 1.

        Raises:
            StoreError: the file cannot be written.
        """
        before = {stream: Ranges(self.handed(stream)) for stream in over.numbers}
        try:
            self._db.execute("begin immediate")
            for stream, ranges in over.numbers.items():
                for first, last in ranges:
                    self._add(stream, before[stream], first, last)
            key = "(device, camera, rule, hour_ms)"
            self._db.executemany(
                f"insert or ignore into due_hour {key} values (?, ?, ?, ?)",  # noqa: S608
                [_row(each) for each in over.touched],
            )
            self._db.executemany(
                f"delete from due_hour where {key} = (?, ?, ?, ?)",  # noqa: S608
                [_row(each) for each in over.told_hours],
            )
            self._db.execute("commit")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("rollback")
            raise self._fault(error) from error
        self._ranges |= before

    def begin(self, outbox: str) -> None:
        """Nothing was handed to this life of the outbox yet (invariant 4).

        Raises:
            StoreError: the file cannot be written.
        """
        try:
            self._db.execute("begin immediate")
            self._db.execute("delete from handed")
            self._db.execute("delete from life")
            self._db.execute("insert into life values (?)", (outbox,))
            self._db.execute("commit")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("rollback")
            raise self._fault(error) from error
        self._ranges.clear()
        self.outbox = outbox

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _add(self, stream: Stream, ranges: Ranges, first: int, last: int) -> None:
        gone = ranges.add(first, last)
        if last < first:
            return
        for each, _ in gone:
            self._db.execute("delete from handed where (device, stream, first) = (?, ?, ?)", (*stream, each))
        whole = ranges.around(first)
        assert whole is not None
        self._db.execute("insert into handed values (?, ?, ?, ?)", (*stream, *whole))

    def _fault(self, error: sqlite3.Error) -> StoreError:
        return fault(self._path, error)


def _row(hour: LineHour) -> tuple[str, str, str, int]:
    return hour.device, hour.camera, hour.rule, hour.hour_ms
