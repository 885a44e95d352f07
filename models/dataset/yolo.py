"""Labelled pictures in YOLO's format: one .txt for each picture, a line for each object.

A line is the label's number and the box's middle, width and height in fractions of the picture, as the picture
is shown: turned as its EXIF says. Ultralytics' layout is written
(https://docs.ultralytics.com/datasets/detect/): `data.yaml`, lists of pictures, and for `images/x.jpg` the file
`labels/x.txt`. Read are that, CVAT's "Ultralytics YOLO Detection" (the same) and "YOLO 1.1" (`obj.names`, and
each .txt beside its picture), Roboflow's (`train/images`), and Label Studio's (`classes.txt`).

What nobody looked at has no .txt and is in no list, for Ultralytics takes a picture without one as empty. The
format holds no camera, hour or condition, and knows no ignored object: such objects are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.linking import linked
from models.dataset.names import camera_of, pictures_in
from models.dataset.sizes import size_of
from models.dataset.types import AnnotatedImage, Annotation, Dataset
from models.dataset.whole_file import write_whole

DATA = "data.yaml"
IMAGES, LABELS = "images", "labels"
_NAMES = ("classes.txt", "obj.names")
"""Label Studio's, and Darknet's as CVAT writes it."""
_SUBSETS = ("train", "val", "valid", "test")
_BEYOND = 0.02
"""Fractions of the picture by which a box may reach over its edge; tools round, and people draw over it."""


def find_yolo(folder: Path) -> Path | None:
    """The file of labels' names in this folder; None where there is none."""
    return next((folder / name for name in (DATA, *_NAMES) if (folder / name).is_file()), None)


def read_yolo(folder: Path) -> Dataset:
    """The set in this folder: all of its parts together; its name is the folder's.

    A picture without a .txt is not in it: nobody looked. Polygons count as the box around them.

    Raises:
        ModelError: the folder holds no such set, or a line of it is wrong; told with file and line.
    """
    index = find_yolo(folder)
    if index is None:
        raise ModelError(
            tr("{folder}: there is neither data.yaml nor classes.txt", folder=folder),
            tr("Export it anew as YOLO, or see docs/guide/label.md."),
        )
    content = _content(index)
    labels = _labels(index, content)
    images = []
    for picture in _listed(folder, index, content):
        text = label_file(picture, folder)
        if text.is_file():
            images.append(_image(folder, picture, text, labels))
    if not images:
        raise ModelError(
            tr("{folder}: there is no picture with a .txt of labels", folder=folder),
            tr("Export it with its pictures, or put these into images/ beside labels/."),
        )
    return Dataset(folder.resolve().name, tuple(images), labels)


def write_yolo(dataset: Dataset, folder: Path, held_back: Dataset | None = None) -> Path:
    """Write the set into `folder` as Ultralytics reads it; returns `data.yaml`, which is written last.

    Pictures that lie in `folder` stay where they are, others are linked (or copied) into its `images/`.
    `held_back` is what Ultralytics validates with; without it the same pictures.

    Raises:
        ModelError: two pictures would have one .txt, or the folder cannot be written.
    """
    parts = [("train", dataset)] + ([("val", held_back)] if held_back is not None else [])
    names: dict[str, str] = {}
    seen: dict[Path, Path] = {}
    for part, each in parts:
        placed = linked(each, folder, IMAGES)
        for image in placed.images:
            text = label_file(image.path, folder)
            if (other := seen.setdefault(text, image.path)) != image.path:
                raise ModelError(
                    tr("{first} and {second}: both would have the labels {text}", first=other,
                       second=image.path, text=text),
                    tr("Rename one of the two pictures."),
                )  # fmt: skip
            write_whole(text, _lines(image, dataset.labels))
        names[part] = f"{part}.txt"
        # Ultralytics takes "./" for the list's own folder, and other relative paths from where it was started.
        lines = [
            f"./{image.path.resolve().relative_to(folder.resolve()).as_posix()}\n" for image in placed.images
        ]
        write_whole(folder / names[part], "".join(lines))
    # Without `path`: a relative one is looked for in Ultralytics' own folder of data sets.
    content = {"train": names["train"], "val": names.get("val", names["train"])}
    data = yaml.safe_dump(
        {**content, "names": dict(enumerate(dataset.labels))}, allow_unicode=True, sort_keys=False
    )
    # Label Studio's converter asks for this one.
    write_whole(folder / _NAMES[0], "".join(f"{label}\n" for label in dataset.labels))
    write_whole(folder / DATA, data)
    return folder / DATA


def label_file(picture: Path, folder: Path) -> Path:
    """Where the labels of a picture of this set stand: by Ultralytics' rule, or beside it."""
    parts = list(picture.relative_to(folder).parts)
    places = [number for number, part in enumerate(parts[:-1]) if part == IMAGES]
    if places:
        parts[places[-1]] = LABELS
    return folder.joinpath(*parts).with_suffix(".txt")


