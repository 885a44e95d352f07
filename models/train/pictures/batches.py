"""The pictures of each step: labelled ones, and others to rehearse with.

Invariant: a batch follows from the seed and the step's number alone. So training that was killed goes on with
the very pictures that it would have seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from agent.core.types import Image
from agent.detectors.card import Card
from agent.detectors.letterbox import network_input
from models.train.pictures.labelled_view import LabelledView, bare, painted
from models.train.pictures.rehearsal import seen
from models.train.pictures.teaching import Teaching, TeachingTarget, balanced, target, with_labels
from models.train.pictures.views import MOSAIC_SHARE, drawn, mosaic
from models.train.pictures.weather import weathered

OTHER_MOSAICS = 0.5
"""Of the pictures to rehearse with: four places in one show four times as much of the world."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures (B, 3, height, width) as the network takes them; the first of them have targets."""

    pictures: NDArray[np.float32]
    targets: tuple[TeachingTarget, ...]


class TrainingBatches:
    """Gives the batch of any step."""

    def __init__(
        self, sets: Sequence[Teaching], others: Sequence[bytes], card: Card, sizes: tuple[int, int], seed: int
    ) -> None:
        """`sizes` are how many labelled and how many other pictures are in each batch."""
        self._card, self._seed, self._others = card, seed, others
        self._labelled_count, self._other_count = sizes
        self._all = [(one, image) for one in sets for image in one.images]
        self._places = {label: place for place, label in enumerate(card.labels)}
        self._weights = balanced([image for _, image in self._all])

    def batch(self, step: int) -> Batch:
        """The pictures of this step, 0 the first."""
        views, targets = [], []
        for slot in range(self._labelled_count):
            one, view = self._labelled(default_rng([self._seed, step, slot]))
            views.append(view.picture)
            targets.append(target(view, one))
        for slot in range(self._other_count):
            views.append(self._other(default_rng([self._seed, step, self._labelled_count + slot])))
        pictures, _ = network_input(views, self._card, np.float32)
        return Batch(np.asarray(pictures, np.float32), tuple(targets))

    def following(self, first: int) -> Iterator[Batch]:
        """The batches from this step on, without end; the next is made while one is learned."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.batch, first)
            for step in itertools.count(first + 1):
                now = coming.result()
                coming = pool.submit(self.batch, step)
                yield now

    def _labelled(self, chance: Generator) -> tuple[Teaching, LabelledView]:
        one, image = self._all[int(chance.choice(len(self._all), p=self._weights))]
        if chance.random() < MOSAIC_SHARE:
            # Of one set: what its annotators looked for holds for all four.
            others = [one.images[int(chance.integers(len(one.images)))] for _ in range(3)]
            view = self._four([with_labels(frame, self._places) for frame in (image, *others)], chance)
        else:
            view = drawn(with_labels(image, self._places), self._card, chance)
        return one, painted(view, lambda picture, boxes: weathered(picture, boxes, chance))

    def _other(self, chance: Generator) -> Image:
        if chance.random() < OTHER_MOSAICS:
            view = self._four([self._any_other(chance) for _ in range(4)], chance)
        else:
            view = drawn(self._any_other(chance), self._card, chance)
        return painted(view, lambda picture, boxes: weathered(picture, boxes, chance)).picture

    def _any_other(self, chance: Generator) -> LabelledView:
        return bare(seen(self._others[int(chance.integers(len(self._others)))]))

    def _four(self, frames: Sequence[LabelledView], chance: Generator) -> LabelledView:
        return mosaic((frames[0], frames[1], frames[2], frames[3]), self._card, chance)
