"""What a model finds in the pictures of a set, looked at as a box does it.

Three ways. *Ranked*: the whole picture in one call, down to the unlikeliest box, as AP wants it and as the
catalogue's figures were made. *Whole*: the whole picture, and what a box is told of it. *Tiled*: the whole
picture and 2 × 2 tiles of it, put together by attention's own suppression. In the latter two riders are fused
with their two-wheelers, unless the set has them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.attention.crops import tiles
from agent.core.attention.merge import gathered
from agent.core.attention.settings import AttentionSettings
from agent.core.image import pixels
from agent.core.tracking.riders import RiderSettings, fuse, sits
from agent.core.types import Box, Crop, Detection, Image, Reason, Size
from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import AnnotatedImage, Dataset

LEAST_SCORE = 0.01
"""The curve needs the unlikely boxes too; a box in service starts much higher."""
TILES = tiles(Size(187, 187), Size(100, 100), shrink=1.0, whole_within=1.0)
"""The whole, and 2 × 2 tiles of which neighbours share an eighth, as in a full scan."""
CREWED = 0.2
"""Share of the two-wheelers on which a labelled person sits, from which a set has riders apart."""
SHAPE = 0.02
"""How far the shape of a picture may be from what its labels say."""


@dataclass(frozen=True, slots=True)
class PictureFinds:
    """What one model found in one picture; boxes in fractions of it, best score first."""

    ranked: tuple[Detection, ...]
    whole: tuple[Detection, ...]
    tiled: tuple[Detection, ...]


class Looker:
    """One model, ready to look at pictures."""

    def __init__(self, model: str) -> None:
        """Load it; `model` is a fetched model's name or an .onnx file.

        Raises:
            ModelError: the model or its card is missing or wrong.
        """
        self._service = load_detector(DetectorSettings(model=model))
        least = dict.fromkeys(self._service.labels, LEAST_SCORE)
        self._ranking = load_detector(DetectorSettings(model=model, min_score=least, twin_iou=1.0))
        self.name, self.sha256, self.labels = self._service.name, self._service.sha256, self._service.labels

    @property
    def service(self) -> Detector:
        """The detector as a box has it."""
        return self._service

    def look(self, picture: Image, riders_apart: bool) -> PictureFinds:
        """What it finds in a BGR picture.

        Raises:
            ModelError: the network fails.
        """
        crops = [Crop(box, Reason.FULL_SCAN) for box in TILES]
        found = self._service.detect([_part(picture, crop.box) for crop in crops])
        attention, riders = AttentionSettings(), RiderSettings(enabled=not riders_apart)
        together = gathered(crops, found, attention.same_iou, attention.inside)
        return PictureFinds(
            tuple(self._ranking.detect([picture])[0]),
            fuse(found[0], (), riders),
            fuse(together, (), riders),
        )

    def close(self) -> None:
        """Let go of the network."""
        self._service.close()
        self._ranking.close()


def look_at(
    lookers: Sequence[Looker], dataset: Dataset, on_picture: Callable[[], None] = lambda: None
) -> list[list[PictureFinds]]:
    """What each of the models finds in each picture of the set; `on_picture` is called after each.

    Raises:
        ModelError: a picture cannot be read or is another one than was labelled, or a network fails.
    """
    apart = riders_apart(dataset)
    finds: list[list[PictureFinds]] = [[] for _ in lookers]
    for image in dataset.images:
        picture = read_picture(image)
        for looker, own in zip(lookers, finds, strict=True):
            own.append(looker.look(picture, apart))
        on_picture()
    return finds


def riders_apart(dataset: Dataset) -> bool:
    """Whether riders have boxes of their own in this set, as in COCO, and are not in their two-wheeler's."""
    settings = RiderSettings()
    rides = crewed = 0
    for image in dataset.images:
        persons = [found.box for found in image.annotations if found.label == settings.rider]
        for ride in (found.box for found in image.annotations if found.label in settings.labels):
            rides += 1
            crewed += any(sits(Box(*person), Box(*ride), settings.beside) for person in persons)
    return rides > 0 and crewed >= CREWED * rides


def read_picture(image: AnnotatedImage) -> Image:
    """The picture, BGR.

    Raises:
        ModelError: it cannot be read, or has another shape than its labels were drawn in.
    """
    picture = cv2.imread(str(image.path))
    if picture is None:
        raise ModelError(tr("{path}: no picture that can be read", path=image.path))
    height, width = picture.shape[:2]
    if abs(width * image.height / (height * image.width) - 1) > SHAPE:
        raise ModelError(
            tr(
                "{path}: the picture is {width} × {height}, but its labels were drawn in {wide} × {high}",
                path=image.path, width=width, height=height, wide=image.width, high=image.height,
            ),
            tr("Label the pictures as they are, or correct width and height in the labels' file."),
        )  # fmt: skip
    return np.asarray(picture, np.uint8)


def _part(picture: Image, box: Box) -> Image:
    height, width = picture.shape[:2]
    left, top, right, bottom = pixels(box, Size(width, height))
    return picture[top:bottom, left:right]