def _content(index: Path) -> dict[str, Any]:
    try:
        text = index.read_text(encoding="utf-8-sig")
        content = yaml.safe_load(text) if index.name == DATA else {"names": _split(text)}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ModelError(tr("{path}: cannot be read: {error}", path=index, error=reason)) from error
    return content if isinstance(content, dict) else {}


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _labels(index: Path, content: dict[str, Any]) -> tuple[str, ...]:
    names = content.get("names")
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise ModelError(
            tr("{path}: names: a list of labels is missing", path=index),
            tr("It looks like this: names: {example}", example="{0: motorcycle, 1: car}"),
        )
    if len(set(names)) < len(names):
        raise ModelError(tr("{path}: names: a label stands there twice", path=index))
    return tuple(names)


def _listed(folder: Path, index: Path, content: dict[str, Any]) -> list[Path]:
    """The pictures of the set: those that `data.yaml` lists where these are, or all in the folder."""
    entries = [content[part] for part in _SUBSETS if content.get(part)]
    found: dict[Path, None] = {}
    for entry in entries:
        for each in entry if isinstance(entry, list) else [entry]:
            found.update(dict.fromkeys(_entry(folder, index, content, str(each))))
    return list(found) or [folder / name for name in pictures_in(folder)]


def _entry(folder: Path, index: Path, content: dict[str, Any], entry: str) -> Iterator[Path]:
    base = folder / str(content.get("path") or "")
    # Roboflow writes ../train/images beside train/; others an absolute path of another machine.
    places = [base / entry, folder / entry, folder / entry.removeprefix("../")]
    place = next((each for each in places if each.exists() and _within(each, folder)), None)
    if place is None:
        return
    if place.is_dir():
        yield from (place / name for name in pictures_in(place))
        return
    for line in _split(place.read_text(encoding="utf-8-sig")):
        picture = folder / line.removeprefix("./").removeprefix("data/")
        if not _within(picture, folder):
            raise ModelError(tr("{file}: a picture outside its folder is not read", file=picture))
        if not picture.is_file():
            raise ModelError(tr("{file}: no such picture, but {index} names it", file=picture, index=place))
        yield picture


def _within(place: Path, folder: Path) -> bool:
    return place.resolve().is_relative_to(folder.resolve())


def _image(folder: Path, picture: Path, text: Path, labels: Sequence[str]) -> AnnotatedImage:
    width, height = size_of(picture)
    try:
        lines = text.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(tr("{path}: cannot be read: {error}", path=text, error=str(error))) from error
    objects = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found = _object(line.split(), f"{text}:{number}", labels)
            box = (found[1] * width, found[2] * height, found[3] * width, found[4] * height)
            if box[2] > box[0] and box[3] > box[1]:  # tools write empty boxes where somebody clicked
                objects.append(Annotation(found[0], *box))
    name = picture.relative_to(folder).as_posix()
    return AnnotatedImage(picture, width, height, tuple(objects), camera_of(name.removeprefix(f"{IMAGES}/")))


def _object(words: list[str], where: str, labels: Sequence[str]) -> tuple[str, float, float, float, float]:
    """Label, and left, top, right, bottom in fractions, within the picture."""
    try:
        number, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        number, values = -1, []
    polygon = len(values) >= 6 and len(values) % 2 == 0
    if len(values) not in (4, 5) and not polygon:  # a fifth is a track's number, or a score
        raise ModelError(
            tr("{where}: this is not a label's number with a box", where=where),
            tr("A line is: number, middle x, middle y, width, height, in fractions of the picture."),
        )
    if not 0 <= number < len(labels):
        raise ModelError(
            tr("{where}: there is no label {number}, only 0 to {last}", where=where, number=number,
               last=len(labels) - 1)
        )  # fmt: skip
    if polygon:
        box = min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
    else:
        x, y, width, height = values[:4]
        box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if not all(-_BEYOND <= value <= 1 + _BEYOND for value in box):  # NaN is nowhere
        raise ModelError(
            tr("{where}: the box lies outside the picture", where=where),
            tr("Values are fractions of the picture, from 0 to 1, not pixels."),
        )
    left, top, right, bottom = (min(1.0, max(0.0, value)) for value in box)
    return labels[number], left, top, right, bottom


def _lines(image: AnnotatedImage, labels: Sequence[str]) -> str:
    """The .txt of one picture: within it, as Ultralytics throws away a picture with one box outside."""
    lines = []
    for each in image.annotations:
        left, right = (min(image.width, max(0.0, x)) / image.width for x in (each.left, each.right))
        top, bottom = (min(image.height, max(0.0, y)) / image.height for y in (each.top, each.bottom))
        if not each.ignored and right > left and bottom > top:
            box = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
            lines.append(f"{labels.index(each.label)} {' '.join(f'{value:.8f}' for value in box)}\n")
    return "".join(lines)
