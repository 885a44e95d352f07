"""Mistakes in their surroundings, as pictures in a page."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from models.train.held_back import TrainingMistake
from models.train.pictures.teaching import opened

SIDE_PX = 240
_CONTEXT = 3.0
"""Sides of a mistake's box that are shown."""
_LEAST_PX = 40.0
_WRONG, _MISSED = (0, 94, 213), (178, 114, 0)
"""BGR of the page's colours for them."""


@dataclass(frozen=True, slots=True)
class MistakePicture:
    """One picture: a JPEG as an address, what it shows, and whose camera's it is."""

    src: str
    text: str
    camera: str


def drawn(one: TrainingMistake) -> MistakePicture:
    """A square around the mistake, enlarged, with its box.

    Raises:
        ModelError: its picture cannot be read any more.
    """
    picture = opened(one.image)
    high, wide = picture.shape[:2]
    box = (one.box.left * wide, one.box.top * high, one.box.right * wide, one.box.bottom * high)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    side = min(max(_LEAST_PX, _CONTEXT * max(box[2] - box[0], box[3] - box[1])), float(min(wide, high)))
    left, top = (int(np.clip(at - side / 2, 0, most - side)) for at, most in ((x, wide), (y, high)))
    part = picture[top : top + int(side), left : left + int(side)]
    scale = SIDE_PX / side
    shown = cv2.resize(part, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    corners = [round((at - from_) * scale) for at, from_ in zip(box, (left, top, left, top), strict=True)]
    cv2.rectangle(shown, corners[:2], corners[2:], _MISSED if one.score is None else _WRONG, 2)
    _, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return MistakePicture(
        "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode(),
        one.label if one.score is None else f"{one.label} {one.score:.2f}",
        one.image.camera,
    )
