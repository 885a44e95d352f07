"""How well a network does on labelled pictures that it does not learn from: AP50, and its mistakes.

The area under the precision-recall curve counts every point, as `ngatu models judge` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box, Detection
from agent.detectors.onnx import OnnxDetector
from models.dataset.types import AnnotatedImage, Annotation
from models.train.pictures.teaching import opened
from models.train.tiled import tiled

MOST = 80
"""Pictures, evenly over what is held back: more says little more, and takes as long as learning."""
LEAST_OBJECTS = 10
"""A label with fewer objects says nothing."""
SURE = 0.4
"""From this score on a box counts as a mistake that is worth showing."""
_HIT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class TrainingMistake:
    """Something that was not found, or found where nothing is.

    Attributes:
        image: The picture.
        label, box: What; the box in fractions of the picture.
        score: Of what was found; None for what was missed.
        weight: How bad it is: the score of what is not there, the size of what was missed.
    """

    image: AnnotatedImage
    label: str
    box: Box
    score: float | None
    weight: float


@dataclass(slots=True)
class HeldBackTally:
    """Found boxes of one label over all pictures."""

    objects: int = 0
    found: list[tuple[float, bool]] = field(default_factory=list)

    @property
    def average_precision(self) -> float:
        """Area under the precision-recall curve, precision made monotonous first, 0..1."""
        if not self.objects or not self.found:
            return 0.0
        hits = np.array([hit for _, hit in sorted(self.found, key=lambda one: -one[0])])
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return float((best * hits).sum() / self.objects)


@dataclass(frozen=True, slots=True)
class HeldBackResult:
    """What came of one look.

    Attributes:
        precision: AP50 of each label, 0..1.
        mistakes: What is wrong at the card's usual bar.
        kept: How much of the base is, 0..1 or None.
        found: By label, score and whether it is right of every box.
    """

    precision: dict[str, float]
    mistakes: tuple[TrainingMistake, ...] = ()
    kept: float | None = None
    found: dict[str, tuple[tuple[float, bool], ...]] = field(default_factory=dict)


def on_labelled(
    detector: OnnxDetector, images: Sequence[AnnotatedImage], labels: Sequence[str]
) -> HeldBackResult:
    """AP50 of each of these labels that is often enough there, and every mistake at the card's usual bar.

    Raises:
        ModelError: a picture cannot be read.
    """
    tallies: dict[str, HeldBackTally] = defaultdict(HeldBackTally)
    mistakes: list[TrainingMistake] = []
    for image in chosen(images):
        found = tiled(detector, opened(image))
        for label in labels:
            mistakes += _matched(tallies[label], image, label, [one for one in found if one.label == label])
    often = {label: tally for label, tally in tallies.items() if tally.objects >= LEAST_OBJECTS} or tallies
    return HeldBackResult(
        {label: tally.average_precision for label, tally in often.items()},
        tuple(mistakes),
        found={label: tuple(tally.found) for label, tally in tallies.items()},
    )


def chosen(images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """At most `MOST` of them, evenly."""
    if len(images) <= MOST:
        return list(images)
    return [images[round(place)] for place in np.linspace(0, len(images) - 1, MOST)]


def _matched(
    tally: HeldBackTally, image: AnnotatedImage, label: str, found: list[Detection]
) -> list[TrainingMistake]:
    """Count one picture's boxes of one label, best first; each object is found once."""
    objects = [one for one in image.annotations if one.label == label]
    tally.objects += len([one for one in objects if not one.ignored])
    boxes = [_fractions(one, image) for one in objects]
    neutral = [_fractions(one, image) for one in image.annotations if one.ignored]
    taken = np.array([one.ignored for one in objects], bool)
    sure = taken.copy()
    mistakes = []
    for one in found:
        free = np.where(taken, 0.0, overlapping(one.box, boxes)) if boxes else np.zeros(1)
        best = int(np.argmax(free))
        hit = bool(free[best] >= _HIT_IOU)
        if hit:
            taken[best] = True
            sure[best] = one.score >= SURE
        elif any(_share_within(one.box, box) >= _HIT_IOU for box in neutral):
            continue
        elif one.score >= SURE:
            mistakes.append(TrainingMistake(image, label, one.box, one.score, one.score))
        tally.found.append((one.score, hit))
    missed = (box for box, was in zip(boxes, sure, strict=True) if not was)
    return mistakes + [TrainingMistake(image, label, box, None, box.area**0.5) for box in missed]


def _fractions(one: Annotation, image: AnnotatedImage) -> Box:
    return Box(
        one.left / image.width, one.top / image.height, one.right / image.width, one.bottom / image.height
    )


def _common(one: Box, other: Box) -> float:
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, wide) * max(0.0, high)


def overlapping(box: Box, others: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union (N,) with each of the others."""
    shared = np.array([_common(box, other) for other in others])
    both = np.array([box.area + other.area for other in others])
    return np.asarray(shared / np.maximum(both - shared, 1e-12))


def _share_within(box: Box, other: Box) -> float:
    return _common(box, other) / max(box.area, 1e-12)
