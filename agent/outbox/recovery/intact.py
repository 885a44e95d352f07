"""A file that was set aside whole, read by SQL: from its pages, what has left it might come again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.outbox import queries as rows
from agent.outbox.database import damage
from agent.outbox.encryption import Locked, OutboxKey
from agent.outbox.recovery.pages import Row
from agent.outbox.recovery.salvage import OutboxLife, Saved, life_of, saved_of
from agent.wire.message import Message

_TABLES: Final = ("message", "quarantine")


class IntactFile:
    """Close it after use.

    Every method raises sqlite3.Error, ValueError or TypeError where the file is damaged after all.
    """

    spoiled: Final = 0
    unreadable: Final = 0

    def __init__(self, path: Path, key: OutboxKey | None = None) -> None:
        self.path = path
        self._key = key
        self._db = sqlite3.connect(path, isolation_level=None)
        self.open_events: list[Message] = []
        self.locked = 0
        """Pictures whose key is not here: known once all messages were asked for."""

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def life(self) -> OutboxLife:
        """Its stream and its newest seal."""
        if self._db.execute("select 1 from sqlite_schema where type in ('view', 'trigger')").fetchone():
            raise damage("it holds what no outbox of ours holds")  # a view may have no end
        (row,) = self._db.execute("select * from life").fetchall()
        return life_of(Row(row[0], (None, *row[1:]))) or OutboxLife()

    def search(self) -> int:
        """How many messages wait in it, those among them whose key is not here."""
        self.open_events = rows.open_events(self._db)
        return sum(self._db.execute(f"select count(*) from {each}").fetchone()[0] for each in _TABLES)  # noqa: S608

    def messages(self) -> Iterator[Saved]:
        """What waits in it, by seq; what is not as it was put is left out."""
        seqs = self._db.execute(
            "select seq, 'message' from message union all select seq, 'quarantine' from quarantine order by 1"
        ).fetchall()
        for seq, table in seqs:
            row = self._db.execute(f"select * from {table} where seq = ?", (seq,)).fetchone()  # noqa: S608
            try:
                saved, _ = saved_of(Row(seq, (None, *row[1:])), self._key)
            except Locked:
                self.locked += 1
                continue
            if saved is not None:
                yield saved
