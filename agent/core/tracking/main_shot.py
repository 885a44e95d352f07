"""The picture of a road user out of the main stream, in place of the one out of the stream that is watched.

Both streams show the same view, so a box of one is the same box of the other, in fractions. When each picture
was taken is known only as well as the network delivers: one that came at the same moment may be of a tenth of a
second before, and show the road where a vehicle was. So pictures are not believed for their time: each of those
around the moment is held against the picture that is there already, where the road user is, and the most like
it is taken, or none if none is like it.

Likeness is the normalized cross-correlation of brightness, which knows no difference of exposure or contrast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from agent.core import image as picture
from agent.core.types import WHOLE, Box, Frame, Image, Plane, Sensitive, Shot, Size

LIKE: Final = 0.8
"""Least likeness of the same road user at the same moment."""
LEAST_PX: Final = 16
"""What is compared is so large at least, in pixels of the picture that is there: fewer are like anything."""
ASPECT: Final = 0.03
"""So much may the shapes of two pictures of one view differ: 640 × 352 is a sub-stream of 1920 × 1080."""
MOVED: Final = 0.25
"""What may have to be hidden is so much larger, as a share of its height: it may have moved a little since."""


def same_shape(one: Size, other: Size) -> bool:
    """Whether pictures of these sizes can be of the same view."""
    across = one.width_px * other.height_px / (one.height_px * other.width_px)
    return abs(across - 1) <= ASPECT


def gains(shot: Shot, most_px: int) -> bool:
    """Whether more pixels could show more: the picture is of a known part, and smaller than may be sent."""
    return shot.part is not None and not shot.from_main and max(shot.image.shape[:2]) < most_px


def best(
    shot: Shot, frames: Sequence[Frame], part: Box, most_px: int, alone: bool = False
) -> tuple[Shot, int] | None:
    """The shot in the most alike of the frames, and its place among them; None if none shows the same.

    `part` is what each frame shows of the view; the picture's longer side is at most `most_px`. `alone`: more
    is shown of the road user only, and all around it as it was, for there may be people in it whom nobody has
    found because they are small.
    """
    if shot.part is None or not frames:
        return None
    if 2 * part.width < shot.part.width or 2 * part.height < shot.part.height:
        return None  # so little of it is no picture of it
    likeness = [_likeness(shot, frame, part) for frame in frames]
    place = int(np.argmax(likeness))
    if likeness[place] < LIKE:
        return None
    frame = frames[place]
    scale = min(1.0, most_px / max(frame.size.width_px, frame.size.height_px))
    size = Size(max(2, round(frame.size.width_px * scale)), max(2, round(frame.size.height_px * scale)))
    if max(size.width_px, size.height_px) <= max(shot.image.shape[:2]):
        return None
    image, own = picture.bgr(frame, WHOLE, size), _moved(shot.box, shot.part, part)
    sensitive = tuple(
        Sensitive(each.kind, _moved(_grown(each.box), shot.part, part), each.rows) for each in shot.sensitive
    )
    return (
        replace(
            shot,
            image=_alone(image, own, shot, part) if alone else image,
            box=own,
            part=part,
            sensitive=sensitive,
            from_main=True,
        ),
        place,
    )


def _alone(image: Image, own: Box, shot: Shot, part: Box) -> Image:
    """The picture that is there in this size, and the larger one where the road user is."""
    assert shot.part is not None
    (high, wide), (height_px, width_px) = image.shape[:2], shot.image.shape[:2]
    across = shot.part.width / part.width * wide / width_px
    down = shot.part.height / part.height * high / height_px
    right = (shot.part.left - part.left) / part.width * wide + (across - 1) / 2
    below = (shot.part.top - part.top) / part.height * high + (down - 1) / 2
    whither = np.array([[across, 0.0, right], [0.0, down, below]])
    shown = cv2.warpAffine(shot.image, whither, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    x0, x1 = max(0, round(own.left * wide)), min(wide, round(own.right * wide))
    y0, y1 = max(0, round(own.top * high)), min(high, round(own.bottom * high))
    shown[y0:y1, x0:x1] = image[y0:y1, x0:x1]
    return np.asarray(shown, np.uint8)


def _likeness(shot: Shot, frame: Frame, part: Box) -> float:
    """-1..1: how alike the two are where the road user is."""
    assert shot.part is not None
    height_px, width_px = shot.image.shape[:2]
    left, right = _span(shot.box.left, shot.box.right, width_px)
    top, bottom = _span(shot.box.top, shot.box.bottom, height_px)
    there = Box(left / width_px, top / height_px, right / width_px, bottom / height_px)
    within = _moved(there, shot.part, part)
    high, wide = frame.luma.shape
    x0, x1 = max(0, round(within.left * wide)), min(wide, round(within.right * wide))
    y0, y1 = max(0, round(within.top * high)), min(high, round(within.bottom * high))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return -1.0
    ours = cv2.cvtColor(shot.image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    theirs = cv2.resize(frame.luma[y0:y1, x0:x1], (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return _correlation(np.asarray(ours, np.uint8), np.asarray(theirs, np.uint8))


def _correlation(one: Plane, other: Plane) -> float:
    a, b = one.astype(np.float32) - one.mean(), other.astype(np.float32) - other.mean()
    strength = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / strength if strength > 0 else -1.0


def _span(low: float, high: float, side_px: int) -> tuple[int, int]:
    """One side of a box in whole pixels, `LEAST_PX` long where there are so many."""
    more = max(0.0, LEAST_PX - (high - low) * side_px) / 2
    start = max(0, int(low * side_px - more))
    end = min(side_px, int(np.ceil(high * side_px + more)))
    return start, max(end, start + 1)


def _moved(box: Box, before: Box, after: Box) -> Box:
    """A box in fractions of one part of the view, in those of another."""
    return Box(
        (before.left + box.left * before.width - after.left) / after.width,
        (before.top + box.top * before.height - after.top) / after.height,
        (before.left + box.right * before.width - after.left) / after.width,
        (before.top + box.bottom * before.height - after.top) / after.height,
    )


def _grown(box: Box) -> Box:
    more = MOVED * box.height
    return Box(box.left - more, box.top - more, box.right + more, box.bottom + more)
