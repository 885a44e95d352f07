"""Mistakes in their surroundings, and what a network has labelled, as pictures in a page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.types import Image
from models.dataset.types import AnnotatedImage
from models.train.held_back import TrainingMistake
from models.train.pictures.teaching import opened

SIDE_PX = 240
_CONTEXT = 3.0
"""Sides of a mistake's box that are shown."""
_LEAST_PX = 40.0
_WRONG, _MISSED = (0, 94, 213), (178, 114, 0)
"""BGR of the page's colours for them."""
_RIGHT, _UNSURE = (64, 160, 0), (128, 128, 128)
WHOLE_PX = 480


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One picture: a JPEG as an address, what it shows, and whose camera's it is."""

    src: str
    text: str
    camera: str


def drawn(one: TrainingMistake) -> PagePicture:
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
    text = one.label if one.score is None else f"{one.label} {one.score:.2f}"
    return PagePicture(_address(np.asarray(shown, np.uint8)), text, one.image.camera)


def labelled(image: AnnotatedImage) -> PagePicture:
    """A whole picture, small, with its labels; what is neither right nor wrong is grey.

    Raises:
        ModelError: the picture cannot be read any more.
    """
    shown = opened(image)
    for one in image.annotations:
        corners = [round(at) for at in one.box]
        cv2.rectangle(shown, corners[:2], corners[2:], _UNSURE if one.ignored else _RIGHT, 2)
    share = WHOLE_PX / shown.shape[1]
    small = cv2.resize(shown, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    count = len([one for one in image.annotations if not one.ignored])
    return PagePicture(_address(np.asarray(small, np.uint8)), str(count), image.camera)


def some_of(images: Sequence[AnnotatedImage], count: int) -> list[AnnotatedImage]:
    """At most so many of them, evenly."""
    places = np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)
    return [images[place] for place in places]


def _address(picture: Image) -> str:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
