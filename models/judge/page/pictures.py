"""Where the models differ most, as pictures: what only one of them finds, drawn in."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.types import Image
from models.judge.looking import read_picture
from models.judge.measure.comparison import LostObject, SetComparison

MOST = 8
"""Pictures on a page."""
WIDEST_PX = 640
QUALITY = 80
LOST, GAINED = (40, 40, 220), (200, 120, 20)
"""Red and blue, in BGR."""


@dataclass(frozen=True, slots=True)
class DifferencePicture:
    """One picture with its boxes.

    Attributes:
        url: A data: URL of a JPEG.
        lost: How many objects only the old model finds.
        gained: How many only the new one finds.
    """

    name: str
    data: str
    url: str
    lost: int
    gained: int


def worst(sets: Sequence[SetComparison], most: int = MOST) -> list[DifferencePicture]:
    """The pictures in which the new model loses most, those with most lost objects first.

    Raises:
        ModelError: a picture cannot be read any more.
    """
    ranked: list[tuple[int, int, str, SetComparison, int, list[LostObject]]] = []
    for each in sets:
        by_picture: dict[int, list[LostObject]] = defaultdict(list)
        for found in each.lost:
            by_picture[found.picture].append(found)
        for number, objects in by_picture.items():
            lost = sum(found.by_new for found in objects)
            if lost:
                name = each.dataset.images[number].path.name
                ranked.append((-lost, len(objects), name, each, number, objects))
    ranked.sort(key=lambda entry: entry[:3])
    return [_drawn(each, number, objects) for *_, each, number, objects in ranked[:most]]


def _drawn(compared: SetComparison, number: int, objects: Sequence[LostObject]) -> DifferencePicture:
    image = compared.dataset.images[number]
    picture = read_picture(image)
    scale = min(1.0, WIDEST_PX / picture.shape[1])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    shown: Image = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    across, down = size[0] / image.width, size[1] / image.height
    for found in objects:
        left, top, right, bottom = found.box
        corners = (round(left * across), round(top * down)), (round(right * across), round(bottom * down))
        cv2.rectangle(shown, *corners, (255, 255, 255), 4)  # a light seam, so that it shows on any ground
        cv2.rectangle(shown, *corners, LOST if found.by_new else GAINED, 2)
    lost = sum(found.by_new for found in objects)
    return DifferencePicture(image.path.name, compared.dataset.name, _url(shown), lost, len(objects) - lost)


def _url(picture: Image) -> str:
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
