"""What a model made of one label over a whole set, and of parts of it: by size, camera, condition and hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Detection
from models.dataset.types import AnnotatedImage, Dataset
from models.judge.measure.figures import LabelOutcome
from models.judge.measure.matching import UNCOUNTED, match
from models.judge.scenes import Scenes

LINES = 360
"""Heights are told as in a picture of so many lines, the sub-stream of most cameras, whatever a set has."""
SIZES: dict[str, tuple[float, float]] = {"far": (0, 20), "middle": (20, 40), "near": (40, np.inf)}
"""Height of an object in lines, from and below. A camera on its pole sees a motorcycle with 40 lines at about
20 m; COCO's bounds of area are those of photographs."""

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class LabelFinds:
    """One label over a set: boxes told (N,), wherever they lie in an ignored one left out, and objects (M,).

    Attributes:
        scores, pictures, lines: Of each box; `lines` is the height of the object that it found, or its own.
        owners: (N,) the object that each found, or -1.
        object_pictures, object_lines: Of each object that counts.
        object_scores: (M,) of the box that found it; -1: none.
    """

    scores: Floats
    pictures: Rows
    lines: Floats
    owners: Rows
    object_pictures: Rows
    object_lines: Floats
    object_scores: Floats

    def outcome(self, scenes: Scenes, part: SetPart | None = None) -> LabelOutcome:
        """What counts for the figures, of a part of the set or of the whole."""
        boxes = part.holds(self.pictures, self.lines) if part else np.ones(len(self.scores), np.bool_)
        objects = (
            part.holds(self.object_pictures, self.object_lines)
            if part
            else np.ones(len(self.object_lines), np.bool_)
        )
        return LabelOutcome(
            self.scores[boxes],
            self.owners[boxes] >= 0,
            scenes.of[self.pictures[boxes]],
            np.bincount(scenes.of[self.object_pictures[objects]], minlength=scenes.count).astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class SetPart:
    """A part of a set: some of its pictures, or objects of some size.

    Attributes:
        kind: `size`, `camera`, `condition` or `hour`.
        name: Which of them.
        pictures: (N,) whether each picture is in it.
        lines: Heights, from and below.
    """

    kind: str
    name: str
    pictures: NDArray[np.bool_]
    lines: tuple[float, float] = (0.0, np.inf)

    def holds(self, pictures: Rows, lines: Floats) -> NDArray[np.bool_]:
        """Whether each box or object is in it."""
        return np.asarray(self.pictures[pictures] & (lines >= self.lines[0]) & (lines < self.lines[1]))


def parts(dataset: Dataset) -> tuple[SetPart, ...]:
    """By size; and by camera, condition and hour of the day, where the set knows of two or more."""
    everywhere = np.ones(len(dataset.images), np.bool_)
    found = [SetPart("size", name, everywhere, lines) for name, lines in SIZES.items()]
    kinds: dict[str, Callable[[AnnotatedImage], str]] = {
        "camera": lambda image: image.camera,
        "condition": lambda image: image.condition,
        "hour": lambda image: f"{image.taken:%H}:00" if image.taken else "",
    }
    for kind, name_of in kinds.items():
        names = [name_of(image) for image in dataset.images]
        known = sorted(set(names) - {""})
        if len(known) > 1:
            found += [SetPart(kind, name, np.array([each == name for each in names])) for name in known]
    return tuple(found)


def label_finds(dataset: Dataset, found: Sequence[Iterable[Detection]], label: str) -> LabelFinds:
    """One label over the set; `found` are the detections of each picture, best score first, in fractions."""
    columns: list[tuple[Floats, Rows, Floats, Rows, Rows, Floats, Floats]] = []
    objects = 0
    for number, (image, detections) in enumerate(zip(dataset.images, found, strict=True)):
        column = _picture(number, image, [each for each in detections if each.label == label], label, objects)
        objects += len(column[4])
        columns.append(column)
    return LabelFinds(*(np.concatenate(each) for each in zip(*columns, strict=True)))


def _picture(
    number: int, image: AnnotatedImage, found: list[Detection], label: str, before: int
) -> tuple[Floats, Rows, Floats, Rows, Rows, Floats, Floats]:
    """The columns of LabelFinds for one picture; `before` is how many objects those before it have."""
    truth = [each for each in image.annotations if each.label == label]
    size = np.array([image.width, image.height] * 2, np.float64)
    objects = np.array([each.box for each in truth], np.float64).reshape(-1, 4) / size
    ignored = np.array([each.ignored for each in truth], np.bool_)
    boxes = np.array([[d.box.left, d.box.top, d.box.right, d.box.bottom] for d in found]).reshape(-1, 4)
    scores = np.array([each.score for each in found], np.float64)
    owners = match(boxes, objects, ignored)
    scores, boxes, owners = (each[owners != UNCOUNTED] for each in (scores, boxes, owners))
    heights = (objects[:, 3] - objects[:, 1]) * LINES
    lines = (boxes[:, 3] - boxes[:, 1]) * LINES
    hits = owners >= 0
    lines[hits] = heights[owners[hits]]
    found_with = np.full(len(objects), -1.0)
    found_with[owners[hits]] = scores[hits]
    places = np.cumsum(~ignored) - 1 + before  # ignored ones have no place of their own
    owners[hits] = places[owners[hits]]
    return (
        scores,
        np.full(len(scores), number, np.intp),
        lines,
        owners,
        np.full(int((~ignored).sum()), number, np.intp),
        heights[~ignored],
        found_with[~ignored],
    )
