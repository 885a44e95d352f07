"""A CDnet folder in which nothing moves, with the road users of another one laid over its frames.

CDnet gives no truth in which anything moves for a part of some scenes, such as the first half of fall with its
swaying trees. There a method that tells nothing at all would look best. So what the truth of another folder
calls moving is cut out of its frames, at the height of this scene, and laid over the lower part of this one's
from the first frame on; its outline is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks.cdnet import RATE, Judged, Sequence
from benchmarks.clips import frame


def overlaid(scene: Sequence, lender: Sequence) -> Iterator[Judged]:
    """The scene's frames with what moves in the lender's judged ones; ends with the shorter of the two.

    Raises:
        NgatuError: a picture cannot be read.
    """
    lent = ((each, truth) for number, each in lender.frames() if (truth := lender.truth(number)) is not None)
    height, width = scene.region.shape
    for (number, under), (over, (moves, counts)) in zip(scene.frames(), lent, strict=False):
        scale = height / over.luma.shape[0]
        size = max(1, round(over.luma.shape[1] * scale)), height
        cover = cv2.resize((moves & counts).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        luma = cv2.resize(over.luma, size, interpolation=cv2.INTER_AREA)
        wide = min(width, size[0])
        picture, moving = under.luma.astype(np.float32), np.zeros((height, width), np.bool_)
        picture[:, :wide] += cover[:, :wide] * (luma[:, :wide] - picture[:, :wide])
        moving[:, :wide] = cover[:, :wide] > 0.5
        truth = scene.truth(number)
        shown = frame(under.index, RATE, np.clip(picture, 0, 255).astype(np.uint8))
        yield shown, (moving, truth[1]) if truth is not None else None
