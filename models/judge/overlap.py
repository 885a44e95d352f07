"""Pictures that judge nothing, because the new model was trained on them, or on their neighbours in time.

    the same     the bytes are the same
    alike        the pictures show the same (models/judge/likeness.py)
    neighbour    same camera by name, and taken at nearly the same time, or one of the next few numbers
    camera       same camera at another time: this is told only, for other cameras may be seen worse

All but the last are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.detectors.card import hashed
from models.dataset.types import AnnotatedImage, Dataset
from models.judge.likeness import ALIKE, hashes, nearest
from models.judge.scenes import STRETCH_PICTURES, STRETCH_S, natural

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
    rows, bits = nearest(hashes([image.path for image in dataset.images]), training.hashes)
    kept: list[AnnotatedImage] = []
    known: list[TrainedPicture] = []
    for image, row, apart in zip(dataset.images, rows.tolist(), bits.tolist(), strict=True):
        like = training.images[row].path.name if apart <= ALIKE else ""
        found = _known(image, like, training)
        if found is None:
            kept.append(image)
        else:
            known.append(found)
    shared = tuple(name for name in dataset.cameras if name and name in training.by_camera)
    overlap = Overlap(dataset.name, len(dataset.images), tuple(known), shared)
    return replace(dataset, images=tuple(kept)), overlap


def _known(image: AnnotatedImage, like: str, training: _Training) -> TrainedPicture | None:
    name = image.path.name
    if same := training.sums.get(hashed(image.path)):
        return TrainedPicture(name, same, SAME)
    if like:
        return TrainedPicture(name, like, LIKE)
    others = training.by_camera.get(image.camera, []) if image.camera else []
    beside = next((other for other in others if _beside(image, other)), None)
    return TrainedPicture(name, beside.path.name, NEIGHBOUR) if beside else None


def _beside(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    """Taken within a stretch of time; or where times are not known, numbered within a stretch of pictures."""
    if one.taken and other.taken:
        return abs(one.taken.timestamp() - other.taken.timestamp()) < STRETCH_S
    numbers = [[part for part in natural(each.path.stem) if isinstance(part, int)] for each in (one, other)]
    return bool(
        numbers[0] and numbers[1]
        and numbers[0][:-1] == numbers[1][:-1]
        and abs(numbers[0][-1] - numbers[1][-1]) < STRETCH_PICTURES
    )  # fmt: skip
