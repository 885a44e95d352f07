"""Non-maximum suppression over crops: overlapping detections made those of one frame, each object once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box, Crop, Detection

_EDGE = 0.01
"""A box that comes so near to its crop's border, as a fraction of the crop, is taken as cut by it."""
_COINCIDE = 0.8
"""A rider covers less than that of the motorcycle under them."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def gathered(
    crops: Sequence[Crop], found: Sequence[Sequence[Detection]], same_iou: float, inside: float
) -> tuple[Detection, ...]:
    """All detections in fractions of the frame, without duplicates, best score first.

    Non-maximum suppression per label, with whole objects before those cut by a crop; a cut one also goes when
    the fraction `inside` of it lies inside a kept one: half a bus overlaps the bus far less than half.
    """
    entries = [
        (replace(detection, box=placed(detection.box, crop.box)), cut(detection.box, crop.box), place)
        for place, (crop, detections) in enumerate(zip(crops, found, strict=True))
        for detection in detections
    ]
    entries.sort(key=lambda entry: (entry[1], -entry[0].score))
    if not entries:
        return ()
    boxes = np.array([(d.box.left, d.box.top, d.box.right, d.box.bottom) for d, _, _ in entries])
    is_cut = np.array([was_cut for _, was_cut, _ in entries])
    labels = np.array([d.label for d, _, _ in entries])
    places = np.array([place for _, _, place in entries])
    same_label = labels[:, None] == labels[None, :]
    least_iou = np.where(same_label, same_iou, np.where(places[:, None] == places[None, :], 2.0, _COINCIDE))
    kept = _kept(boxes, least_iou, is_cut[None, :] & same_label, inside)
    return tuple(sorted((entries[i][0] for i in kept), key=lambda d: -d.score))


def _kept(boxes: Floats, least_iou: Floats, may_be_part: Flags, inside: float) -> list[int]:
    """The rows to keep; rows come in order of preference. `least_iou` and `may_be_part` are (N, N)."""
    far_ends = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    near_ends = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    common = np.prod(np.maximum(0.0, far_ends - near_ends), axis=2)
    area = np.prod(np.maximum(0.0, boxes[:, 2:] - boxes[:, :2]), axis=1)
    together = area[:, None] + area[None, :] - common
    same = common >= least_iou * np.maximum(together, 1e-12)
    part = may_be_part & (common >= inside * np.maximum(area[None, :], 1e-12))
    beats = same | part
    alive = np.ones(len(boxes), np.bool_)
    kept = []
    for row in range(len(boxes)):
        if alive[row]:
            kept.append(row)
            alive &= ~beats[row]
    return kept


def placed(box: Box, crop: Box) -> Box:
    """A box in fractions of the crop, in fractions of the frame."""
    return Box(
        crop.left + box.left * crop.width,
        crop.top + box.top * crop.height,
        crop.left + box.right * crop.width,
        crop.top + box.bottom * crop.height,
    )


def cut(box: Box, crop: Box) -> bool:
    """The object goes on beyond the crop: its box ends at a border of the crop that is not the frame's."""
    return (
        (box.left < _EDGE and crop.left > 0)
        or (box.top < _EDGE and crop.top > 0)
        or (box.right > 1 - _EDGE and crop.right < 1)
        or (box.bottom > 1 - _EDGE and crop.bottom < 1)
    )
