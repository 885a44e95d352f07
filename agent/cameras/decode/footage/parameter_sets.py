"""What a decoder of H.264 and H.265 must know first, as it stands in the stream before a key picture. Pure.

A camera that is set to another size says so there and nowhere else: the stream goes on.
"""

from __future__ import annotations

from typing import Final

H264_SETS: Final = frozenset({7, 8})  # SPS, PPS (ITU-T H.264, table 7-1)
HEVC_SETS: Final = frozenset({32, 33, 34})  # VPS, SPS, PPS (ITU-T H.265, table 7-1)
LOOK_BYTES: Final = 4096
"""They stand at the beginning, and a picture may be a megabyte."""


def parameter_sets(data: bytes, codec: str) -> bytes:
    """Those that stand before the picture, with their start codes; empty if none do, or in another form.

    `data` is a packet with start codes (Annex B), as cameras on the network send it.
    """
    if codec not in ("h264", "hevc") or not data.startswith((b"\0\0\1", b"\0\0\0\1")):
        return b""
    sets = []
    for unit in (each.rstrip(b"\0") for each in data[:LOOK_BYTES].split(b"\0\0\1")[1:]):
        if not unit:
            continue
        kind = unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63
        if kind in (H264_SETS if codec == "h264" else HEVC_SETS):
            sets.append(b"\0\0\0\1" + unit)
        elif (1 <= kind <= 5) if codec == "h264" else kind < 32:
            break  # the picture
    return b"".join(sets)
