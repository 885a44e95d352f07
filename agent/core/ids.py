"""Identifiers that sort by time: UUIDv7 (RFC 9562, section 5.7), from a moment and a seed.

The core may read neither a clock nor a source of chance, and a replay must give the same ids twice,
so the library's uuid7() does not fit: the moment is an argument, and the random bits are a keyed hash
of a counter. The agent seeds it from the system's randomness at each start; a replay seeds it with a constant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from uuid import UUID

from agent.core.types import Instant


@dataclass(frozen=True, slots=True)
class Ids:
    """A source of ids as a value: `next` gives the id and the source that follows."""

    seed: bytes
    """16 bytes or more of chance, or a constant for a replay."""
    used: int = 0

    def next(self, at: Instant) -> tuple[str, Ids]:
        """A UUIDv7 in its canonical text form for the moment `at`, and the source to use afterwards."""
        return uuid7(at, self.seed, self.used), replace(self, used=self.used + 1)


def uuid7(at: Instant, seed: bytes, count: int) -> str:
    """The UUIDv7 for the wall time of `at`; `seed` and `count` give its 74 other bits."""
    unix_ms = int(at.wall_s * 1000) & ((1 << 48) - 1)
    chance = int.from_bytes(blake2b(count.to_bytes(8), key=seed[:64], digest_size=10).digest())
    value = unix_ms << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64 | 0b10 << 62 | chance & ((1 << 62) - 1)
    return str(UUID(int=value))
