"""What a set of labelled pictures teaches a network, and what its silence means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Image
from agent.detectors.card import Card
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import AnnotatedImage, Dataset
from models.train.pictures.labelled_view import RULED_OUT, Floats, LabelledView

_SMALLEST = 0.02
"""Share of the labelled objects that may be smaller than what counts as the smallest that is labelled."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """A set of pictures, and what its silence means.

    Attributes:
        images: Its pictures.
        asked: (L,) of each of the network's labels, whether the annotators looked for it.
        least: Side of a square as large as the smallest labelled objects, as a fraction of the frame's width.
    """

    images: tuple[AnnotatedImage, ...]
    asked: NDArray[np.bool_]
    least: float


@dataclass(frozen=True, slots=True)
class TeachingTarget:
    """What is in one labelled picture, in pixels of the network's input.

    Attributes:
        boxes: (N, 4) left, top, right, bottom.
        labels: (N,) index of the network's label.
        ignored: (M, 4) neither right nor wrong.
        asked: (L,) of each label whether the annotators looked for it.
        least_px: Side of a square as large as the smallest objects that they labelled.
        ruled_out: (K, 4) there is nothing, for somebody has looked at just that place.
    """

    boxes: Floats
    labels: NDArray[np.int64]
    ignored: Floats
    asked: NDArray[np.bool_]
    least_px: float
    ruled_out: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def looked_for(dataset: Dataset) -> tuple[str, ...]:
    """The labels that a set's silence says something about.

    A label that stands in the list and on no picture at all was not looked for: tools write their whole list.
    What was ruled out somewhere was looked for.
    """
    used = {found.label for image in dataset.images for found in (*image.annotations, *image.ruled_out)}
    return tuple(label for label in dataset.labels if label in used)


def teaching(dataset: Dataset, card: Card) -> Teaching:
    """What a set teaches a network of this card.

    Raises:
        ModelError: the network knows none of its labels.
    """
    labels = looked_for(dataset)
    asked = np.array([name in labels for name in card.labels])
    if not asked.any():
        raise ModelError(
            tr(
                "{name}: the network has none of its labels: {labels}",
                name=dataset.name,
                labels=", ".join(labels),
            ),
            tr("name them as the model card does: motorcycle, not motorbike."),
        )
    sides = [
        np.sqrt((one.right - one.left) * (one.bottom - one.top)) / image.width
        for image in dataset.images
        for one in image.annotations
    ]
    return Teaching(dataset.images, asked, float(np.quantile(sides, _SMALLEST)) if sides else 0.0)


def opened(image: AnnotatedImage) -> Image:
    """The picture, BGR.

    Raises:
        ModelError: it cannot be read.
    """
    picture = cv2.imread(str(image.path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ModelError(
            tr("{path}: no picture that can be read", path=image.path), tr("remove it, or make it anew.")
        )
    return np.asarray(picture, np.uint8)


def with_labels(image: AnnotatedImage, places: dict[str, int]) -> LabelledView:
    """The picture with its objects; `places` has the index of each of the network's labels.

    Raises:
        ModelError: it cannot be read.
    """
    picture = opened(image)
    across, down = picture.shape[1] / image.width, picture.shape[0] / image.height
    nothing = [one for one in image.ruled_out if one.label in places]
    found = [*image.annotations, *nothing]
    boxes = np.array([one.box for one in found], np.float32).reshape(-1, 4)
    known = [places.get(one.label, -1) for one in image.annotations]
    labels = np.array([*known, *[RULED_OUT] * len(nothing)], np.int64)
    ignored = np.array([one.ignored for one in found], bool) | (labels == -1)
    size = np.array([across, down, across, down], np.float32)
    return LabelledView(picture, boxes * size, labels, ignored, picture.shape[1])


def target(view: LabelledView, of: Teaching) -> TeachingTarget:
    """What shall be found in a view of one of the set's pictures."""
    nothing = view.labels == RULED_OUT
    kept = ~view.ignored & ~nothing
    return TeachingTarget(
        view.boxes[kept],
        view.labels[kept],
        view.boxes[view.ignored & ~nothing],
        of.asked,
        of.least * view.frame_px,
        view.boxes[nothing & ~view.ignored],  # of one that is mostly cut away nothing is known
    )


def balanced(images: Sequence[AnnotatedImage]) -> NDArray[np.float64]:
    """Chance of each picture: a camera with four times the pictures is seen twice as often."""
    counts: dict[str, int] = {}
    for image in images:
        counts[image.camera] = counts.get(image.camera, 0) + 1
    weights = np.array([counts[image.camera] ** -0.5 for image in images])
    return np.asarray(weights / weights.sum())
