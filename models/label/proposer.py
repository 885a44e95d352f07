"""What a detector sees in a picture, as proposals: whole and in four tiles, riders with their machine.

Small and far road users are what a detector of a whole frame misses, and nobody waits for a camera here: so
the picture is looked at five times, and the largest detector at hand serves. A person on a two-wheeler is part
of it where pictures are labelled. The box's own rule decides who rides (agent/core/tracking/riders.py), but for
one picture without tracks: here a person whose box lies mostly in a two-wheeler's, or around it, rides as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.core.attention.merge import gathered
from agent.core.attention.settings import AttentionSettings
from agent.core.geometry import as_array, containment, iou
from agent.core.tracking.riders import RiderSettings, fuse
from agent.core.types import WHOLE, Box, Crop, Detection, Image, Reason
from agent.detectors import Detector
from models.label.sheet import ProposedBox

OVERLAP = 0.2
"""Of a tile's side, with the next: what is cut by one is whole in the other."""
LEAST_SCORE = 0.25
"""Below it more proposals are deleted than kept (by eye, on junctions in Ho Chi Minh City)."""
RIDES = 0.6
"""Share of a person's box in a two-wheeler's, or the other way round, from which the two are one."""
TWIN_IOU = 0.6
"""Boxes of two labels that overlap more are one thing: a van is not a car and a truck."""
PART = 0.85
"""Share of a box in a surer one of its label from which it is only a part of that."""


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
    sure = [each for each in found if each.score >= LEAST_SCORE]
    fused = _mounted(fuse(sure, (), RiderSettings(min_ride_score=LEAST_SCORE)))
    wanted = _each_once([each for each in fused if each.label in classes])
    return tuple(_proposed(each, width, height) for each in wanted)


def _mounted(found: Sequence[Detection]) -> list[Detection]:
    """With persons who lie in a two-wheeler's box, or around it, as part of it."""
    settings = RiderSettings()
    rides = [each for each in found if each.label in settings.labels]
    rest = []
    for each in (one for one in found if one.label not in settings.labels):
        if each.label != settings.rider or not rides:
            rest.append(each)
            continue
        mine, theirs = as_array([each.box]), as_array([ride.box for ride in rides])
        shares = np.maximum(containment(mine, theirs)[0], containment(theirs, mine)[:, 0])
        best = int(shares.argmax())
        if shares[best] < RIDES:
            rest.append(each)
        else:
            rides[best] = replace(rides[best], box=_around(rides[best].box, each.box))
    return [*rides, *rest]


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))


def _each_once(found: Sequence[Detection]) -> list[Detection]:
    """Surest first, without what is only a part of another or its double under another label."""
    kept: list[Detection] = []
    for each in sorted(found, key=lambda one: -one.score):
        box = as_array([each.box])
        others, alike = (
            as_array([k.box for k in kept]),
            as_array([k.box for k in kept if k.label == each.label]),
        )
        if (iou(box, others) < TWIN_IOU).all() and (containment(box, alike) < PART).all():
            kept.append(each)
    return kept


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
