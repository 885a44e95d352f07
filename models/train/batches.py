"""The pictures of each step: labelled ones, and others to rehearse with.

Invariant: a batch follows from the seed and the step's number alone. So training that was killed goes on with
the very pictures that it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from torch import Tensor

from agent.core.types import Image
from agent.detectors.card import Card
from agent.detectors.letterbox import network_input
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import AnnotatedImage, Dataset
from models.train.loss import Target
from models.train.rehearsal import seen
from models.train.views import MOSAIC_SHARE, LabelledView, drawn, mosaic, painted
from models.train.weather import weathered

_SMALLEST = 0.02
"""Share of the labelled objects that may be smaller than what counts as the smallest that is labelled."""


@dataclass(frozen=True, slots=True)
class Labelled:
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
class Batch:
    """Pictures (B, 3, height, width) as the network takes them; the first of them have targets."""

    pictures: Tensor
    targets: tuple[Target, ...]


def looked_for(dataset: Dataset) -> tuple[str, ...]:
    """The labels that a set's silence says something about.

    A label that stands in the list and on no picture at all was not looked for: tools write their whole list.
    """
    used = {found.label for image in dataset.images for found in image.annotations}
    return tuple(label for label in dataset.labels if label in used)


def labelled(dataset: Dataset, card: Card) -> Labelled:
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
    return Labelled(dataset.images, asked, float(np.quantile(sides, _SMALLEST)))


class TrainingBatches:
    """Gives the batch of any step."""

    def __init__(
        self, sets: Sequence[Labelled], others: Sequence[bytes], card: Card, sizes: tuple[int, int], seed: int
    ) -> None:
        """`sizes` are how many labelled and how many other pictures are in each batch."""
        self._card, self._seed, self._others = card, seed, others
        self._labelled_count, self._other_count = sizes
        self._all = [(one, image) for one in sets for image in one.images]
        self._places = {label: place for place, label in enumerate(card.labels)}
        self._weights = _balanced([image for _, image in self._all])

    def batch(self, step: int) -> Batch:
        """The pictures of this step, 0 the first."""
        views, targets = [], []
        for slot in range(self._labelled_count):
            chance = default_rng([self._seed, step, slot])
            one, view = self._labelled(chance)
            views.append(view.picture)
            targets.append(_target(view, one))
        for slot in range(self._other_count):
            views.append(self._other(default_rng([self._seed, step, self._labelled_count + slot])))
        pictures, _ = network_input(views, self._card, np.float32)
        return Batch(torch.from_numpy(pictures), tuple(targets))

    def following(self, first: int, end: int) -> Iterator[Batch]:
        """The batches of these steps; the next is made while one is learned."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.batch, first) if first < end else None
            for step in range(first, end):
                assert coming is not None
                now = coming.result()
                coming = pool.submit(self.batch, step + 1) if step + 1 < end else None
                yield now

    def _labelled(self, chance: Generator) -> tuple[Labelled, LabelledView]:
        one, image = self._chosen(chance)
        if chance.random() < MOSAIC_SHARE:
            # Of one set: what its annotators looked for holds for all four.
            frames = [image, *(self._alike(one, chance) for _ in range(3))]
            four = [self._opened(frame) for frame in frames]
            view = mosaic((four[0], four[1], four[2], four[3]), self._card, chance)
        else:
            view = drawn(self._opened(image), self._card, chance)
        return one, painted(view, lambda picture, boxes: weathered(picture, boxes, chance))

    def _chosen(self, chance: Generator) -> tuple[Labelled, AnnotatedImage]:
        return self._all[int(chance.choice(len(self._all), p=self._weights))]

    def _alike(self, one: Labelled, chance: Generator) -> AnnotatedImage:
        return one.images[int(chance.integers(len(one.images)))]

    def _opened(self, image: AnnotatedImage) -> LabelledView:
        picture = opened(image)
        across, down = picture.shape[1] / image.width, picture.shape[0] / image.height
        boxes = np.array([one.box for one in image.annotations], np.float32).reshape(-1, 4)
        labels = np.array([self._places.get(one.label, -1) for one in image.annotations], np.int64)
        ignored = np.array([one.ignored for one in image.annotations], bool) | (labels < 0)
        return LabelledView(
            picture,
            boxes * np.array([across, down, across, down], np.float32),
            labels,
            ignored,
            picture.shape[1],
        )

    def _other(self, chance: Generator) -> Image:
        frame = seen(self._others[int(chance.integers(len(self._others)))])
        nothing = LabelledView(
            frame, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool), frame.shape[1]
        )
        view = drawn(nothing, self._card, chance)
        return painted(view, lambda picture, boxes: weathered(picture, boxes, chance)).picture


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


def _target(view: LabelledView, one: Labelled) -> Target:
    kept = ~view.ignored
    return Target(
        torch.from_numpy(view.boxes[kept]),
        torch.from_numpy(view.labels[kept]),
        torch.from_numpy(view.boxes[~kept]),
        torch.from_numpy(one.asked),
        one.least * view.frame_px,
    )


def _balanced(images: Sequence[AnnotatedImage]) -> NDArray[np.float64]:
    """Chance of each picture: a camera with four times the pictures is seen twice as often."""
    counts: dict[str, int] = {}
    for image in images:
        counts[image.camera] = counts.get(image.camera, 0) + 1
    weights = np.array([counts[image.camera] ** -0.5 for image in images])
    return np.asarray(weights / weights.sum())
