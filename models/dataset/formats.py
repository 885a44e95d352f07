"""A folder of labelled pictures in whichever format it has, and the same in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.coco import IMAGES, find_coco, read_coco, write_coco
from models.dataset.linking import linked
from models.dataset.types import Dataset, LabelFormat
from models.dataset.yolo import find_yolo, read_yolo, write_yolo


def format_of(folder: Path) -> LabelFormat | None:
    """What lies in the folder, COCO first; None where nothing is labelled in a format that is known."""
    if find_coco(folder) is not None:
        return LabelFormat.COCO
    return LabelFormat.YOLO if find_yolo(folder) is not None else None


def read_dataset(folder: Path) -> Dataset:
    """The set in the folder.

    Raises:
        ModelError: there is none, or it is wrong.
    """
    match format_of(folder):
        case LabelFormat.COCO:
            return read_coco(folder)
        case LabelFormat.YOLO:
            return read_yolo(folder)
    raise ModelError(
        tr("{folder}: there are no labels in COCO's or YOLO's format", folder=folder),
        tr("Label the pictures with: ngatu models label {folder}", folder=folder),
    )


def write_dataset(dataset: Dataset, folder: Path, form: LabelFormat) -> Path:
    """Write the set into the folder, pictures too; returns the file that says what it is.

    Raises:
        ModelError: the folder cannot be written, or holds other pictures of these names.
    """
    if form is LabelFormat.YOLO:
        return write_yolo(dataset, folder)
    return write_coco(linked(dataset, folder, IMAGES), folder)


def renamed(dataset: Dataset, names: Mapping[str, str]) -> Dataset:
    """The set with other words for some labels; two that get one word become one label.

    Raises:
        ModelError: a label is not among the set's.
    """
    if unknown := [name for name in names if name not in dataset.labels]:
        raise ModelError(
            tr("{name}: there is no label {unknown}", name=dataset.name, unknown=", ".join(unknown)),
            tr("The labels are {labels}.", labels=", ".join(dataset.labels)),
        )
    images = tuple(
        replace(
            image,
            annotations=tuple(replace(a, label=names.get(a.label, a.label)) for a in image.annotations),
            ruled_out=tuple(replace(a, label=names.get(a.label, a.label)) for a in image.ruled_out),
        )
        for image in dataset.images
    )
    labels = tuple(dict.fromkeys(names.get(label, label) for label in dataset.labels))
    return replace(dataset, images=images, labels=labels)
