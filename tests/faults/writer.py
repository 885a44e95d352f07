"""Fills a real outbox, for power.py to watch: `… .writer FILE PUTS SYNCHRONOUS SEED`.

Says after each put, in one write, the highest seq that is kept, and before each receipt, the highest that may
be gone from then on.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from agent.clock import SystemClock
from agent.delivery.message import Message, Priority
from agent.delivery.outbox import Outbox, OutboxSettings


def main(file: Path, puts: int, synchronous: str, seed: int) -> None:
    """Put, and now and then forget what was put first."""
    chance, clock = random.Random(seed), SystemClock()
    box = Outbox(file, OutboxSettings(ballast_bytes=0), clock)
    box._disk.held.db.execute(f"pragma synchronous = {synchronous}")  # NORMAL is the fault that must be seen
    os.write(1, b"open\n")
    gone = 0
    for number in range(puts):
        at = clock.now()
        bodies = [
            b'{"n":%d,"x":"%s"}' % (number, b"x" * chance.randint(0, 900)) for _ in range(chance.randint(1, 4))
        ]
        if not number % 9:
            bodies.append(chance.randbytes(chance.randint(2_000, 12_000)))
        last = box.put([Message("camera/a/event", b, "application/json", Priority.EVENT, at) for b in bodies])[
            -1
        ]
        os.write(1, b"kept %d\n" % last)
        if chance.random() < 0.15:
            gone = chance.randint(gone, last)
            os.write(1, b"gone %d\n" % gone)
            box.waiting(1, clock.now())
            box.acknowledge(box.stream, [(1, gone)])
    os._exit(0)  # a cut needs no goodbye


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
