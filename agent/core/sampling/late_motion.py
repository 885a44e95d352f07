"""What moved in a frame before motion was sure of it: found by a look at a moment later. Pure.

Motion is told once it was seen in some frames, so that noise is not told. Who has just come into the view is in
none of its regions yet. A frame that is to be kept can wait: what has changed until a moment later was somebody
there, or is somebody now, unless a road user that was found explains it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from agent.core.types import Box, Frame, Plane

WIDTH_PX = 160
"""Of the small picture in which is looked: four pixels of one of 640 are one here."""
STEP = 9
"""Change of the brightness that is no noise: the mean over 16 and more pixels has a noise of 1 or 2."""
LEAST_PX = 2
"""Of what has changed; less is noise."""
MOST = 0.3
"""Of the view: if more has changed it is the light, and nobody can say what moved."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)


def small(frame: Frame) -> Plane:
    """The brightness of a frame, (H, 160): a copy."""
    height, width = frame.luma.shape
    size = WIDTH_PX, max(1, round(height * WIDTH_PX / width))
    return np.asarray(cv2.resize(frame.luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def changed(before: Plane, after: Plane, known: Sequence[Box]) -> tuple[Box, ...] | None:
    """Boxes around what has changed and none of the known boxes covers; None: nobody can say.

    Both as from `small`; `known` are of road users in either.
    """
    if before.shape != after.shape:
        return None
    differs = (cv2.absdiff(before, after) > STEP).astype(np.uint8)
    if float(differs.mean()) > MOST:
        return None
    height, width = differs.shape
    for box in known:
        left, top = max(0, int(np.floor(box.left * width))), max(0, int(np.floor(box.top * height)))
        right, bottom = int(np.ceil(box.right * width)), int(np.ceil(box.bottom * height))
        differs[top : max(top, bottom), left : max(left, right)] = 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(differs, _NEIGHBOURS))
    found = [tuple(stats[number].tolist()) for number in range(1, count)]
    return tuple(
        Box(left / width, top / height, (left + wide) / width, (top + high) / height)
        for left, top, wide, high, _ in found
        if int(differs[top : top + high, left : left + wide].sum()) >= LEAST_PX
    )
