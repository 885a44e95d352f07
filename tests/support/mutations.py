"""Bytes altered as a fault, a fuzzer or a thief would alter them; dice decide."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

NUMBERS = ("0", "-1", "65536", "2147483648", "4294967297", "99999999999999999999", "1e9", "0x7fffffff", "")
WORDS = (
    "video", "audio", "application", "H264", "H265", "JPEG", "MP4V-ES", "MPEG4-GENERIC", "VP8", "AV1", "X-QT",
    "RTP/AVP", "RTP/SAVP", "TCP", "UDP", "multicast", "interleaved=0-1", "interleaved=200-7", "..", "%00", "*",
)  # fmt: skip
LINES = (
    "a=fmtp:96 sprop-parameter-sets=" + "Z0LAH9oBQBbsBEAAAAMAQAAADIPGDKg=," * 200,
    "a=rtpmap:96 H264/0", "a=rtpmap:96 H265/4294967295", "a=framesize:96 65535-65535", "a=framerate:0.0000001",
    "a=range:npt=-1e308-1e308", "a=control:rtsp://10.255.255.1:1/x", "a=control:" + "a/" * 2000,
    "m=audio 0 RTP/AVP 0", "m=video 0 RTP/AVP 26", "m=video 65535 RTP/AVP 33", "m=application 0 RTP/AVP 107",
    "c=IN IP4 239.255.255.255/1", "b=AS:-1", "Content-Length: 1000000", "Transfer-Encoding: chunked",
    "RTP-Info: seq=-1;rtptime=99999999999", "Session: " + "9" * 3000,
    "Transport: RTP/AVP/TCP;interleaved=255-6",
    "WWW-Authenticate: Digest " + 'realm="' * 50, "CSeq: -2147483649", "Require: x" * 100, "Location: rtsp://\x00/",
)  # fmt: skip


def bytes_altered(data: bytes, chance: random.Random) -> bytes:
    """Flipped, cut, doubled, overwritten, in one to four places."""
    changed = bytearray(data or b"\0")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed)) if changed else 0
        span = min(chance.choice((1, 1, 2, 4, 16, 200)), max(0, len(changed) - at))
        match chance.randrange(7):
            case 0 | 1 if changed:
                changed[at] ^= 1 << chance.randrange(8)
            case 2:
                changed[at : at + span] = chance.randbytes(span)
            case 3:
                del changed[at : at + span]
            case 4:
                changed[at:at] = changed[at : at + span] * chance.randint(1, 20)
            case 5:
                changed[at : at + span] = bytes([chance.choice((0, 0xFF, 0x7F, 0x80))]) * span
            case _ if chance.random() < 0.2:
                del changed[at:]
    return bytes(changed)


def reply_altered(reply: bytes, chance: random.Random) -> bytes:
    """An answer of RTSP: its bytes, its numbers, its words, its lines."""
    text = reply.decode("latin-1")
    ways: tuple[Callable[[], str], ...] = (
        lambda: bytes_altered(reply, chance).decode("latin-1"),
        lambda: _one(r"\d+", text, chance.choice(NUMBERS), chance),
        lambda: _one(r"[A-Za-z0-9/=-]{3,}", text, chance.choice(WORDS), chance),
        lambda: _one(r"\r\n", text, f"\r\n{chance.choice(LINES)}\r\n", chance),
        lambda: "\r\n".join(chance.sample(lines := text.split("\r\n"), len(lines))),
        lambda: _one(r"RTSP/1.0 \d+", text, f"RTSP/1.0 {chance.randint(100, 606)}", chance),
        lambda: f"${chr(chance.randrange(256))}{chr(chance.randrange(256))}{chr(chance.randrange(256))}{text}",
        lambda: text * chance.randint(2, 30),
    )
    return chance.choice(ways)().encode("latin-1")


def _one(pattern: str, text: str, instead: str, chance: random.Random) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    here = chance.choice(found)
    return text[: here.start()] + instead + text[here.end() :]
