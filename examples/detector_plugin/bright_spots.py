"""A detector that takes every bright spot for a car: of no use on a road, and complete.

It shows all that ngatu asks of a plug-in (docs/guide/detectors.md): a function that is given the detector's
settings, and an object that has four attributes and two methods. Nothing here is private to ngatu.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from agent.core.types import Box, Detection, Image, Size
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError

BRIGHT = 200
"""From 0 to 255; `options: {bright: "180"}` sets another."""
LEAST_SHARE = 0.0005
"""Of the picture's area: what is smaller is noise."""


class BrightSpots:
    """Finds connected bright areas; the same picture gives the same detections."""

    name = "bright-spots"
    """Told with every event."""
    sha256 = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    """Of the model's file, told with every event too; this one's model is its code."""
    input_size = Size(640, 360)
    """What it sees best; ngatu cuts its crops to this shape."""
    labels = ("car",)
    """All that it may tell."""

    def __init__(self, bright: int) -> None:
        """`bright` is the least brightness of a spot, 1..255."""
        self._bright = bright

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The spots in each picture (height, width, 3), BGR; boxes in fractions of that picture.

        Called by one thread at a time.
        """
        return [tuple(self._spots(image)) for image in images]

    def close(self) -> None:
        """Nothing to let go of; a device would be closed here. May be called twice."""

    def _spots(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        bright = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) >= self._bright).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        found = []
        for left, top, wide, high, area in stats[1:count].tolist():  # the first is what is not bright
            if area >= LEAST_SHARE * width * height:
                box = Box(left / width, top / height, (left + wide) / width, (top + high) / height)
                found.append(Detection("car", area / (wide * high), box))  # how much of its box it fills
        return found


def load(settings: DetectorSettings) -> BrightSpots:
    """What the entry point names: called once, when the agent starts or is told another configuration.

    Raises:
        ModelError: an option is wrong; the text is shown to whoever wrote the configuration.
    """
    said = settings.options.get("bright", str(BRIGHT))
    if not said.isdecimal() or not 0 < int(said) <= 255:
        raise ModelError(f"detector.options.bright: {said!r} is no brightness", "write a number from 1 to 255")
    return BrightSpots(int(said))
