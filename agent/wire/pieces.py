"""How the files of a clip are cut into pieces that fit into messages, alike on both sides. Pure.

A piece is small, for an alert that comes waits for the rest of one: at 256 kbit/s half a second. It is below
what the smallest brokers take (rumqttd: 20 KB with its topic), and below the size at which a connection that
ends with it on its way speaks against it (agent/mqtt/inflight.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

PIECE_BYTES: Final = 15 * 1024
FILE_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
"""Of a file's name: no folder, nothing hidden."""


def count(size_bytes: int) -> int:
    """Pieces of a file; an empty one has none."""
    return -(-size_bytes // PIECE_BYTES)


def span(size_bytes: int, piece: int) -> tuple[int, int]:
    """The first byte of a piece, and the one behind it.

    Raises:
        ValueError: the file has no such piece.
    """
    if not 0 <= piece < count(size_bytes):
        raise ValueError(f"no piece {piece} in {size_bytes} bytes")
    return piece * PIECE_BYTES, min(size_bytes, (piece + 1) * PIECE_BYTES)


def cut(data: bytes) -> Iterator[bytes]:
    """The pieces of a file in their order."""
    for piece in range(count(len(data))):
        first, end = span(len(data), piece)
        yield data[first:end]
