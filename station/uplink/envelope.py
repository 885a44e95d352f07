"""Many things in one message: packed small, and read by somebody who trusts no byte of it. Pure.

The format is in docs/design/uplink.md: a byte that says how it is packed, zlib with a preset dictionary for few
items or LZMA for many; inside a line of JSON that says of whom it is, and each item as a line of JSON, its
bytes, and a line feed.
"""

from __future__ import annotations

import json
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeGuard

from agent.errors import WireError
from agent.settings.base import NAME_PATTERN
from station.uplink.dictionary import DICTIONARY_1

ENVELOPE: Final = "envelope"
"""The topic below the commune."""
ZLIB: Final = b"\x01"
"""With DICTIONARY_1: the smaller one for a few items."""
LZMA: Final = b"\x02"
"""Without a container; before it the CRC-32 of what is packed."""
_FILTERS: Final = [
    {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 0, "nice_len": 273, "depth": 512}
]
MAX_PACKED_BYTES: Final = 128 * 1024
MAX_PLAIN_BYTES: Final = 1024 * 1024
MAX_ITEMS: Final = 1_000
_HEAD_BYTES: Final = 256
"""Of a line of JSON, at most."""
_NAME: Final = re.compile(NAME_PATTERN)
_KIND: Final = re.compile(r"[a-z_]{1,32}")
LAST_MS: Final = 7_258_118_399_999
"""Of every moment: the end of the last year of the wire, 2199."""


class ItemKind(StrEnum):
    """What an item is; whoever reads may meet kinds of a newer version."""

    EVENT = "event"
    SEAL = "seal"
    COUNT = "count"
    HOUR = "hour"
    BOX = "box"
    ANSWER = "answer"
    PIECE = "piece"


@dataclass(frozen=True, slots=True)
class UpItem:
    """One thing that goes up."""

    kind: str
    """A word of ItemKind, or one that this version does not know."""
    device: str
    """The box that it is about."""
    raw: bytes

    @property
    def cost_bytes(self) -> int:
        """What it takes unpacked, with its line."""
        return len(self.raw) + len(self.kind) + len(self.device) + 24


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one message holds."""

    commune: str
    made_ms: int
    """By the station's clock."""
    items: tuple[UpItem, ...]


def pack(envelope: Envelope) -> bytes:
    """The message.

    Raises:
        WireError: it is beyond a limit; `packed` makes several.
    """
    plain = b"".join(_plain(envelope))
    if len(plain) > MAX_PLAIN_BYTES or len(envelope.items) > MAX_ITEMS:
        raise WireError(f"an envelope of {len(plain)} bytes and {len(envelope.items)} items")
    packer = zlib.compressobj(9, zdict=DICTIONARY_1)
    small = ZLIB + packer.compress(plain) + packer.flush()
    large = LZMA + zlib.crc32(plain).to_bytes(4) + lzma.compress(plain, lzma.FORMAT_RAW, filters=_FILTERS)
    data = min(small, large, key=len)
    if len(data) > MAX_PACKED_BYTES:
        raise WireError(f"an envelope of {len(data)} bytes", f"the limit is {MAX_PACKED_BYTES}")
    return data


def packed(envelope: Envelope) -> Iterator[bytes]:
    """As many messages as its items need, in their order.

    Raises:
        WireError: one item alone is beyond a limit.
    """
    try:
        yield pack(envelope)
    except WireError:
        items = envelope.items
        if len(items) < 2:
            raise
        middle = len(items) // 2
        for half in (items[:middle], items[middle:]):
            yield from packed(Envelope(envelope.commune, envelope.made_ms, half))


