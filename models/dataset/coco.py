"""Labelled pictures in COCO's format: a folder `images/`, and `instances.json` beside it.

Format: https://cocodataset.org/#format-data. Five fields of a picture are ours, and CVAT and Label Studio leave
them out: `camera`, `taken` (ISO 8601), `condition`, `labelled`, and `ruled_out`, places (`label`, `bbox`) at
which none of a label is. Without `camera` the file's name says it.

A box with `"proposal": true` is a detector's, as in what boxes collect (`ngatu samples`): it is no label, and a
picture with one, or with `"labelled": false`, is one that nobody has looked at.

Read as well is what these two export: CVAT has the file in `annotations/` and the pictures in a folder of their
subset, Label Studio calls the file `result.json`. Pictures may also lie beside the file, without `images/`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.names import camera_of
from models.dataset.types import AnnotatedImage, Annotation, Dataset
from models.dataset.whole_file import write_whole

FILE = "instances.json"
IMAGES = "images"
_MISSING = re.compile(r"\b(incomplete|unlabelled|unlabeled|not labelled)\b", re.IGNORECASE)
_OTHERS = ("annotations/instances_*.json", "result.json")
"""CVAT's, a file for each subset, and Label Studio's."""


class _Lenient(BaseModel):
    """Other programs write fields of their own; none of them hurts."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Category(_Lenient):
    id: int
    name: str = Field(min_length=1)


class _RuledOut(_Lenient):
    label: str = Field(min_length=1)
    bbox: tuple[float, float, float, float]


class _Image(_Lenient):
    id: int
    file_name: str = Field(min_length=1)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    camera: str = ""
    taken: datetime | None = None
    condition: str = ""
    labelled: bool = True
    ruled_out: tuple[_RuledOut, ...] = ()


class _Object(_Lenient):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0
    proposal: bool = False
    score: float | None = Field(None, ge=0, le=1)


class _Licence(_Lenient):
    name: str = ""


class _Info(_Lenient):
    source: str = ""
    description: str = ""
    note: str = ""
    evaluation_note: str = ""
    incomplete: bool | None = None

    @property
    def says_incomplete(self) -> bool:
        """Whether the annotators say that boxes are missing: by the field, or in words."""
        if self.incomplete is not None:
            return self.incomplete
        return bool(_MISSING.search(f"{self.description} {self.note} {self.evaluation_note}"))


class _File(_Lenient):
    info: _Info = _Info()
    licenses: tuple[_Licence, ...] = ()
    images: tuple[_Image, ...]
    annotations: tuple[_Object, ...] = ()
    categories: tuple[_Category, ...] = Field(min_length=1)


def find_coco(folder: Path) -> Path | None:
    """The file of labels in this folder: ours, or else CVAT's or Label Studio's; None where there is none.

    Raises:
        ModelError: there are several, and none of them is ours.
    """
    if (folder / FILE).is_file():
        return folder / FILE
    found = [path for pattern in _OTHERS for path in sorted(folder.glob(pattern))]
    if len(found) > 1:
        raise ModelError(
            tr("{folder}: there are several files of labels: {names}", folder=folder,
               names=", ".join(path.name for path in found)),
            tr("Copy the one that is meant to {file}.", file=folder / FILE),
        )  # fmt: skip
    return found[0] if found else None


def read_coco(folder: Path) -> Dataset:
    """The set in this folder; its name is the folder's.

    Raises:
        ModelError: there is no such file, it is not COCO's, or a picture or a category in it is missing.
    """
    path = find_coco(folder) or folder / FILE
    try:
        content = _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be read: {error}", path=path, error=error.strerror or error),
            tr("A folder of labelled pictures holds images/ and instances.json (COCO)."),
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ModelError(
            tr(
                "{path}: {where}: {fault}; this is not COCO's format",
                path=path,
                where=where,
                fault=first["msg"],
            ),
            tr("Export it anew as COCO, or see docs/guide/label.md."),
        ) from error
    labels = {category.id: category.name for category in content.categories}
    objects = _by_image(path, content, labels)
    unseen = _unseen(content)
    images = [(image.id in unseen, _image(folder, path, image, objects[image.id])) for image in content.images]
    return Dataset(
        name=folder.resolve().name,
        images=tuple(image for is_unseen, image in images if not is_unseen),
        labels=tuple(labels.values()),
        licence=", ".join(licence.name for licence in content.licenses if licence.name),
        source=content.info.source or content.info.description,
        incomplete=content.info.says_incomplete,
        proposed=tuple(image for is_unseen, image in images if is_unseen),
    )


