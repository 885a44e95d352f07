"""Pictures for events: JPEG within a budget of bytes, found by searching the quality, then by shrinking.

A JPEG from here carries no EXIF and no other metadata: OpenCV writes the pixels and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

import cv2
import numpy as np
from pydantic import Field

from agent.core.types import Box, Image, Sensitive, SensitiveKind, Shot
from agent.settings.base import Settings

FRAME_SHARE = 480
"""The width of a picture over that of the frame that is drawn into it."""
_BEST_QUALITY = 92
"""Above it JPEG files grow fast without looking better."""


Blur = Literal["none", "heads", "heads_and_plates"]
HIDES: Final[Mapping[Blur, frozenset[SensitiveKind]]] = {
    "none": frozenset(),
    "heads": frozenset({SensitiveKind.HEAD}),
    "heads_and_plates": frozenset(SensitiveKind),
}


class ThumbnailSettings(Settings):
    """How large the pictures of events may be, and what is taken out of pictures."""

    max_side_px: int = Field(320, ge=32, le=1920, description="Longer side of a thumbnail, in pixels.")
    max_bytes: int = Field(24_000, ge=2_000, le=60_000, description="Budget of a thumbnail, in bytes.")
    scene_max_side_px: int = Field(
        960, ge=32, le=3840, description="Longer side of a scene picture, in pixels."
    )
    scene_max_bytes: int = Field(
        60_000, ge=4_000, le=60_000, description="Budget of a scene picture, in bytes."
    )
    min_quality: int = Field(
        45, ge=5, le=92, description="JPEG quality below which a picture is shrunk instead."
    )
    from_main: bool = Field(
        True,
        description="A thumbnail is cut from the main stream of a camera that has one (`record.source`), where "
        "that shows more.",
    )
    blur: Blur = Field(
        "none",
        description="heads: where the boxes of people and riders have their heads, pictures are of coarse "
        "squares; heads_and_plates: also where vehicles have their plates. In pictures of events, snapshots "
        "and looks; not in footage. It hides nobody whom the detector does not find.",
    )


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One encoded picture."""

    data: bytes
    width_px: int
    height_px: int
    sha256: str
    """Of `data`, lower-case hex."""


def thumbnail(shot: Shot, settings: ThumbnailSettings) -> Jpeg:
    """The close view of an event."""
    return encode(shot, settings.max_side_px, settings.max_bytes, settings.min_quality, settings.blur)


def scene(shot: Shot, settings: ThumbnailSettings) -> Jpeg:
    """The whole view of an event, with a thin frame around the object."""
    small = _without(_shrunk(shot.image, settings.scene_max_side_px), shot.sensitive, settings.blur)
    shown = Shot(_framed(small, shot.box), shot.at, shot.box, shot.quality)
    return encode(shown, settings.scene_max_side_px, settings.scene_max_bytes, settings.min_quality)


def encode(shot: Shot, max_side_px: int, max_bytes: int, min_quality: int = 45, blur: Blur = "none") -> Jpeg:
    """The shot as JPEG of at most `max_bytes`: the best quality that fits, or a smaller picture.

    `blur` says what of it nobody may see.

    The size of a JPEG grows with its quality, so a binary search finds the best in at most six encodings.
    Where even `min_quality` does not fit, the picture is shrunk by what is missing and searched again.
    A picture of 16 pixels a side is given back whatever its size: there is nothing left to save.
    """
    image = _without(_shrunk(shot.image, max_side_px), shot.sensitive, blur)
    while True:
        data = _search(image, max_bytes, min_quality)
        height_px, width_px = image.shape[:2]
        side_px = max(height_px, width_px)
        if len(data) <= max_bytes or side_px <= 16:
            return Jpeg(data, width_px, height_px, sha256(data).hexdigest())
        # Bytes go with the area; a tenth less than computed, so that one more round is rare.
        image = _shrunk(image, max(16, int(side_px * min(0.9, 0.9 * (max_bytes / len(data)) ** 0.5))))


def _search(image: Image, max_bytes: int, min_quality: int) -> bytes:
    """The JPEG of the highest quality within the budget; of the lowest quality if none is."""
    best = _jpeg(image, _BEST_QUALITY)
    if len(best) <= max_bytes:
        return best
    best = _jpeg(image, min_quality)
    if len(best) > max_bytes:
        return best
    fits, too_large = min_quality, _BEST_QUALITY
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        data = _jpeg(image, middle)
        if len(data) <= max_bytes:
            fits, best = middle, data
        else:
            too_large = middle
    return best


def _jpeg(image: Image, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    assert done, "OpenCV encodes any 8 bit picture"
    return bytes(data)


def _shrunk(image: Image, max_side_px: int) -> Image:
    """The picture with its longer side at most `max_side_px`; never enlarged."""
    height_px, width_px = image.shape[:2]
    scale = max_side_px / max(height_px, width_px)
    if scale >= 1:
        return image
    size = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _framed(image: Image, box: Box) -> Image:
    """A copy with a white frame in a dark one, so that it is seen on any ground, just outside of the object.

    It grows with the picture, for most of them are looked at on a small screen.
    """
    height_px, width_px = image.shape[:2]
    marked = image.copy()
    line = max(1, round(width_px / FRAME_SHARE))
    left, top = int(box.left * width_px) - 2, int(box.top * height_px) - 2
    right, bottom = int(np.ceil(box.right * width_px)) + 1, int(np.ceil(box.bottom * height_px)) + 1
    for grown in range(2 * line, 0, -1):  # from outside to inside, so that no line is drawn into the object
        colour = (255, 255, 255) if grown <= line else (0, 0, 0)
        corners = (left - grown + 1, top - grown + 1), (right + grown - 1, bottom + grown - 1)
        cv2.rectangle(marked, *corners, colour, 1)
    return marked


def _without(image: Image, sensitive: Sequence[Sensitive], blur: Blur) -> Image:
    """A copy in which each part that nobody may see is of a few squares; else the same picture."""
    hidden = [each for each in sensitive if each.kind in HIDES[blur]]
    if not hidden:
        return image
    height_px, width_px = image.shape[:2]
    shown = image.copy()
    for each in sorted(hidden, key=_square):  # where two overlap the coarser squares count
        left, right = (min(width_px, max(0, round(x * width_px))) for x in (each.box.left, each.box.right))
        top, bottom = (min(height_px, max(0, round(y * height_px))) for y in (each.box.top, each.box.bottom))
        if left < right and top < bottom:
            side_px = max(2.0, (each.box.bottom - each.box.top) * height_px / each.rows)
            part = image[top:bottom, left:right]
            squares = (max(1, int((right - left) / side_px)), max(1, int((bottom - top) / side_px)))
            coarse = cv2.resize(part, squares, interpolation=cv2.INTER_AREA)
            size = (right - left, bottom - top)
            shown[top:bottom, left:right] = cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
    return shown


def _square(part: Sensitive) -> float:
    """The height of its squares, in fractions of the picture's."""
    return (part.box.bottom - part.box.top) / part.rows
