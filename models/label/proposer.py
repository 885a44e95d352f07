"""What a detector sees in a picture, as proposals: looked at whole and in four tiles, riders with their machine.

Small and far road users are what a detector of a whole frame misses, and nobody waits for a camera here: so the
picture is looked at five times, and the largest detector at hand serves. A person on a two-wheeler is part of it
where pictures are labelled; the box's own rule decides who rides (agent/core/tracking/riders.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.attention.merge import gathered
from agent.core.attention.settings import AttentionSettings
from agent.core.tracking.riders import RiderSettings, fuse
from agent.core.types import WHOLE, Box, Crop, Detection, Image, Reason
from agent.detectors import Detector
from models.label.sheet import ProposedBox

OVERLAP = 0.2
"""Of a tile's side, with the next: what is cut by one is whole in the other."""
LEAST_SCORE = 0.25
"""Below it more proposals are deleted than kept (by eye, on junctions in Ho Chi Minh City)."""


def tiles() -> tuple[Box, ...]:
    """The whole picture, and two by two parts of it that overlap; fractions."""
    side = 1 / (2 - OVERLAP)
    ends = ((0.0, side), (1 - side, 1.0))
    return (WHOLE, *(Box(left, top, right, bottom) for top, bottom in ends for left, right in ends))


def proposals(image: Image, detector: Detector, classes: Sequence[str]) -> tuple[ProposedBox, ...]:
    """What this detector sees in a BGR picture, (height, width, 3), in its pixels, surest first.

    Only labels among `classes`. A two-wheeler's box is around machine and riders.
    """
    height, width = image.shape[:2]
    places = tiles()
    parts = [np.ascontiguousarray(image[_pixels(place, width, height)]) for place in places]
    crops = [Crop(place, Reason.FULL_SCAN) for place in places]
    same = AttentionSettings()
    found = gathered(crops, detector.detect(parts), same.same_iou, same.inside)
    fused = fuse([each for each in found if each.score >= LEAST_SCORE], (), RiderSettings())
    wanted = [each for each in fused if each.label in classes]
    return tuple(_proposed(each, width, height) for each in sorted(wanted, key=lambda each: -each.score))


def _pixels(place: Box, width: int, height: int) -> tuple[slice, slice]:
    rows = slice(round(place.top * height), max(round(place.top * height) + 1, round(place.bottom * height)))
    columns = slice(round(place.left * width), max(round(place.left * width) + 1, round(place.right * width)))
    return rows, columns


def _proposed(found: Detection, width: int, height: int) -> ProposedBox:
    return ProposedBox(
        label=found.label,
        left=round(found.box.left * width, 1),
        top=round(found.box.top * height, 1),
        right=min(float(width), round(found.box.right * width, 1)),
        bottom=min(float(height), round(found.box.bottom * height, 1)),
        score=min(1.0, round(found.score, 3)),
    )
