"""The whole view of an event without the frame that the box has drawn around its road user.

A detector that learns from pictures with frames learns the frame: wherever one is drawn, something is. So the
frame is painted out of what lies beside it (Telea, "An image inpainting technique based on the fast marching
method", Journal of Graphics Tools 9, 2004, pages 23 to 34), and the picture is written anew. The box draws it
outside of the road user (agent/publishing/jpeg.py; a test holds both together), and may make the picture
smaller afterwards, which smears it into him: so the outermost pixel of his place goes with it.

Where no frame is, the event and the picture do not belong together, and nothing is known of that place.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.wire.payloads import BoxPayload

FRAME_SHARE: Final = 480
"""As the box has it: the width of a picture over that of one of the frame's two lines."""
_ROUNDED: Final = 2000
"""The wire has a place to a thousandth, so a line may lie by half of that elsewhere."""
_BRIGHT, _DARK, _STEP = 140, 140, 40
"""What a JPEG leaves of white beside black: at least so bright, so dark, and so far apart (0..255)."""
_SEEN: Final = 0.7
"""Share of the frame that must be seen. In 72 pictures of junctions, 512 pixels wide, all of each frame was
seen within 40 KB and 0.84 and more within 20 KB, which makes pictures smaller; where none was, 0.55 at most."""
_RADIUS_PX: Final = 3
_QUALITY: Final = 95

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BarePicture:
    """A picture as JPEG, without metadata."""

    data: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class _Ring:
    """A frame in whole pixels, each side included: what lies inside of `inner` is the road user."""

    inner: tuple[int, int, int, int]
    outer: tuple[int, int, int, int]


def unframed(jpeg: bytes, place: BoxPayload) -> BarePicture | None:
    """The picture without the frame around `place`; None: it cannot be read, or there is no frame."""
    import cv2  # noqa: PLC0415 – 40 MB, which the other commands do without

    try:
        read = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        read = None
    if read is None:
        return None
    image = np.asarray(read, np.uint8)
    height_px, width_px = image.shape[:2]
    ring = _ring(place, width_px, height_px)
    if _frame_share(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8), ring) < _SEEN:
        return None
    mask = np.zeros((height_px, width_px), np.uint8)
    _fill(mask, ring.outer, 255)
    _fill(mask, ring.inner, 0)
    bare = cv2.inpaint(image, mask, _RADIUS_PX, cv2.INPAINT_TELEA)
    done, data = cv2.imencode(".jpg", bare, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return BarePicture(bytes(data), width_px, height_px) if done else None


def _ring(place: BoxPayload, width_px: int, height_px: int) -> _Ring:
    """Where the frame can be; the picture may have been made smaller after it was drawn."""
    line = max(1, round(width_px / FRAME_SHARE))
    slack = ceil(width_px / _ROUNDED)
    left, top = int(place.left * width_px), int(place.top * height_px)
    right, bottom = ceil(place.right * width_px), ceil(place.bottom * height_px)
    out = 2 + 2 * line + slack
    inner = left + 1, top + 1, right - 2, bottom - 2
    return _Ring(inner, (left - out, top - out, right - 1 + out, bottom - 1 + out))


def _frame_share(grey: Pixels, ring: _Ring) -> float:
    """0..1: along how much of the frame, as far as it lies in the picture, white lies beside black."""
    left, top, right, bottom = ring.inner
    far_left, far_top, far_right, far_bottom = ring.outer
    high, wide = grey.shape
    sides = []
    if far_top >= 0:
        sides.append(grey[far_top:top, max(0, left) : right + 1])
    if far_bottom < high:
        sides.append(grey[bottom + 1 : far_bottom + 1, max(0, left) : right + 1])
    if far_left >= 0:
        sides.append(grey[max(0, top) : bottom + 1, far_left:left].T)
    if far_right < wide:
        sides.append(grey[max(0, top) : bottom + 1, right + 1 : far_right + 1].T)
    seen = [_is_frame(side) for side in sides if side.size]
    return float(np.concatenate(seen).mean()) if seen else 0.0


def _is_frame(side: Pixels) -> NDArray[np.bool_]:
    """Of each place along a side whether the frame crosses it; (thickness, length) in, (length,) out."""
    bright, dark = side.max(axis=0).astype(int), side.min(axis=0).astype(int)
    return np.asarray((bright >= _BRIGHT) & (dark <= _DARK) & (bright - dark >= _STEP), np.bool_)


def _fill(mask: Pixels, sides: tuple[int, int, int, int], value: int) -> None:
    left, top, right, bottom = sides
    mask[max(0, top) : max(0, bottom + 1), max(0, left) : max(0, right + 1)] = value
