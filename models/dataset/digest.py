"""One hash for a set: which pictures, and what is labelled in them, whatever the files are called."""

from __future__ import annotations

import hashlib

from agent.detectors.card import hashed
from models.dataset.types import AnnotatedImage, Annotation, Dataset


def digest(dataset: Dataset) -> str:
    """SHA-256, lower-case hex, over the pictures' bytes, the boxes to a hundredth of a pixel, and the labels.

    The order of pictures and boxes, names, places, licence and source do not count: a copy has the same.

    Raises:
        ModelError: a picture cannot be read.
    """
    lines = sorted(_line(image) for image in dataset.images)
    return hashlib.sha256("\n".join([*sorted(set(dataset.labels)), "", *lines]).encode()).hexdigest()


def _line(image: AnnotatedImage) -> str:
    boxes = sorted(f"{found.label} {_places(found)} {int(found.ignored)}" for found in image.annotations)
    ruled_out = sorted(f"no {found.label} {_places(found)}" for found in image.ruled_out)
    return ";".join([hashed(image.path), *boxes, *ruled_out])


def _places(found: Annotation) -> str:
    return " ".join(f"{round(side, 2) + 0.0:.2f}" for side in found.box)
