"""Fills and erases a real outbox, for p_power.py to watch: `… .writer FILE PUTS SYNCHRONOUS SEED`.

Each message begins with its number, counted from 1. Said is after each put, in one write, the highest number
that is kept, and before each receipt, the highest that may be gone from then on. What is there after a cut is
told by these numbers, not by seq: a file that had to be salvaged numbers its messages anew.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.outbox import database
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.message import Message, Priority


def number_of(message: Message) -> int:
    """Its number; 0 for a seal, which the outbox puts by itself."""
    first = message.body.split(b" ", 1)[0]
    return int(first) if first.isdigit() else 0


class _Clock(SystemClock):
    """The machine's, and as much later as it is told."""

    later_s = 0.0

    def now(self) -> Instant:
        at = super().now()
        return Instant(at.mono_s + self.later_s, at.wall_s)


def _sync(synchronous: str) -> None:
    """Have each outbox wait for its disk in this way: NORMAL is the fault that must be seen."""
    inner = database.connect

    def connect(*args: Any, **more: Any) -> sqlite3.Connection:
        db = inner(*args, **more)
        db.execute(f"pragma synchronous = {synchronous}")
        return db

    database.connect = connect


def main(file: Path, puts: int, synchronous: str, seed: int) -> None:
    """Put, and now and then forget what was put first."""
    chance, clock = random.Random(seed), _Clock()
    _sync(synchronous)
    box = Outbox(file, OutboxSettings(ballast_bytes=0, erase_after_s=240), clock)
    os.write(1, b"open\n")
    gone = kept = 0
    for number in range(puts):
        at = clock.now()
        texts = [b"x" * chance.randint(0, 900) for _ in range(chance.randint(1, 4))]
        if not number % 9:
            texts.append(chance.randbytes(chance.randint(2_000, 12_000)))
        bodies = [b"%d %s" % (kept + place, text) for place, text in enumerate(texts, 1)]
        box.put([Message("camera/a/event", b, "text/plain", Priority.EVENT, at) for b in bodies])
        kept += len(bodies)
        os.write(1, b"kept %d\n" % kept)
        if chance.random() < 0.15:
            gone = chance.randint(gone, kept)
            os.write(1, b"gone %d\n" % gone)
            given = box.waiting(1 << 20, clock.now())
            done = [(each.seq, each.sha256) for each in given if number_of(each.message) <= gone]
            box.acknowledge(box.stream, done)
        if chance.random() < 0.15:  # so that the log is overwritten
            clock.later_s += 130
            box.tend()
    os._exit(0)  # a cut needs no goodbye


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
