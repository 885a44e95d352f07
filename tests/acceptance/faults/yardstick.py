"""A known amount of work, done beside what is measured: what this machine can do at that moment.

A mark that measures the machine is no number of seconds but a ratio to this. Both suffer from the same disk and
from whoever else is at work, so the ratio tells of the code.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

TOGETHER = 20
"""Rows in one transaction, as the victim puts its events (victim.py)."""
BODY = {"id": "0" * 36, "text": "x" * 700}
"""About as large as an event."""


def rows_per_s(folder: Path, for_s: float = 1.0) -> float:
    """Rows a second that plain SQLite makes durable here and now: JSON and a SHA-256, twenty in a commit."""
    file = folder / "yardstick.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute("create table row (seq integer primary key, sha256 blob not null, body blob not null)")
        began, done = time.monotonic(), 0
        while time.monotonic() - began < for_s:
            bodies = [json.dumps(BODY | {"number": done + place}).encode() for place in range(TOGETHER)]
            database.execute("begin immediate")
            rows = [(sha256(body).digest(), body) for body in bodies]
            database.executemany("insert into row (sha256, body) values (?, ?)", rows)
            database.execute("commit")
            done += TOGETHER
        rate = done / (time.monotonic() - began)
    for left in folder.glob(f"{file.name}*"):
        left.unlink()
    return rate
