"""One folder that is being labelled: which pictures are in it, what was labelled before, what is written out.

A folder holds `images/` or the pictures themselves, and `labels.sqlite3`, where every stroke is kept. What is
done is written out for other programs as well: `instances.json`, or YOLO's files. Where such labels lie there
at the first start, they are taken in as done, what a detector proposes there as proposals, and what officers
have judged as boxes of pictures that are begun; what another program writes there later is never overwritten.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.coco import FILE as INSTANCES
from models.dataset.coco import IMAGES, write_coco
from models.dataset.formats import format_of, read_dataset
from models.dataset.names import camera_of, pictures_in
from models.dataset.sizes import size_of
from models.dataset.types import AnnotatedImage, Annotation, Dataset, LabelFormat
from models.dataset.yolo import DATA, write_yolo
from models.label.before import kept_aside, print_of
from models.label.judged import note_ruled_out, ruled_out_in, uncontradicted
from models.label.sheet import DrawnBox, LabelSheet, ProposedBox
from models.label.store import LabelStore, PictureRow

CLASSES = ("motorcycle", "bicycle", "car", "bus", "truck", "person")
"""What these roads are full of comes first: it has the key 1."""
LOCK = ".labels.lock"


class Workplace:
    """A folder while it is labelled; nobody else labels it meanwhile."""

    def __init__(self, folder: Path, classes: Sequence[str] = (), form: LabelFormat | None = None) -> None:
        """Look what is there; `classes` are the labels, those of before where none are named.

        Raises:
            ModelError: the folder is missing, holds no picture, cannot be written, or is being labelled; its
                labels are wrong, or were changed by another program.
        """
        self.folder = folder
        self.images = folder / IMAGES if (folder / IMAGES).is_dir() else folder
        self._names = _pictures(folder, self.images)
        self._locked = _locked(folder)
        try:
            there = format_of(folder)
            self.form = form or there or LabelFormat.COCO
            self.store = LabelStore(folder)
        except BaseException:
            self._locked.close()
            raise
        try:
            before = self._before(there)
            self.classes = self._classes(classes, before)
            self._scan(before)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the folder."""
        self.store.close()
        self._locked.close()

    def dataset(self) -> Dataset:
        """What is done, and nothing else."""
        ruled_out = ruled_out_in(self.store)
        images = tuple(
            AnnotatedImage(
                self.images / row.name, row.width, row.height,
                tuple(Annotation(**box.model_dump()) for box in row.sheet.boxes),
                row.camera, row.taken, row.condition,
                uncontradicted(ruled_out.get(row.name, ()), row.sheet.boxes),
            )
            for row in self.store.done()
        )  # fmt: skip
        licence, source = self.store.fact("licence"), self.store.fact("source")
        return Dataset(self.folder.resolve().name, images, self.classes, licence, source)

    def write_out(self) -> Path:
        """Write what is done for other programs; the file that says what it is, once anything is done.

        Raises:
            ModelError: it cannot be written.
        """
        dataset, form = self.dataset(), self.form
        ours = self.store.fact(f"written {form}") and self.store.fact("labelled")
        if not dataset.images and not ours:  # what boxes propose stays there until somebody has looked
            return self.folder / (DATA if form is LabelFormat.YOLO else INSTANCES)
        self.store.note("writing", form)
        path = (
            write_yolo(dataset, self.folder) if form is LabelFormat.YOLO else write_coco(dataset, self.folder)
        )
        self.store.note(f"written {form}", print_of(self.folder, form))
        self.store.note("labelled", "yes")
        self.store.note("writing", "")
        return path

    # ---------------------------------------------------------------------------------- what was before

    def _before(self, there: LabelFormat | None) -> Dataset | None:
        """Labels that lie in the folder and are not ours."""
        if there is None:
            return None
        written, now = self.store.fact(f"written {there}"), print_of(self.folder, there)
        if not self.store.fact("begun"):
            dataset = read_dataset(self.folder)
            kept_aside(self.folder)  # fields that are not ours are lost in what we write
            self.store.note(f"written {there}", now)
            self.store.note("labelled", "yes" if dataset.images else "")
            return dataset
        # Killed between writing and noting what was written, it is ours all the same.
        if written != now and self.store.fact("writing") != there:
            raise ModelError(
                tr(
                    "{folder}: another program has changed the labels since they were written here",
                    folder=self.folder,
                ),
                tr(
                    "To take them in, move {store} away; to go on with what was labelled here, move them away.",
                    store=self.store.path.name,
                ),
            )
        return None

    def _classes(self, wanted: Sequence[str], before: Dataset | None) -> tuple[str, ...]:
        noted = tuple(filter(None, self.store.fact("classes").split("\n")))
        known = noted or (before.labels if before and before.images else ())
        if missing := [label for label in known if wanted and label not in wanted]:
            raise ModelError(
                tr("--classes: the labels in {folder} have {missing} too", folder=self.folder,
                   missing=", ".join(missing)),
                tr("Name it as well; or rename it with: ngatu models convert --rename old=new"),
            )  # fmt: skip
        offered = before.labels if before and not noted else ()  # of proposals alone: by keys, ours come first
        return tuple(dict.fromkeys(wanted)) or known or tuple(dict.fromkeys((*CLASSES, *offered)))

    def _scan(self, before: Dataset | None) -> None:
        known = self.store.names()
        labelled = {_name(image.path, self.images): image for image in (before.images if before else ())}
        proposed = {_name(image.path, self.images): image for image in (before.proposed if before else ())}
        for outside in (labelled.keys() | proposed.keys()) - set(self._names):
            raise ModelError(
                tr("{name}: this labelled picture does not lie in {images}", name=outside, images=self.images),
                tr("Bring pictures and labels into one folder with: ngatu models convert"),
            )
        fresh = [name for name in self._names if not known.get(name)]
        self.store.take_in(self._row(name, labelled.get(name), proposed.get(name)) for name in fresh)
        self.store.keep_only(self._names)
        if before is not None:
            self.store.note("licence", before.licence)
            self.store.note("source", before.source)
            note_ruled_out(self.store, proposed | labelled)
        self.store.note("classes", "\n".join(self.classes))
        self.store.note("begun", "yes")

    def _row(self, name: str, labelled: AnnotatedImage | None, proposed: AnnotatedImage | None) -> PictureRow:
        fault, size = "", (0, 0)
        try:
            size = size_of(self.images / name)
        except ModelError as error:
            fault = str(error.what)
        known = labelled or proposed
        camera = known.camera if known else camera_of(name)
        taken, condition = (known.taken, known.condition) if known else (None, "")
        sheet = LabelSheet()
        if labelled and not fault:
            sheet = LabelSheet(state="done", boxes=_within(labelled, *size))
        elif proposed and not fault:
            sheet = _begun(proposed, self.classes, *size)
        return PictureRow(0, name, camera, taken, condition, *size, fault, sheet, "", 0)


