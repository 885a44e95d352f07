"""A labelled picture, and a set of them.

A set knows of each picture which camera took it and when, because neighbours in time are the same picture:
sets are split by camera and by time, never by picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class LabelFormat(StrEnum):
    """How labels lie in files."""

    COCO = "coco"
    YOLO = "yolo"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One object that somebody (or a detector) drew a box around.

    Attributes:
        label: What it is, in the words of the model card (`motorcycle`, not `motorbike`).
        left, top, right, bottom: The box in pixels of the picture, `left < right`, `top < bottom`.
        ignored: Neither right nor wrong if a detector finds it: a crowd, or an object too small to be sure of.
        score: 0..1, of the detector that proposes it; None: somebody drew it, or has looked at it.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    ignored: bool = False
    score: float | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One picture with what is in it.

    Attributes:
        path: The file.
        width, height: In pixels.
        annotations: Everything in it that is one of the set's labels.
        camera: Which camera took it; pictures of one camera never lie on both sides of a split.
        taken: When, where it is known.
        condition: Such as `night`, or an empty text.
        ruled_out: Places at which somebody has said that none of this label is: no proof that nothing else is
            there, but a detector that finds it there is wrong.
    """

    path: Path
    width: int
    height: int
    annotations: tuple[Annotation, ...]
    camera: str = ""
    taken: datetime | None = None
    condition: str = ""
    ruled_out: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled pictures of one kind.

    Attributes:
        name: As it is told to people.
        images: In the order in which the cameras took them.
        labels: All that the annotators looked for. A label that is not among them says nothing about a picture.
        licence: Of pictures and labels, in SPDX's words, or an empty text where none is stated.
        source: Where they came from.
        incomplete: The annotators say that not every object has its box: what is found there and not labelled
            may be right.
        proposed: Pictures that nobody has looked at, with what a detector proposes: none of it is a label.
    """

    name: str
    images: tuple[AnnotatedImage, ...]
    labels: tuple[str, ...]
    licence: str = ""
    source: str = ""
    incomplete: bool = False
    proposed: tuple[AnnotatedImage, ...] = ()

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras, each once, in order of their first picture."""
        return tuple(dict.fromkeys(image.camera for image in self.images))

    def of_cameras(self, names: Iterable[str]) -> Dataset:
        """The pictures of these cameras."""
        wanted = frozenset(names)
        return replace(self, images=tuple(image for image in self.images if image.camera in wanted))