def unpack(data: bytes) -> Envelope:
    """What a message holds.

    Raises:
        WireError: it is none, or beyond a limit; the text says what is wrong.
    """
    if data[:1] not in (ZLIB, LZMA):
        raise WireError(f"no envelope of version 1 or 2: it begins with {data[:1].hex() or 'nothing'}")
    if len(data) > MAX_PACKED_BYTES:
        raise WireError(f"an envelope of {len(data)} bytes", f"the limit is {MAX_PACKED_BYTES}")
    plain = _unpacked(data[1:]) if data[:1] == ZLIB else _unpacked_lzma(data[1:])
    head, at = _line(plain, 0)
    if not isinstance(head, dict):
        raise WireError("the first line of the envelope is no object")
    commune, made_ms = head.get("commune"), head.get("made_ms")
    if not (isinstance(commune, str) and _NAME.fullmatch(commune) and is_moment(made_ms)):
        raise WireError("the first line of the envelope does not say of whom and when it is")
    return Envelope(commune, made_ms, tuple(_items(plain, at)))


def is_moment(value: object) -> TypeGuard[int]:
    """Whether it is whole milliseconds since 1970, within the years of the wire."""
    return type(value) is int and 0 <= value <= LAST_MS


def compact(value: Any) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(envelope: Envelope) -> Iterator[bytes]:
    yield compact({"commune": envelope.commune, "made_ms": envelope.made_ms}) + b"\n"
    for item in envelope.items:
        yield compact([item.kind, item.device, len(item.raw)]) + b"\n"
        yield item.raw + b"\n"


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(zdict=DICTIONARY_1)
    try:
        plain = unpacker.decompress(data, MAX_PLAIN_BYTES + 1)
    except zlib.error as error:
        raise WireError(f"the envelope cannot be unpacked: {error}") from None
    return _whole(plain, is_whole=unpacker.eof and not unpacker.unused_data)


def _unpacked_lzma(data: bytes) -> bytes:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        plain = unpacker.decompress(data[4:], MAX_PLAIN_BYTES + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise WireError(f"the envelope cannot be unpacked: {error}") from None
    is_whole = unpacker.eof and not unpacker.unused_data
    return _whole(plain, is_whole=is_whole and zlib.crc32(plain).to_bytes(4) == data[:4])


def _whole(plain: bytes, *, is_whole: bool) -> bytes:
    if len(plain) > MAX_PLAIN_BYTES:
        raise WireError("the envelope is larger unpacked than it may be", f"the limit is {MAX_PLAIN_BYTES}")
    if not is_whole:
        raise WireError("the envelope is cut short, or something follows it")
    return plain


def _items(plain: bytes, at: int) -> Iterator[UpItem]:
    for _ in range(MAX_ITEMS):
        if at == len(plain):
            return
        head, begin = _line(plain, at)
        kind, device, size = _head(head)
        at = begin + size + 1
        if at > len(plain) or plain[at - 1 : at] != b"\n":
            raise WireError(f"an item of the envelope does not end after its {size} bytes")
        yield UpItem(kind, device, plain[begin : at - 1])
    if at != len(plain):
        raise WireError(f"more than {MAX_ITEMS} items in an envelope")


def _head(head: object) -> tuple[str, str, int]:
    match head:
        case [str(kind), str(device), int(size)] if (
            type(size) is int
            and 0 <= size <= MAX_PLAIN_BYTES
            and _KIND.fullmatch(kind)
            and _NAME.fullmatch(device)
        ):
            return kind, device, size
    raise WireError("a line of the envelope does not say what, of whom and how long an item is")


def _line(plain: bytes, at: int) -> tuple[object, int]:
    """One line of JSON, and where the next one begins."""
    end = plain.find(b"\n", at, at + _HEAD_BYTES)
    if end < 0:
        raise WireError("a line of the envelope has no end")
    try:
        return json.loads(plain[at:end]), end + 1
    except (ValueError, RecursionError):
        raise WireError("a line of the envelope is no JSON") from None


def fitting(items: Sequence[UpItem]) -> tuple[Sequence[UpItem], Sequence[UpItem]]:
    """Those that fit into any envelope, and those that none may hold."""
    most = MAX_PACKED_BYTES - 2048  # what cannot be packed smaller takes little more than its size
    return [each for each in items if each.cost_bytes <= most], [
        each for each in items if each.cost_bytes > most
    ]