def _pictures(folder: Path, images: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise ModelError(
            tr("{folder}: there is no such folder", folder=folder), tr("Name the folder with the pictures.")
        )
    try:
        names = tuple(pictures_in(images))
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be read: {error}", path=images, error=error.strerror or error)
        ) from error
    if not names:
        raise ModelError(
            tr("{folder}: there are no pictures in it", folder=images),
            tr("Put .jpg, .png, .webp or .bmp files there."),
        )
    for name in names:
        shown = name.encode("utf-8", "backslashreplace").decode()
        if shown != name or "\n" in name:
            raise ModelError(
                tr("{images}: the name {name} is not UTF-8 in one line", images=images, name=ascii(shown)),
                tr("Rename this picture."),
            )
    return names


def _locked(folder: Path) -> IO[bytes]:
    try:
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise ModelError(
            tr("{folder}: nothing can be written there: {error}", folder=folder, error=error.strerror or error),
            tr("The folder must be writable; what is labelled is kept in it."),
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ModelError(
            tr("{folder}: it is being labelled already", folder=folder),
            tr("Go on in that page, or end that program first."),
        ) from None
    return file


def _name(picture: Path, images: Path) -> str:
    return os.path.relpath(picture.resolve(), images.resolve())


def _within(image: AnnotatedImage, width: int, height: int) -> tuple[DrawnBox, ...]:
    """The boxes as far as they lie in the picture; what lies wholly outside is nothing."""
    boxes = []
    for each in image.annotations:
        left, right = (min(float(width), max(0.0, x)) for x in (each.left, each.right))
        top, bottom = (min(float(height), max(0.0, y)) for y in (each.top, each.bottom))
        if right > left and bottom > top:
            boxes.append(
                DrawnBox(label=each.label, left=left, top=top, right=right, bottom=bottom, ignored=each.ignored)
            )
    return tuple(boxes)


def _begun(image: AnnotatedImage, classes: Sequence[str], width: int, height: int) -> LabelSheet:
    """Of a picture that is not done: what somebody has drawn of these labels, and what a detector proposes."""
    known = [each for each in image.annotations if each.label in classes]
    drawn = replace(image, annotations=tuple(each for each in known if each.score is None))
    proposed = [
        ProposedBox(**box.model_dump(), score=each.score)
        for each in known
        if each.score is not None
        for box in _within(replace(image, annotations=(each,)), width, height)
    ]
    return LabelSheet(boxes=_within(drawn, width, height), proposals=tuple(proposed))