def write_coco(dataset: Dataset, folder: Path) -> Path:
    """Write `instances.json` into `folder`, whole or not at all; pictures stay where they are.

    Every picture lies under `folder/images`, and is named from there; or else in `folder`.

    Raises:
        ModelError: the file cannot be written.
    """
    number = {label: place for place, label in enumerate(dataset.labels, start=1)}
    content = {
        "info": {"source": dataset.source, "incomplete": dataset.incomplete},
        "licenses": [{"id": 1, "name": dataset.licence}] if dataset.licence else [],
        "images": [_image_row(place, image, folder) for place, image in enumerate(dataset.images, start=1)],
        "annotations": _object_rows(dataset.images, number),
        "categories": [{"id": place, "name": label} for label, place in number.items()],
    }
    write_whole(folder / FILE, json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    return folder / FILE


def _by_image(path: Path, content: _File, labels: dict[int, str]) -> defaultdict[int, list[Annotation]]:
    known = {image.id for image in content.images}
    objects: defaultdict[int, list[Annotation]] = defaultdict(list)
    for place, row in enumerate(content.annotations):
        if row.category_id not in labels or row.image_id not in known:
            raise ModelError(
                tr(
                    "{path}: annotations.{place}: there is no image {image}, or no category {category}",
                    path=path, place=place, image=row.image_id, category=row.category_id,
                )
            )  # fmt: skip
        left, top, width, height = row.bbox
        if width > 0 and height > 0:  # tools write empty boxes where somebody clicked without drawing
            objects[row.image_id].append(
                Annotation(
                    labels[row.category_id],
                    left,
                    top,
                    left + width,
                    top + height,
                    ignored=bool(row.iscrowd),
                    score=row.score if row.proposal else None,
                )
            )
    return objects


def _unseen(content: _File) -> frozenset[int]:
    """Pictures that nobody has looked at: they say so, or a box in them is a detector's."""
    proposed = {row.image_id for row in content.annotations if row.proposal}
    return frozenset(proposed | {image.id for image in content.images if not image.labelled})


def _image(folder: Path, index: Path, row: _Image, objects: Sequence[Annotation]) -> AnnotatedImage:
    file = _picture(folder, index, row.file_name)
    camera = row.camera or camera_of(row.file_name.replace("\\", "/").removeprefix(f"{IMAGES}/"))
    ruled_out = tuple(
        Annotation(each.label, left, top, left + width, top + height)
        for each in row.ruled_out
        for left, top, width, height in [each.bbox]
        if width > 0 and height > 0
    )
    return AnnotatedImage(
        file, row.width, row.height, tuple(objects), camera, row.taken, row.condition, ruled_out
    )


def _picture(folder: Path, index: Path, name: str) -> Path:
    """Where a picture lies: in `images/`, in the subset's folder there (CVAT), or as named from the set's.

    Label Studio names some by a path of the machine that it runs on: of these the last part counts.
    """
    name = name.replace("\\", "/")
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        name = PurePosixPath(name).name
    subset = index.stem.removeprefix("instances_")
    places = [folder / IMAGES / name, folder / IMAGES / subset / name, folder / name]
    file = next((place for place in places if place.is_file()), places[0])
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ModelError(tr("{file}: a picture outside its folder is not read", file=file))
    if not file.is_file():
        raise ModelError(
            tr("{file}: no such picture, but {index} names it", file=file, index=index),
            tr("Put the pictures into images/ beside instances.json."),
        )
    return file


def _image_row(place: int, image: AnnotatedImage, folder: Path) -> dict[str, object]:
    path, root = image.path.resolve(), (folder / IMAGES).resolve()
    row: dict[str, object] = {
        "id": place,
        "file_name": path.relative_to(root if path.is_relative_to(root) else folder.resolve()).as_posix(),
        "width": image.width,
        "height": image.height,
    }
    if image.camera:
        row["camera"] = image.camera
    if image.taken:
        row["taken"] = image.taken.isoformat()
    if image.condition:
        row["condition"] = image.condition
    if image.ruled_out:
        row["ruled_out"] = [{"label": each.label, "bbox": _sides(each)} for each in image.ruled_out]
    return row


def _sides(box: Annotation) -> list[float]:
    return [box.left, box.top, box.right - box.left, box.bottom - box.top]


def _object_rows(images: Sequence[AnnotatedImage], number: dict[str, int]) -> list[dict[str, object]]:
    objects = [(place, found) for place, image in enumerate(images, start=1) for found in image.annotations]
    return [
        {
            "id": row,
            "image_id": place,
            "category_id": number[found.label],
            "bbox": _sides(found),
            "area": (found.right - found.left) * (found.bottom - found.top),
            "iscrowd": int(found.ignored),
            "segmentation": [],  # some readers miss it
        }
        for row, (place, found) in enumerate(objects, start=1)
    ]
