"""Pictures that judge nothing, because the new model was trained on them, or on their neighbours in time.

    the same     the bytes are the same
    neighbour    same camera by name, and taken at nearly the same time, or one of the next few numbers
    alike        the pictures show the same (likeness.py), and are not known to be an hour apart
    camera       same camera at another time: this is told only, for other cameras may be seen worse

All but the last are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from agent.detectors.card import hashed
from models.dataset.types import AnnotatedImage, Dataset
from models.judge.likeness import ALIKE, distances, hashes
from models.judge.scenes import STRETCH_PICTURES, STRETCH_S, natural

LONG_S = 3600.0
SAME, LIKE, NEIGHBOUR = "same", "alike", "neighbour"


@dataclass(frozen=True, slots=True)
class TrainedPicture:
    """A picture to judge by that the new model knows from its training.

    Attributes:
        name: Of the picture.
        training: The picture of the training that it is, or is like.
        why: SAME, LIKE or NEIGHBOUR.
    """

    name: str
    training: str
    why: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a set has in common with what the new model was trained on.

    Attributes:
        set: The set's name.
        pictures: How many it has.
        known: Those that are left out.
        cameras: Cameras that both have, by name or view.
    """

    set: str
    pictures: int
    known: tuple[TrainedPicture, ...] = ()
    cameras: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """How many pictures are left to judge by."""
        return self.pictures - len(self.known)

    @property
    def by_why(self) -> Counter[str]:
        """How many are left out for which reason."""
        return Counter(each.why for each in self.known)


@dataclass
class _Training:
    """What is known of the pictures of the training."""

    images: tuple[AnnotatedImage, ...]
    sums: dict[str, str] = field(default_factory=dict)
    """SHA-256 -> name."""
    by_camera: dict[str, list[AnnotatedImage]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for image in self.images:
            self.sums.setdefault(hashed(image.path), image.path.name)
            self.by_camera[image.camera].append(image)
        self.hashes = hashes([image.path for image in self.images])


def without_training(judging: Sequence[Dataset], training: Sequence[Dataset]) -> list[tuple[Dataset, Overlap]]:
    """Each set without the pictures that the training knows, and what was left out.

    Raises:
        ModelError: a picture cannot be read.
    """
    known = _Training(tuple(image for dataset in training for image in dataset.images))
    return [_split(dataset, known) for dataset in judging]


def _split(dataset: Dataset, training: _Training) -> tuple[Dataset, Overlap]:
    if not training.images:
        return dataset, Overlap(dataset.name, len(dataset.images))
    views = distances(hashes([image.path for image in dataset.images]), training.hashes)
    kept: list[AnnotatedImage] = []
    known: list[TrainedPicture] = []
    shared = {image.camera for image in dataset.images if image.camera and image.camera in training.by_camera}
    for image, apart in zip(dataset.images, views, strict=True):
        alike = [
            training.images[row] for row in np.flatnonzero(apart <= ALIKE)[np.argsort(apart[apart <= ALIKE])]
        ]
        found = _known(image, alike, training)
        if found is not None:
            known.append(found)
            continue
        kept.append(image)
        if alike:
            shared.add(image.camera or alike[0].camera or image.path.name)
    overlap = Overlap(dataset.name, len(dataset.images), tuple(known), tuple(sorted(shared)))
    return replace(dataset, images=tuple(kept)), overlap


def _known(
    image: AnnotatedImage, alike: Sequence[AnnotatedImage], training: _Training
) -> TrainedPicture | None:
    name = image.path.name
    if same := training.sums.get(hashed(image.path)):
        return TrainedPicture(name, same, SAME)
    others = training.by_camera.get(image.camera, []) if image.camera else []
    beside = min((other for other in others if _beside(image, other)), key=_gap_to(image), default=None)
    if beside is not None:
        return TrainedPicture(name, beside.path.name, NEIGHBOUR)
    like = next((other for other in alike if not _long_apart(image, other)), None)
    return TrainedPicture(name, like.path.name, LIKE) if like is not None else None


def _beside(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    """Taken within a stretch of time; or where times are not known, numbered within a stretch of pictures."""
    gap = _gap_to(one)(other)
    return gap < (STRETCH_S if one.taken and other.taken else STRETCH_PICTURES)


def _gap_to(one: AnnotatedImage) -> Callable[[AnnotatedImage], float]:
    """Seconds to another picture of the camera; or numbers, where times are not known; or without end."""

    def gap(other: AnnotatedImage) -> float:
        if one.taken and other.taken:
            return abs(one.taken.timestamp() - other.taken.timestamp())
        *some, last = (0, *_numbers(one))
        *others, other_last = (0, *_numbers(other))
        return abs(last - other_last) if some and some == others else inf

    return gap


def _long_apart(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    """A fixed camera shows the same road every day: with times known, likeness alone makes no neighbours."""
    return bool(one.taken and other.taken) and _gap_to(one)(other) >= LONG_S


def _numbers(image: AnnotatedImage) -> list[int]:
    return [part for part in natural(image.path.stem) if isinstance(part, int)]
