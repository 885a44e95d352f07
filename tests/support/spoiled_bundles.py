"""Bundles that somebody has altered: bytes, headers, members, ends; made of a good one by dice."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable

BLOCK = 512
FIELDS = {
    "name": (0, 100), "mode": (100, 8), "uid": (108, 8), "size": (124, 12), "mtime": (136, 12),
    "type": (156, 1), "link": (157, 100), "magic": (257, 8), "owner": (265, 32), "device": (329, 8),
    "prefix": (345, 155),
}  # fmt: skip
"""Of a header of ustar: where, and how many bytes (POSIX.1-1988)."""
SIZES = (
    b"77777777777\0",
    b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7,
    b"\xff" * 12,
    b"-0000000001\0",
    b"00000000000\0",
)
TYPES = b"\x000123456789ABDLKMNSVXgxz"
NAMES = (
    b"../../etc/cron.d/mine",
    b"/etc/passwd",
    b"manifest.json",
    b"",
    b"\xff\xfe",
    b"a" * 100,
    "mô-hình".encode(),
)


def headers(good: bytes) -> list[int]:
    """Where each header begins."""
    with tarfile.open(fileobj=io.BytesIO(good)) as tar:
        return [each.offset for each in tar.getmembers()]


def with_sum(data: bytearray, at: int) -> None:
    """Let the header's sum be right, so that what follows it is looked at."""
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + BLOCK])


def sparse(name: str, real_bytes: int) -> bytes:
    """A member of a few blocks that becomes `real_bytes` of zeros, as GNU tar writes it (PAX format 1.0)."""
    member = tarfile.TarInfo(name)
    member.size = BLOCK
    member.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name,
        "GNU.sparse.realsize": str(real_bytes),
    }  # fmt: skip
    body = f"1\n{real_bytes}\n0\n".encode().ljust(BLOCK, b"\0")
    return member.tobuf(tarfile.PAX_FORMAT) + body


def with_sparse(good: bytes, name: str, real_bytes: int) -> bytes:
    """The bundle with one of its files become sparse."""
    with tarfile.open(fileobj=io.BytesIO(good)) as tar:
        at = tar.getmember(name)
    end = at.offset_data + -(-at.size // BLOCK) * BLOCK
    return good[: at.offset] + sparse(name, real_bytes) + good[end:]


def spoiled(good: bytes, dice: random.Random) -> bytes:
    """One more that is not as it was."""
    data = bytearray(good)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        data = bytearray(dice.choice(WAYS)(data, dice))
    return bytes(data)


def _bytes(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.randrange(1, 4)):
        if data:
            data[dice.randrange(len(data))] = dice.randrange(256)
    return data


def _field(data: bytearray, dice: random.Random) -> bytearray:
    """A field of a header, which is small beside the files."""
    at = (
        dice.randrange(max(1, len(data) // BLOCK)) * BLOCK
        if dice.random() < 0.2
        else dice.choice(_starts(data))
    )
    if at + BLOCK > len(data):
        return data
    name = dice.choice(list(FIELDS))
    start, length = FIELDS[name]
    value = {
        "size": dice.choice((*SIZES, b"%011o\0" % dice.randrange(1 << 33))),
        "type": bytes([dice.choice(TYPES)]),
        "name": dice.choice(NAMES).ljust(length, b"\0"),
    }.get(name, dice.randbytes(length))
    data[at + start : at + start + length] = value
    if dice.random() < 0.8:
        with_sum(data, at)
    return data


def _cut(data: bytearray, dice: random.Random) -> bytearray:
    return data[: dice.randrange(len(data) + 1)]


def _blocks(data: bytearray, dice: random.Random) -> bytearray:
    """Some blocks go, come twice, or come elsewhere."""
    one, two, to = sorted(dice.randrange(len(data) // BLOCK + 1) * BLOCK for _ in range(3))
    piece = data[one:two]
    return dice.choice((data[:one] + data[two:], data[:to] + piece + data[to:], data[two:] + piece))


def _member(data: bytearray, dice: random.Random) -> bytearray:
    """A member of any kind comes in."""
    member = tarfile.TarInfo(dice.choice(NAMES).decode("latin-1").strip("\0") or "x")
    member.type = bytes([dice.choice(TYPES)])
    member.linkname = dice.choice(("", "/etc/passwd", "manifest.json"))
    body = dice.randbytes(dice.choice((0, 3, 512, 5000)))
    member.size = len(body)
    new = sparse("models/eyes.onnx", 1 << 40) if dice.random() < 0.2 else b""
    if not new:
        new = member.tobuf(dice.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)))
        new += body.ljust(-(-len(body) // BLOCK) * BLOCK, b"\0")
    at = dice.choice([*_starts(data), len(data)])
    return data[:at] + new + data[at:]


def _end(data: bytearray, dice: random.Random) -> bytearray:
    return data + dice.choice(
        (b"x", bytes(BLOCK), bytes(64 * BLOCK), dice.randbytes(BLOCK), bytes(data[:BLOCK]))
    )


def _starts(data: bytearray) -> list[int]:
    """Where something stands that looks like a header."""
    found = [at for at in range(0, len(data) - BLOCK, BLOCK) if data[at + 257 : at + 262] == b"ustar"]
    return found or [0]


WAYS: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    _bytes, _field, _field, _field, _cut, _blocks, _member, _member, _end,
)  # fmt: skip
