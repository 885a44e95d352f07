"""Frames for training as a data set that other tools read: a folder `images/`, `instances.json` beside it.

Format: COCO's (https://cocodataset.org/#format-data). The boxes in it are what the detector proposed, and say
so: `"proposal": true` with their `score`; and each picture says `"labelled": false`. `camera`, `taken`,
`condition`, `labelled` and `sample` are ours, and other programs leave them out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from agent.detectors.labels import ROAD_USERS
from agent.errors import FootageError
from agent.evidence.samples.sample import Proposal, SampleNote
from agent.translatable import tr

FILE: Final = "instances.json"
IMAGES: Final = "images"
DESCRIPTION: Final = (
    "Frames that boxes kept for training. The annotations are proposals of a detector, not labels: somebody "
    "has to look at each."
)
_NOT_BESIDE: Final = frozenset({"camera", "taken", "condition", "proposals", "width_px", "height_px"})
"""Of a note, what stands in the picture's own fields."""


class SampleDataset:
    """A data set that is being written: pictures one by one, and at its end what is in them."""

    def __init__(self, folder: Path) -> None:
        """`folder` is there, and empty.

        Raises:
            OSError: it cannot be written.
        """
        self._folder = folder
        (folder / IMAGES).mkdir()
        self._labels = {label: number for number, label in enumerate(ROAD_USERS, 1)}
        self._images: list[dict[str, Any]] = []
        self._objects: list[dict[str, Any]] = []

    @property
    def pictures(self) -> int:
        """How many there are so far."""
        return len(self._images)

    def add(self, note: SampleNote, jpeg: bytes) -> None:
        """One picture with what the detector proposes.

        Raises:
            OSError: it cannot be written.
            FootageError: its note is not one of ours.
        """
        name, camera = _names(note)
        (self._folder / IMAGES / name).write_bytes(jpeg)
        number = len(self._images) + 1
        said = {key: value for key, value in asdict(note).items() if key not in _NOT_BESIDE}
        self._images.append(
            {
                "id": number,
                "file_name": name,
                "width": note.width_px,
                "height": note.height_px,
                "camera": camera,
                "taken": note.taken,
                "condition": note.condition,
                "labelled": False,  # also where nothing is proposed: that is no word that nothing is there
                "sample": said,
            }
        )
        self._objects += self._rows(number, note, note.proposals)

    def finish(self) -> None:
        """Write `instances.json`, whole, on the disk when it returns.

        Raises:
            OSError: it cannot be written.
        """
        content = {
            "info": {"description": DESCRIPTION, "source": "ngatu samples"},
            "images": self._images,
            "annotations": [{"id": number, **row} for number, row in enumerate(self._objects, 1)],
            "categories": [{"id": number, "name": label} for label, number in self._labels.items()],
        }
        unfinished = self._folder / f".{FILE}.new"
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / FILE)
        os.sync()  # a stick is pulled out as soon as the command ends

    def _rows(self, picture: int, note: SampleNote, given: Iterable[Proposal]) -> list[dict[str, Any]]:
        rows = []
        for each in given:
            left, top = each.left * note.width_px, each.top * note.height_px
            width, height = (each.right - each.left) * note.width_px, (each.bottom - each.top) * note.height_px
            rows.append(
                {
                    "image_id": picture,
                    "category_id": self._labels.setdefault(each.label, len(self._labels) + 1),
                    "bbox": [round(side, 2) for side in (left, top, width, height)],
                    "area": round(width * height, 2),
                    "iscrowd": 0,
                    "score": each.score,
                    "by": each.by,
                    "proposal": True,
                }
            )
        return rows


def _names(note: SampleNote) -> tuple[str, str]:
    """The picture's file name, and of which camera of which box it is."""
    try:
        taken = f"{datetime.fromisoformat(note.taken):%Y%m%dT%H%M%S}"
        commune, device = note.box.split("/")
    except ValueError:
        raise FootageError(tr("a frame for training has no moment or no box"), tr("it is left out")) from None
    words = (commune, device, note.camera, taken, note.id[-12:])
    if any(not word or set(word) & set("/\\\0") or word.startswith(".") for word in words):
        raise FootageError(tr("a frame for training has a name that is none"), tr("it is left out"))
    return "_".join(words) + ".jpg", f"{commune}/{device}/{note.camera}"
