"""Pictures of a set brought into another folder: by a hard link, or copied where that cannot be."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import Dataset


def linked(dataset: Dataset, folder: Path, images: str) -> Dataset:
    """The same set with every picture in `folder`: where it lies there already, or else in `folder/images`.

    What lay in several folders keeps these below `images`. A picture that is there already is left as it is.

    Raises:
        ModelError: another picture has this name there, or the folder cannot be written.
    """
    inside = [image.path.resolve().is_relative_to(folder.resolve()) for image in dataset.images]
    foreign = [image.path.resolve() for image, is_in in zip(dataset.images, inside, strict=True) if not is_in]
    root = Path(os.path.commonpath([path.parent for path in foreign])) if foreign else folder
    moved = [
        image if is_in else replace(image, path=_brought(image.path, folder / images, root))
        for image, is_in in zip(dataset.images, inside, strict=True)
    ]
    return replace(dataset, images=tuple(moved))


def _brought(picture: Path, folder: Path, root: Path) -> Path:
    target = folder / picture.resolve().relative_to(root)
    try:
        if target.exists():
            if target.read_bytes() != picture.read_bytes():
                raise ModelError(
                    tr("{target}: another picture of this name lies there, not {picture}", target=target,
                       picture=picture),
                    tr("Name an empty folder, or one that does not exist yet."),
                )  # fmt: skip
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(picture.resolve())
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(picture, target)
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be written: {error}", path=target, error=error.strerror or error),
            tr("Make room, or give yourself the right to write there."),
        ) from error
    return target
