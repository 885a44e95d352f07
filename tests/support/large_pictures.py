"""Small files that claim pictures of 16,000 x 16,000 pixels: what they hold is for a few pixels only."""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

SIDE_PX = 16_000  # FFmpeg itself refuses not much more
H264_SPS, H265_SPS = 7, 33


def write_all(folder: Path) -> dict[str, Path]:
    """One of each kind, by its name."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    files = {
        "jpeg": ("big.jpg", _jpeg()),
        "mjpeg": ("big.mjpeg", _jpeg() * 2),
        "png": ("big.png", _png(cv2.imencode(".png", grey)[1].tobytes())),
        "gif": ("big.gif", b"GIF89a" + SIDE_PX.to_bytes(2, "little") * 2 + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
                + b"," + bytes(4) + SIDE_PX.to_bytes(2, "little") * 2 + b"\0\x02\x02\x4c\x01\0;"),
        "h264": ("big.h264", h264(SIDE_PX, SIDE_PX)),
        "h265": ("big.h265", h265(SIDE_PX, SIDE_PX)),
    }  # fmt: skip
    for name, data in files.values():
        (folder / name).write_bytes(data)
    return {kind: folder / name for kind, (name, _) in files.items()}


def h264(width_px: int, height_px: int) -> bytes:
    """A stream whose sequence parameter set claims this size."""
    return b"".join(
        b"\0\0\0\1" + (_h264_sps(unit, width_px, height_px) if unit[0] & 31 == H264_SPS else unit)
        for unit in _units(_encoded("libx264", {"profile": "baseline", "tune": "zerolatency", "refs": "16"}))
    )


def h265(width_px: int, height_px: int) -> bytes:
    """The same as H.265."""
    return b"".join(
        b"\0\0\0\1" + (_h265_sps(unit, width_px, height_px) if unit[0] >> 1 & 63 == H265_SPS else unit)
        for unit in _units(_encoded("libx265", {"x265-params": "log-level=none"}))
    )


def _encoded(codec: str, options: dict[str, str]) -> bytes:
    context = av.CodecContext.create(codec, "w")
    context.width = context.height = 64
    context.pix_fmt, context.time_base, context.options = "yuv420p", Fraction(1, 10), options  # type: ignore[attr-defined]
    packets = []
    for number in range(20):
        frame = VideoFrame.from_ndarray(np.full((96, 64), 8 * number, np.uint8), format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)  # type: ignore[attr-defined]
    return b"".join(bytes(packet) for packet in [*packets, *context.encode(None)])  # type: ignore[attr-defined]


def _units(stream: bytes) -> list[bytes]:
    """What lies between the start codes of H.264 or H.265."""
    parts = stream.split(b"\0\0\1")[1:]
    return [part.rstrip(b"\0") for part in parts[:-1]] + parts[-1:]


class _Bits:
    """A parameter set, bit by bit."""

    def __init__(self, data: bytes) -> None:
        self.left = "".join(f"{byte:08b}" for byte in data.replace(b"\0\0\3", b"\0\0"))

    def take(self, count: int) -> str:
        """So many bits."""
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self) -> str:
        """One whole number, as Exp-Golomb writes it."""
        return self.take(2 * self.left.index("1") + 1)


def _number(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    data = bytearray()
    for start in range(0, len(bits), 8):
        byte = int(bits[start : start + 8], 2)
        if byte <= 3 and data.endswith(b"\0\0"):
            data.append(3)  # or it would look like a start code
        data.append(byte)
    return bytes(data)


def _h264_sps(unit: bytes, width_px: int, height_px: int) -> bytes:
    bits = _Bits(unit[1:])
    head = bits.take(24) + bits.number() + bits.number()  # profile, its id, length of frame numbers
    order = bits.number()
    head += order + (bits.number() if order == "1" else "") + bits.number() + bits.take(1)
    bits.number(), bits.number()
    return unit[:1] + _packed(head + _number(width_px // 16 - 1) + _number(height_px // 16 - 1) + bits.left)


def _h265_sps(unit: bytes, width_px: int, height_px: int) -> bytes:
    bits = _Bits(unit[2:])
    head = bits.take(8 + 96) + bits.number() + bits.number()  # profile, its id, chroma
    bits.number(), bits.number()
    return unit[:2] + _packed(head + _number(width_px) + _number(height_px) + bits.left)


def _jpeg() -> bytes:
    """A whole one: FFmpeg looks no further at one that is too short for its size. All of it is grey."""
    small = cv2.imencode(".jpg", np.full((64, 64), 128, np.uint8))[1].tobytes()
    at = small.index(b"\xff\xc0") + 5
    scan = small.index(b"\xff\xda") + 2
    scan += int.from_bytes(small[scan : scan + 2], "big")
    blocks = b"\x28\xa2\x8a" * (SIDE_PX * SIDE_PX // 64 // 4)  # four blocks that are like the one before
    return small[:at] + SIDE_PX.to_bytes(2, "big") * 2 + small[at + 4 : scan] + blocks + b"\xff\xd9"


def _png(small: bytes) -> bytes:
    header = b"IHDR" + SIDE_PX.to_bytes(4, "big") * 2 + small[24:29]
    return small[:12] + header + zlib.crc32(header).to_bytes(4, "big") + small[33:]
