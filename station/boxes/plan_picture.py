"""Any picture as a plan: looked at before it is decoded, decoded, and written anew. No more of it is kept.

What is kept is what OpenCV wrote of the pixels: no metadata, no second file behind the first, and nothing that
a browser could run (so no SVG, which may hold scripts).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.errors import NgatuError
from agent.translatable import tr

MAX_BYTES: Final = 8_000_000
MAX_SIDE_PX: Final = 8_000
KEPT_SIDE_PX: Final = 4_000
"""A larger one is made smaller: no screen shows more."""
MIN_SIDE_PX: Final = 50
JPEG_QUALITY: Final = 88
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_SOFS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of frames, which hold the size (ITU-T T.81, table B.1)."""
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
_one_at_a_time = threading.Lock()
"""A picture of 8000 × 8000 takes 200 MB while it is decoded."""


class PlanError(NgatuError):
    """A plan cannot be kept or changed as asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class PlanPicture:
    """A picture as it is kept."""

    media_type: str
    """image/png or image/jpeg."""
    data: bytes
    width_px: int
    height_px: int


def plan_picture(data: bytes) -> PlanPicture:
    """The picture of a file that somebody chose.

    Raises:
        PlanError: it is too large, or no whole PNG or JPEG.
    """
    if len(data) > MAX_BYTES:
        raise PlanError(
            tr("the picture is larger than {most} MB", most=MAX_BYTES // 1_000_000),
            tr("make it smaller, or save it as JPEG"),
        )
    size = _size(data)
    if size is None:
        raise PlanError(
            tr("this is no picture that can be a plan"),
            tr("choose a PNG or a JPEG; a PDF or an SVG can be saved as one"),
        )
    if not min(size) >= MIN_SIDE_PX or not max(size) <= MAX_SIDE_PX:
        raise PlanError(
            tr("the picture is {width} × {height} pixels", width=size[0], height=size[1]),
            tr("a plan has {least} to {most} pixels a side", least=MIN_SIDE_PX, most=MAX_SIDE_PX),
        )
    with _one_at_a_time:
        return _anew(data)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height as the file claims them, before it is decoded; None: it is neither PNG nor JPEG."""
    if data.startswith(_PNG):
        if data[12:16] != b"IHDR" or len(data) < 24:
            return None
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return _jpeg_size(data) if data.startswith(_JPEG) else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _SOFS:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if marker == 0xFF:  # fill bytes may stand before any marker
            at += 1
        elif marker in _BARE:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _anew(data: bytes) -> PlanPicture:
    import cv2  # noqa: PLC0415 – 40 MB, and a plan is changed once in a year

    is_png = data.startswith(_PNG)
    try:
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED if is_png else cv2.IMREAD_COLOR)
    except cv2.error:
        read = None
    if read is None:
        raise PlanError(tr("the picture is damaged"), tr("open it in another program, and save it again"))
    pixels = _on_white(np.asarray(read))
    height_px, width_px = pixels.shape[:2]
    scale = KEPT_SIDE_PX / max(height_px, width_px)
    if scale < 1:
        size = max(1, round(width_px * scale)), max(1, round(height_px * scale))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    done, written = (
        cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 6])
        if is_png
        else cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    )
    if not done:
        raise PlanError(tr("the picture is damaged"), tr("open it in another program, and save it again"))
    kind = "image/png" if is_png else "image/jpeg"
    return PlanPicture(kind, bytes(written), pixels.shape[1], pixels.shape[0])


def _on_white(read: NDArray[Any]) -> NDArray[np.uint8]:
    """Eight bits, three colours, what is transparent on white."""
    pixels = (read >> 8).astype(np.uint8) if read.dtype == np.uint16 else read.astype(np.uint8)
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.shape[2] < 4:
        return np.ascontiguousarray(pixels[:, :, :3])
    opaque = pixels[:, :, 3:4].astype(np.uint16)
    blended = (pixels[:, :, :3].astype(np.uint16) * opaque + 255 * (255 - opaque)) // 255
    return blended.astype(np.uint8)
