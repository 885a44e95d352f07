"""Labels that a trained network gives to pictures which nobody has labelled: pseudo-labels (Lee, 2013).

A few hundred labelled frames show few views, and a network that has learned them knows little of other roads.
Frames of other cameras cost nobody any work. What a trained network is sure of there, when it looks at them in
three sizes and in a mirror, is nearly always right; and from that, with night and rain drawn over it, a second
network learns views that the first has not (noisy student: Xie et al., 2020, arXiv:1911.04252). What the first
is unsure of is neither right nor wrong, and a picture in which it is sure of nothing teaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agent.core.types import Box, Crop, Detection, Image, Reason
from agent.detectors.onnx import OnnxDetector
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.names import camera_of, pictures_in
from models.dataset.types import AnnotatedImage, Annotation, Dataset
from models.train.held_back import overlapping
from models.train.pictures.teaching import opened
from models.train.tiled import tiled

SURE = 0.35
"""From this mean score of picture and mirror image on, a box is a label. Chosen by eye on a dozen pictures."""
DOUBTFUL = 0.1
"""From this one on it is neither right nor wrong."""
LEAST_PX = 16
"""What is less high has no label: there the network is wrong too often."""
SAME_IOU = 0.5
"""Overlap with the mirror image's box from which both are of one object."""
ONE_LABEL_IOU = 0.6
"""Overlap from which two boxes of different labels are of one object: the surer one holds."""


def _grid(count: int, side: float) -> list[Box]:
    """Squares of this side, `count` by `count`, over the whole frame."""
    starts = [float(at) for at in np.linspace(0, 1 - side, count)]
    return [Box(left, top, left + side, top + side) for top in starts for left in starts]


LOOKS = tuple(Crop(box, Reason.FULL_SCAN) for box in (Box(0, 0, 1, 1), *_grid(2, 0.6), *_grid(3, 0.42)))


def read_unlabelled(folder: Path, but: Collection[str]) -> Dataset:
    """The pictures of a folder and those below it, without labels; not those of the cameras `but`.

    Raises:
        ModelError: there is no such folder, no picture of another camera in it, or one cannot be read.
    """
    images = []
    for name in pictures_in(folder) if folder.is_dir() else ():
        if camera_of(name) not in but:
            image = AnnotatedImage(folder / name, 1, 1, (), camera_of(name))
            high, wide = opened(image).shape[:2]
            images.append(replace(image, width=wide, height=high))
    if not images:
        raise ModelError(
            tr("{path}: no picture in it, or only those of cameras that are held back", path=folder),
            tr("--unlabelled wants a folder of pictures."),
        )
    return Dataset(folder.resolve().name, tuple(images), ())


def pseudo_labelled(
    detector: OnnxDetector, pictures: Dataset, labels: Sequence[str], tell: Callable[[], None]
) -> Dataset:
    """What the network is sure of as labels of the pictures; those in which it is sure of nothing are left out.

    Args:
        detector: Of scores down to `DOUBTFUL`.
        pictures: As `read_unlabelled` gives them.
        labels: What it has learned to see; anything else is left to the base.
        tell: Called after each picture.

    Raises:
        ModelError: a picture cannot be read any more.
    """
    images = []
    for image in pictures.images:
        found = [one for one in looked_twice(detector, opened(image)) if one.label in labels]
        objects = tuple(_annotation(one, image) for one in once(found) if _high_px(one, image) >= LEAST_PX)
        if any(not one.ignored for one in objects):
            images.append(replace(image, annotations=objects))
        tell()
    return replace(pictures, images=tuple(images), labels=tuple(labels), incomplete=True)


def looked_twice(detector: OnnxDetector, picture: Image) -> list[Detection]:
    """What is found in a picture and in its mirror image, with the mean score: what only one shows has half."""
    mine = list(tiled(detector, picture, LOOKS))
    theirs = [_mirrored(one) for one in tiled(detector, np.ascontiguousarray(picture[:, ::-1]), LOOKS)]
    both = []
    for one in mine:
        same = [other for other in theirs if other.label == one.label]
        overlaps = overlapping(one.box, [other.box for other in same]) if same else np.zeros(1)
        if np.max(overlaps) > SAME_IOU:
            other = same[int(np.argmax(overlaps))]
            theirs.remove(other)
            both.append(Detection(one.label, (one.score + other.score) / 2, _between(one.box, other.box)))
        else:
            both.append(replace(one, score=one.score / 2))
    both += [replace(one, score=one.score / 2) for one in theirs]
    return [one for one in both if one.score >= DOUBTFUL]


def once(found: Sequence[Detection]) -> list[Detection]:
    """Each object with its surest label, best first."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda each: -each.score):
        if not kept or np.max(overlapping(one.box, [other.box for other in kept])) <= ONE_LABEL_IOU:
            kept.append(one)
    return kept


def _mirrored(one: Detection) -> Detection:
    return replace(one, box=Box(1 - one.box.right, one.box.top, 1 - one.box.left, one.box.bottom))


def _between(one: Box, other: Box) -> Box:
    return Box(
        (one.left + other.left) / 2,
        (one.top + other.top) / 2,
        (one.right + other.right) / 2,
        (one.bottom + other.bottom) / 2,
    )


def _high_px(one: Detection, image: AnnotatedImage) -> float:
    return (one.box.bottom - one.box.top) * image.height


def _annotation(one: Detection, image: AnnotatedImage) -> Annotation:
    box = one.box
    return Annotation(
        one.label,
        box.left * image.width,
        box.top * image.height,
        box.right * image.width,
        box.bottom * image.height,
        ignored=one.score < SURE,
        score=one.score,
    )
