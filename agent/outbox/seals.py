"""The outbox's half of the hash chain: which messages a seal lists, in the transaction that puts the seal.

chain.py tells what a seal is and holds what a station keeps against it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

from agent.core.types import Instant
from agent.outbox.database import Seal
from agent.wire import codec
from agent.wire.payloads import Carried
from agent.wire.ranges import ranges

SEAL_EVERY: Final = 40
"""Messages in one seal: 3.2 KB of JSON, below the 4 KiB of the contract."""
SEAL_AFTER_S: Final = 300.0
"""What no seal lists after this time gets one, however little it is."""
_RANGES: Final = 30
_GIVEN_UP: Final = 5000
"""Evicted messages looked at for one seal; what is left is told by the next."""


@dataclass(frozen=True, slots=True)
class Reinserted:
    """What comes again in this stream."""

    stream: str | None
    """In which it was; None: that could not be read."""
    newest: int | None
    """The highest seq that was given there."""
    seqs: Sequence[int]
    forked: bool = False
    """Other messages have these numbers, too (invariant 16)."""


def number_after(stream: str, seal: Seal | None) -> int:
    """The number of the seal that follows: it begins anew with each stream."""
    return seal[1] + 1 if seal is not None and seal[0] == stream else 1


def compose(
    db: sqlite3.Connection,
    stream: str,
    before: Seal | None,
    unripe: Container[int],
    at: Instant,
    reinserted: Reinserted | None,
) -> tuple[bytes, int]:
    """The body of the next seal, and how many messages it lists; these are taken off what is to be sealed."""
    entries: list[tuple[int, bytes]] = []
    rows = db.execute("select seq, sha256 from unsealed order by seq")
    for seq, sha256 in rows:
        if len(entries) >= SEAL_EVERY:
            break
        if seq not in unripe:
            entries.append((seq, sha256))
    rows.close()
    db.executemany("delete from unsealed where seq = ?", [(seq,) for seq, _ in entries])
    gone = [seq for (seq,) in db.execute("select seq from given_up order by seq limit ?", (_GIVEN_UP,))]
    dropped = ranges(gone)[:_RANGES]
    db.executemany("delete from given_up where seq between ? and ?", dropped)
    body = codec.seal(
        stream,
        number_after(stream, before),
        (before[0], before[1], before[2].hex()) if before else None,
        [(seq, sha256.hex()) for seq, sha256 in entries],
        dropped,
        at,
        None if reinserted is None else _carried(reinserted),
    )
    return body, len(entries)


def _carried(reinserted: Reinserted) -> Carried:
    return Carried(
        stream=reinserted.stream,
        newest=reinserted.newest,
        seqs=tuple(ranges(reinserted.seqs)),
        forked=reinserted.forked,
    )
