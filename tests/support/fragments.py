"""Boxes of MP4 without pictures in them, for tests of who carries them."""

from __future__ import annotations


def box(name: bytes, body: bytes = b"") -> bytes:
    """A box of ISO/IEC 14496-12."""
    return (8 + len(body)).to_bytes(4, "big") + name + body


INIT = box(b"ftyp", b"isom") + box(b"moov", b"m" * 40)


def media(size: int) -> bytes:
    """A fragment of about so many bytes."""
    return box(b"moof", b"f" * 40) + box(b"mdat", b"d" * size)
